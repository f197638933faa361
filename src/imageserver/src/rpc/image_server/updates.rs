//! The stream of image and directory changes that replicas live on (`imageserver.md §7.1`).

use crate::followers::Following;
use crate::rpc::prelude::*;
use actors::image_index::{IndexEvent, IndexSnapshot};
use image::{Directory, DirectoryMetadata};
use protocol::image_server::{ImageUpdate, operation};
use tokio::sync::broadcast::error::RecvError;

/// Which images a stream tells about.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Wanted {
    All,
    NotExpiring,
}

impl Wanted {
    fn has(self, snapshot: &IndexSnapshot, name: &str) -> bool {
        match self {
            Self::All => true,
            // An image that is gone by now is left out as well.
            Self::NotExpiring => snapshot
                .images
                .get(name)
                .is_some_and(|entry| entry.metadata.expires_at.is_zero()),
        }
    }
}

/// Sends the initial list, then changes until the caller goes away.
pub(super) async fn stream(
    shared: &Shared,
    call: &Call,
    conn: &mut Conn,
    wanted: Wanted,
) -> Result<(), RawError> {
    tracing::info!("New image replication client connected from: {}", call.peer);
    if let Some(replicator) = &shared.replicator {
        // Until then we do not know what there is, and the caller would delete what we leave out.
        tokio::select! {
            () = replicator.first_round() => {}
            _ = conn.closed() => return Err(RawError::close_client()),
            () = call.draining.cancelled() => return Err(RawError::close_client()),
        }
    }
    let username = call.caller.username.clone();
    let following = shared
        .followers
        .join(call.peer.to_string(), username, wanted == Wanted::All);
    let ended = follow(shared, call, conn, wanted, &following).await;
    if let Err(error) = &ended
        && let Some(text) = error.text()
    {
        following.failed(text);
    }
    ended
}

async fn follow(
    shared: &Shared,
    call: &Call,
    conn: &mut Conn,
    wanted: Wanted,
    following: &Following,
) -> Result<(), RawError> {
    // Subscribed before the snapshot is taken: a change in between is told twice rather than not at all.
    let mut events = shared.images.subscribe();
    send_all(shared, conn, wanted).await?;
    following.listed();
    loop {
        let event = tokio::select! {
            event = events.recv() => event,
            _ = conn.closed() => break,
            () = call.draining.cancelled() => break,
        };
        match event {
            Ok(event) => {
                let update = update(shared, wanted, event);
                following.told(u64::from(update.is_some()), events.len());
                if let Some(update) = update {
                    conn.write_value(&update).await?;
                    // One flush for what has piled up.
                    if events.is_empty() {
                        conn.flush().await?;
                    }
                } else if events.is_empty() {
                    conn.flush().await?;
                }
            }
            Err(RecvError::Lagged(missed)) => {
                // The caller reconciles when it connects again, which it does at once after an end.
                return Err(format!("{}: too slow for image updates, {missed} missed", call.peer).into());
            }
            Err(RecvError::Closed) => break,
        }
    }
    tracing::info!("Image replication client disconnected: {}", call.peer);
    Err(RawError::close_client())
}

async fn send_all(shared: &Shared, conn: &mut Conn, wanted: Wanted) -> Result<(), RawError> {
    // Before the snapshot: what arrives in between is in both and not in neither.
    let unfetched = shared
        .replicator
        .as_ref()
        .map_or_else(Vec::new, |replicator| replicator.unfetched());
    let snapshot = shared.images.snapshot();
    let mut directories: Vec<_> = snapshot.directories.iter().collect();
    // Parents sort before what is in them, which is what makes the list usable in one pass.
    directories.sort_by(|left, right| human::version_cmp(&**left.0, &**right.0));
    for (name, entry) in directories {
        let metadata = DirectoryMetadata {
            owner_group: entry.owner_group.to_string(),
        };
        let directory = Directory {
            name: name.to_string(),
            metadata,
        };
        conn.write_value(&made(directory)).await?;
    }
    for name in snapshot.images.keys().filter(|name| wanted.has(&snapshot, name)) {
        conn.write_value(&named(name, operation::ADD_IMAGE)).await?;
    }
    // What the master has is announced although it is still on its way here; whether it expires is not known yet.
    for name in unfetched
        .iter()
        .filter(|name| !snapshot.images.contains_key(*name))
    {
        conn.write_value(&named(name, operation::ADD_IMAGE)).await?;
    }
    conn.write_value(&ImageUpdate::default()).await?;
    conn.flush().await?;
    Ok(())
}

fn update(shared: &Shared, wanted: Wanted, event: IndexEvent) -> Option<ImageUpdate> {
    match event {
        IndexEvent::AddImage(name) => {
            let is_wanted = wanted.has(&shared.images.snapshot(), &name);
            is_wanted.then(|| named(&name, operation::ADD_IMAGE))
        }
        IndexEvent::DeleteImage(name) => Some(named(&name, operation::DELETE_IMAGE)),
        IndexEvent::MakeDirectory(directory) => Some(made(directory)),
        IndexEvent::DeleteDirectory(name) => Some(named(&name, operation::DELETE_DIRECTORY)),
    }
}

fn named(name: &str, operation: u64) -> ImageUpdate {
    ImageUpdate {
        name: name.to_owned(),
        directory: None,
        operation,
    }
}

fn made(directory: Directory) -> ImageUpdate {
    ImageUpdate {
        name: String::new(),
        directory: Some(directory),
        operation: operation::MAKE_DIRECTORY,
    }
}
