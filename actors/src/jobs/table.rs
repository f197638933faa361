//! All jobs as an immutable snapshot.

use repository::Uuid;
use repository::job::Job;
use std::sync::Arc;

/// A snapshot. Cloning it is cheap.
#[derive(Clone, Default)]
pub struct JobTable {
    by_uuid: imbl::HashMap<Uuid, Arc<Job>>,
    /// By when they were asked for.
    order: imbl::OrdSet<(Arc<str>, Uuid)>,
    of_image: imbl::OrdSet<(Uuid, Arc<str>, Uuid)>,
}

impl JobTable {
    /// A job by its name.
    pub fn get(&self, uuid: Uuid) -> Option<&Arc<Job>> {
        self.by_uuid.get(&uuid)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.by_uuid.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.by_uuid.is_empty()
    }

    /// All of them, oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Arc<Job>> {
        self.order.iter().filter_map(|(_, uuid)| self.by_uuid.get(uuid))
    }

    /// Those of an image, oldest first.
    pub fn of_image(&self, image: Uuid) -> Vec<Arc<Job>> {
        let first = (image, Arc::from(""), Uuid::NIL);
        let of_image = self.of_image.range(first..).take_while(|entry| entry.0 == image);
        of_image
            .filter_map(|(_, _, uuid)| self.by_uuid.get(uuid).cloned())
            .collect()
    }

    /// With a job, in place of the one of its name.
    pub(super) fn put(&mut self, job: Arc<Job>) {
        self.remove(job.uuid);
        let created: Arc<str> = job.created_at.as_str().into();
        self.order.insert((created.clone(), job.uuid));
        self.of_image.insert((job.image, created, job.uuid));
        self.by_uuid.insert(job.uuid, job);
    }

    pub(super) fn remove(&mut self, uuid: Uuid) {
        if let Some(job) = self.by_uuid.remove(&uuid) {
            let created: Arc<str> = job.created_at.as_str().into();
            self.order.remove(&(created.clone(), uuid));
            self.of_image.remove(&(job.image, created, uuid));
        }
    }
}
