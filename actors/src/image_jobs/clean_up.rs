//! Images that a job has made and must not leave when it does not end well.

use super::Workroom;
use parking_lot::Mutex;
use repository::Uuid;
use std::sync::Arc;

/// What was made so far, oldest first. Dropped before it was [kept](Self::keep), as when the job is cancelled, it has them
/// removed by a task of its own.
pub(super) struct CleanUp {
    room: Workroom,
    made: Arc<Mutex<Vec<Uuid>>>,
    keeps_active: bool,
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
        if !made.contains(&uuid) {
            made.push(uuid);
        }
    }

    /// Whether it is ours.
    pub(super) fn has(&self, uuid: Uuid) -> bool {
        self.made.lock().contains(&uuid)
    }

    /// All went well.
    pub(super) fn keep(self) {
        self.made.lock().clear();
    }

    /// Removes them now, newest first: what is based on another goes before it.
    pub(super) async fn remove(self) {
        let made = std::mem::take(&mut *self.made.lock());
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
        let made = std::mem::take(&mut *self.made.lock());
        // Without a runtime the process ends: the job is run again, and finds them.
        if let (false, Ok(runtime)) = (made.is_empty(), tokio::runtime::Handle::try_current()) {
            let (room, keeps_active) = (self.room.clone(), self.keeps_active);
            runtime.spawn(async move { remove(&room, made, keeps_active).await });
        }
    }
}
