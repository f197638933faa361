//! Images that a job has made and must not leave when it does not end well.

use super::Workroom;
use crate::RepositoryError;
use crate::image_repository::Stored;
use parking_lot::Mutex;
use repository::Uuid;
use repository::manifest::Record;
use std::sync::Arc;

/// What was made so far, oldest first. Dropped before it was [kept](Self::keep), as when the job is cancelled, it has them
/// removed by a task of its own.
pub(super) struct CleanUp {
    room: Workroom,
    made: Arc<Mutex<Made>>,
    keeps_active: bool,
}

#[derive(Default)]
struct Made {
    images: Vec<Uuid>,
    /// Nobody looks at the list any more.
    is_over: bool,
}

impl CleanUp {
    pub(super) fn new(room: &Workroom) -> CleanUp {
        CleanUp {
            room: room.clone(),
            made: Arc::default(),
            keeps_active: false,
        }
    }

    /// The same for work that others may do as well at the same time: what they have activated is theirs.
    pub(super) fn of_inactive(room: &Workroom) -> CleanUp {
        let mut clean_up = CleanUp::new(room);
        clean_up.keeps_active = true;
        clean_up
    }

    /// This one is ours.
    pub(super) fn add(&self, uuid: Uuid) {
        let mut made = self.made.lock();
        if !made.images.contains(&uuid) {
            made.images.push(uuid);
        }
    }

    /// Makes an image, which is ours. By a task of its own: it may be made although the job is cancelled while it waits for that,
    /// and is removed then.
    ///
    /// # Errors
    /// Those of [`create`](crate::ImageRepository::create).
    pub(super) async fn create(&self, record: Record) -> Result<Stored, RepositoryError> {
        let (room, made, keeps_active) = (self.room.clone(), self.made.clone(), self.keeps_active);
        let work = tokio::spawn(async move {
            let stored = room.repository.create(record).await?;
            let uuid = stored.record.uuid();
            let is_over = {
                let mut made = made.lock();
                made.images.push(uuid);
                made.is_over
            };
            if is_over {
                remove(&room, Vec::from([uuid]), keeps_active).await;
            }
            Ok(stored)
        });
        let interrupted = |_| Err(RepositoryError::Internal("interrupted".to_owned()));
        work.await.unwrap_or_else(interrupted)
    }

    /// Whether it is ours.
    pub(super) fn has(&self, uuid: Uuid) -> bool {
        self.made.lock().images.contains(&uuid)
    }

    /// All went well.
    pub(super) fn keep(self) {
        self.made.lock().images.clear();
    }

    /// Removes them now, newest first: what is based on another goes before it.
    pub(super) async fn remove(self) {
        let made = std::mem::take(&mut self.made.lock().images);
        remove(&self.room, made, self.keeps_active).await;
    }
}

async fn remove(room: &Workroom, made: Vec<Uuid>, keeps_active: bool) {
    for uuid in made.into_iter().rev() {
        if let Err(error) = room.remove(uuid, keeps_active).await {
            tracing::error!("image {uuid} of a job that failed stays: {}", error.message());
        }
    }
}

impl Drop for CleanUp {
    fn drop(&mut self) {
        let made = {
            let mut made = self.made.lock();
            made.is_over = true;
            std::mem::take(&mut made.images)
        };
        // Without a runtime the process ends: the job is run again, and finds them.
        if let (false, Ok(runtime)) = (made.is_empty(), tokio::runtime::Handle::try_current()) {
            let (room, keeps_active) = (self.room.clone(), self.keeps_active);
            runtime.spawn(async move { remove(&room, made, keeps_active).await });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image_repository::ChangeKind;
    use crate::{RepositoryConfig, start_repository};
    use repository::configuration::Configuration;
    use repository::manifest::create;
    use serde_json::json;
    use std::time::Duration;

    /// How long something may take that takes milliseconds.
    const LIMIT: Duration = Duration::from_secs(60);

    #[tokio::test]
    async fn an_image_that_a_job_is_making_when_it_is_cancelled_does_not_stay() {
        let directory = tempfile::tempdir().unwrap();
        let configuration = Configuration::read(r#"{"authType": "none"}"#).unwrap();
        let config = RepositoryConfig::new(directory.path().to_owned(), configuration.settings().clone());
        let settings = config.settings.clone();
        let system = start_repository(config).unwrap();
        let room = Workroom::new(system.repository.clone(), settings.clone());
        let uuid = Uuid::from_random([7; 16]);
        let owner = Uuid::from_random([8; 16]).to_string();
        let body = json!({"owner": owner, "name": "a", "version": "1", "os": "linux", "type": "other", "public": true});
        let rules = settings.load().rules();
        let record = create(Some(&body), None, None, uuid, &rules, &room.known()).unwrap();
        let mut changes = system.repository.changes();
        let clean_up = CleanUp::new(&room);
        {
            let mut creating = std::pin::pin!(clean_up.create(record));
            // Once: it has asked, and waits.
            let asked = std::future::poll_fn(|context| {
                std::task::Poll::Ready(creating.as_mut().poll(context).is_pending())
            });
            assert!(asked.await);
        }
        drop(clean_up);
        for kind in [ChangeKind::Created, ChangeKind::Deleted] {
            let change = tokio::time::timeout(LIMIT, changes.recv()).await;
            let change = change.expect("nothing happens to the image").unwrap();
            assert_eq!((change.uuid, change.kind), (uuid, kind));
        }
        assert!(system.repository.catalogue().get(uuid).is_none());
    }
}
