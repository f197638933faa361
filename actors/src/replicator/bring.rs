//! One image the upstream announces becomes ours, or is found to be.

use super::Connections;
use super::error::ReplicationError;
use super::objects;
use super::shared::Shared;
use crate::image_index::{AddRequest, EntryState, ImageEntry, IndexError, Requester};
use image::Image;
use std::sync::Arc;
use std::time::Duration;

/// The upstream announces what it has, so there is nothing to wait for. What it has no more it has deleted or let expire
/// meanwhile. (The original waits a minute, in which nothing else is replicated.)
const NO_WAIT: Duration = Duration::ZERO;

/// What came of an announcement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Brought {
    /// It was here already.
    Present,
    /// It is here now.
    Added,
    /// It expires and is not kept here.
    Skipped,
    /// The upstream has it no more.
    Gone,
}

/// Brings the image of this name here, or its expiration up to date.
pub(super) async fn image(
    shared: &Shared,
    connections: &Connections,
    name: &Arc<str>,
) -> Result<Brought, ReplicationError> {
    if !shared.injections.wait(name).await {
        return Err(ReplicationError::BeingAdded);
    }
    let entry = shared.images.snapshot().images.get(name).cloned();
    match entry {
        None => fetch(shared, connections, name).await,
        Some(entry) if entry.state != EntryState::Present => repair(shared, connections, &entry).await,
        Some(entry) if entry.expires_at().is_zero() => Ok(Brought::Present),
        Some(entry) => expiration(shared, connections, &entry).await,
    }
}

async fn fetch(
    shared: &Shared,
    connections: &Connections,
    name: &Arc<str>,
) -> Result<Brought, ReplicationError> {
    shared.unfetched.insert(name);
    let skips_expiring = shared.config.archive.skips_expiring();
    let mut server = connections.take().await?;
    let image = if skips_expiring {
        server.get_lasting_image(name, NO_WAIT).await?
    } else {
        server.get_image(name, NO_WAIT).await?
    };
    connections.put_back(server);
    let Some(image) = image else {
        tracing::info!("Replicator({name}): gone from the upstream meanwhile");
        return Ok(Brought::Gone);
    };
    if skips_expiring && !image.expires_at.is_zero() {
        tracing::debug!("Replicator({name}): ignoring expiring image in archiver mode");
        return Ok(Brought::Skipped);
    }
    tracing::info!("Replicator({name}): downloaded image");
    store(shared, connections, name, image).await
}

/// Its objects first, then the image.
async fn store(
    shared: &Shared,
    connections: &Connections,
    name: &Arc<str>,
    image: Arc<Image>,
) -> Result<Brought, ReplicationError> {
    if image.file_system.is_none() {
        return Err(ReplicationError::NoFileSystem);
    }
    let lease = shared.objects.lease();
    objects::fetch_missing(shared, connections, name, &image, &lease).await?;
    add(shared, name, image).await?;
    tracing::info!("Replicator({name}): added image");
    shared.status.image_added();
    Ok(Brought::Added)
}

async fn add(shared: &Shared, name: &Arc<str>, image: Arc<Image>) -> Result<(), IndexError> {
    let request = AddRequest {
        name: name.to_string(),
        image: Arc::unwrap_or_clone(image),
        requester: Requester::internal(),
        trusted: true,
    };
    match shared.images.add(request).await {
        // A client of ours was faster. (A directory of that name is another matter: until it is removed we try again.)
        Err(IndexError::AlreadyExists) => Ok(()),
        other => other,
    }
}

/// What is damaged here is whole there. Nothing is taken away before its replacement is at hand; the name stays announced.
async fn repair(
    shared: &Shared,
    connections: &Connections,
    entry: &ImageEntry,
) -> Result<Brought, ReplicationError> {
    let name = &entry.name;
    let mut server = connections.take().await?;
    let image = server.get_image(name, NO_WAIT).await?;
    connections.put_back(server);
    let Some(image) = image else {
        return Ok(Brought::Gone);
    };
    tracing::info!("Replicator({name}): fetching a damaged image anew");
    let lease = shared.objects.lease();
    objects::fetch_missing(shared, connections, name, &image, &lease).await?;
    shared.unfetched.insert(name);
    // Where only objects were missing that is all.
    shared.images.reload(name).await?;
    let is_whole = |entry: &Arc<ImageEntry>| entry.state == EntryState::Present;
    if shared.images.snapshot().images.get(name).is_some_and(is_whole) {
        return Ok(Brought::Added);
    }
    match shared.images.discard(name).await {
        Ok(()) | Err(IndexError::DoesNotExist) => {}
        Err(error) => return Err(error.into()),
    }
    store(shared, connections, name, image).await
}

/// An image that expires, here already: its expiration may have been changed. Names of images that expired are free again,
/// so it may also be another image; the time of creation tells.
async fn expiration(
    shared: &Shared,
    connections: &Connections,
    entry: &ImageEntry,
) -> Result<Brought, ReplicationError> {
    let name = &entry.name;
    let mut server = connections.take().await?;
    let (metadata, _) = server.get_image_metadata(name, NO_WAIT).await?;
    connections.put_back(server);
    let Some(metadata) = metadata else {
        return Ok(Brought::Gone);
    };
    if metadata.created_on != entry.metadata.created_on {
        tracing::info!("Replicator({name}): another image of the same name");
        shared.unfetched.insert(name);
        match shared.images.delete(name, Requester::internal()).await {
            Ok(()) | Err(IndexError::DoesNotExist) => {}
            Err(error) => return Err(error.into()),
        }
        return fetch(shared, connections, name).await;
    }
    let requester = Requester::internal();
    match shared
        .images
        .change_expiration(name, metadata.expires_at, requester)
        .await
    {
        Ok(()) => {
            if metadata.expires_at != entry.expires_at() {
                tracing::info!("Replicator({name}): extended expiration time");
            }
            Ok(Brought::Present)
        }
        // It has expired here since we looked; there it was extended.
        Err(IndexError::NotFound) => fetch(shared, connections, name).await,
        Err(IndexError::CannotShorten | IndexError::DoesNotExpire) => Ok(Brought::Present),
        Err(error) => Err(error.into()),
    }
}
