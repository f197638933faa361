//! Images that are activated here are taken into the image server, each by a job.

use super::Shared;
use crate::JobsError;
use repository::Uuid;
use repository::catalogue::{Entry, State};
use repository::job::JobKind;
use repository::json::Object;
use repository::publish::TAG_IMAGE;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast::error::RecvError;

/// Pause before another look when no job is taken: too many wait, or the disk fails.
const PAUSE: Duration = Duration::from_secs(60);

/// Follows the changes of the repository, for ever.
pub(super) async fn run(shared: Arc<Shared>) {
    let repository = shared.config.room.repository().clone();
    let mut changes = repository.changes();
    look_at_all(&shared).await;
    loop {
        match changes.recv().await {
            Ok(change) => {
                if !consider(&shared, change.uuid).await {
                    look_at_all(&shared).await;
                }
            }
            Err(RecvError::Lagged(_)) => look_at_all(&shared).await,
            // The repository has stopped, and we are about to.
            Err(RecvError::Closed) => return std::future::pending().await,
        }
    }
}

/// Looks at every image, until each that is to be taken has its job.
async fn look_at_all(shared: &Shared) {
    let repository = shared.config.room.repository();
    'look: loop {
        for entry in repository.catalogue().iter() {
            if !consider(shared, entry.uuid()).await {
                tokio::time::sleep(PAUSE).await;
                continue 'look;
            }
        }
        return;
    }
}

/// Has an image taken, if it is one that should be and no job has tried. False if no job is taken
/// now.
async fn consider(shared: &Shared, uuid: Uuid) -> bool {
    let catalogue = shared.config.room.repository().catalogue();
    let is_candidate = |entry: &Arc<Entry>| entry.state() == State::Active && !entry.has_tag(TAG_IMAGE);
    if !catalogue.get(uuid).is_some_and(is_candidate) {
        return true;
    }
    let jobs = &shared.config.jobs;
    let tried = jobs.list().of_image(uuid);
    if tried.iter().any(|job| job.kind == JobKind::TakeIn) {
        return true;
    }
    match jobs.submit(JobKind::TakeIn, uuid, Object::new()).await {
        Ok(_) | Err(JobsError::Same(_)) => true,
        Err(error) => {
            tracing::warn!("image {uuid} is not taken into the image server yet: {error}");
            // Whatever it is: nobody would come back to this image before the next start.
            false
        }
    }
}
