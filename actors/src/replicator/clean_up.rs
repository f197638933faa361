//! Taking away what the upstream has no more.

use super::Connections;
use super::error::ReplicationError;
use super::retry::Task;
use super::session::List;
use super::shared::Shared;
use crate::image_index::{ImageEntry, IndexError, IndexSnapshot, Requester};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// So many may go because of a list, whatever their share: a small server is emptied and filled anew now and then.
const FEW: usize = 10;

/// Why nothing is deleted: the list would take away more than it may (`Replication::delete_percent`). A server whose disk is not
/// mounted has an empty list, and its replicas are the last that have the images.
fn too_many(shared: &Shared, gone: usize, all: usize) -> Option<String> {
    let most = usize::from(shared.config.delete_percent);
    (gone > FEW && gone * 100 > all * most).then(|| {
        format!(
            "the list of {} lacks {gone} of {all} images, more than {most} %: nothing is deleted. Has it the right \
             directory? If they are to go, start this server with -replicationDeletePercent=100",
            shared.config.upstream
        )
    })
}

/// Deletes what was here `before` the list was asked for and is not in the list; what could not be deleted, and why. Only
/// after a whole list (`imageserver.md §7.2`).
///
/// Names that were announced to our followers and never came here (`dropped`) count with what is here: for them it is the same.
///
/// What came here since then, from clients of ours, is in the upstream too, or was: it may have been deleted there before the
/// list was made. That is asked.
pub(super) async fn run(
    shared: &Shared,
    connections: &Connections,
    before: &IndexSnapshot,
    list: &List,
    dropped: Vec<Arc<str>>,
) -> Vec<(Task, ReplicationError)> {
    let mut failed = Vec::new();
    let (gone, doubtful) = absent(shared, before, list);
    let (lacking, all) = (gone.len() + dropped.len(), before.images.len() + dropped.len());
    let problem = too_many(shared, lacking, all);
    shared
        .status
        .held_back(if problem.is_some() { lacking } else { 0 });
    if let Some(problem) = problem {
        tracing::error!("Image replicator: {problem}");
        shared.status.failed(problem);
        return failed;
    }
    for name in dropped {
        shared.give_up(&name);
    }
    for name in gone {
        tracing::info!("Replicator({name}): delete missing image");
        if let Err(error) = delete_image(shared, &name).await {
            failed.push((Task::Delete(name), error.into()));
        }
    }
    for name in doubtful {
        if let Err(error) = confirm(shared, connections, &name).await {
            failed.push((Task::Confirm(name), error));
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

/// Images that are not in the list: those that were here before it, and those that came since or are about to.
fn absent(shared: &Shared, before: &IndexSnapshot, list: &List) -> (Vec<Arc<str>>, BTreeSet<Arc<str>>) {
    // Before the snapshot: one that ends in between is in that.
    let mut doubtful: BTreeSet<Arc<str>> = shared.injections.names().into_iter().collect();
    doubtful.retain(|name| !list.images.contains(name));
    let mut gone = Vec::new();
    let now = shared.images.snapshot();
    for (name, entry) in now.images.iter().filter(|(name, _)| !list.images.contains(*name)) {
        let was_here = |old: &Arc<ImageEntry>| old.metadata.created_on == entry.metadata.created_on;
        if before.images.get(name).is_some_and(was_here) {
            gone.push(name.clone());
        } else {
            doubtful.insert(name.clone());
        }
    }
    (gone, doubtful)
}

/// Deletes an image here if the upstream does not have it.
pub(super) async fn confirm(
    shared: &Shared,
    connections: &Connections,
    name: &Arc<str>,
) -> Result<(), ReplicationError> {
    if !shared.injections.wait(name).await {
        return Err(ReplicationError::BeingAdded);
    }
    if !shared.images.snapshot().images.contains_key(name) {
        return Ok(());
    }
    let mut server = connections.take().await?;
    let (metadata, _) = server.get_image_metadata(name, Duration::ZERO).await?;
    connections.put_back(server);
    if metadata.is_none() {
        tracing::info!("Replicator({name}): delete image that is gone from the upstream");
        delete_image(shared, name).await?;
    }
    Ok(())
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
