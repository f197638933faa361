//! Taking away what the upstream has no more.

use super::error::ReplicationError;
use super::retry::Task;
use super::session::List;
use super::shared::Shared;
use crate::image_index::{IndexError, IndexSnapshot, Requester};
use std::sync::Arc;

/// Deletes what was here `before` the list was asked for and is not in the list; what could not be deleted, and why. Only
/// after a whole list (`imageserver.md §7.2`).
pub(super) async fn run(
    shared: &Shared,
    before: &IndexSnapshot,
    list: &List,
) -> Vec<(Task, ReplicationError)> {
    let mut failed = Vec::new();
    for name in before.images.keys().filter(|name| !list.images.contains(*name)) {
        if !shared.images.snapshot().images.contains_key(name) {
            continue;
        }
        tracing::info!("Replicator({name}): delete missing image");
        if let Err(error) = delete_image(shared, name).await {
            failed.push((Task::Delete(name.clone()), error.into()));
        }
    }
    // Backwards: what is in a directory before the directory.
    let directories: Vec<_> = before.directories.keys().collect();
    for name in directories.into_iter().rev() {
        if &**name == "." || list.directories.contains(name) {
            continue;
        }
        tracing::info!("Replicator({name}): delete missing directory");
        if let Err(error) = remove_directory(shared, name).await {
            failed.push((Task::Remove(name.clone()), error.into()));
        }
    }
    failed
}

/// Deletes an image here; one that is not here is no error.
pub(super) async fn delete_image(shared: &Shared, name: &Arc<str>) -> Result<(), IndexError> {
    let was_announced = shared.unfetched.remove(name);
    match shared.images.delete(name, Requester::internal()).await {
        Ok(()) => {
            shared.status.image_deleted();
            Ok(())
        }
        Err(IndexError::DoesNotExist) => {
            if was_announced {
                // Our followers may have it from an earlier time.
                shared.images.announce_deleted(name.clone());
            }
            Ok(())
        }
        Err(error) => Err(error),
    }
}

/// Removes a directory here; one that is not here is no error.
pub(super) async fn remove_directory(shared: &Shared, name: &Arc<str>) -> Result<(), IndexError> {
    match shared.images.delete_directory(name, Requester::internal()).await {
        Err(IndexError::DirectoryDoesNotExist(_)) => Ok(()),
        other => other,
    }
}
