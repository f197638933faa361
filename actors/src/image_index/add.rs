//! Adding an image (`imageserver.md §3.1, §3.2`).

use super::access::check_image_access;
use super::actor::ImageIndexActor;
use super::codec::encode_image;
use super::entry::ImageEntry;
use super::{AddRequest, IndexError, IndexEvent, Shared};
use crate::handle::{Envelope, Request};
use crate::object_store::{ObjectError, Ticket};
use actix::{Context, Handler};
use image::Image;
use std::sync::Arc;
use storage::image_dir::IMAGE_FILE_LIMIT_BYTES;
use storage::{Stamp, StorageError};

pub(crate) struct Add(pub(super) Box<AddRequest>);

impl Request for Add {
    type Reply = Result<(), IndexError>;
}

/// An image on disk, with its references taken.
pub(super) struct Written {
    pub(super) entry: ImageEntry,
    pub(super) ticket: Ticket,
}

/// How the file is to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Write {
    /// Fails on a tombstone.
    New,
    /// Replaces a tombstone.
    OverTombstone,
    /// Replaces whatever is there.
    InPlace,
}

/// Checks 1 and 2 of `§3.2`.
pub(super) fn check(shared: &Shared, request: &AddRequest) -> Result<(), IndexError> {
    check_name(shared, request)?;
    let table = &shared.objects.table;
    let mut missing: Vec<_> = image::objects::distinct(&request.image)
        .into_iter()
        .filter(|(hash, _)| !table.has(hash))
        .collect();
    match missing.pop() {
        None => Ok(()),
        Some((hash, _)) if missing.is_empty() => Err(ObjectError::NotAvailable(hash).into()),
        Some(_) => Err(ObjectError::ManyNotAvailable(missing.len() + 1).into()),
    }
}

fn check_name(shared: &Shared, request: &AddRequest) -> Result<(), IndexError> {
    let name = &request.name;
    image::name::check_image(name).map_err(|source| IndexError::Name {
        name: name.clone(),
        source,
    })?;
    if let Some(entry) = shared.snapshot.load().images.get(name.as_str()) {
        entry.usable()?;
        return Err(IndexError::AlreadyExists);
    }
    if request.image.file_system.is_none() {
        return Err(IndexError::NilFileSystem);
    }
    Ok(())
}

impl Handler<Envelope<Add>> for ImageIndexActor {
    type Result = ();

    fn handle(&mut self, envelope: Envelope<Add>, context: &mut Context<Self>) {
        let (Add(request), reply) = envelope.open();
        let name: Arc<str> = request.name.as_str().into();
        if let Err(error) = check_name(&self.shared, &request) {
            let _ = reply.send(Err(error));
            return;
        }
        if !self.being_written.insert(name.clone()) {
            let _ = reply.send(Err(IndexError::AlreadyBeingWritten(request.name)));
            return;
        }
        self.run(
            context,
            move |shared| prepare_and_write(shared, *request),
            move |actor, context, written| {
                actor.being_written.remove(&name);
                actor.reconcile_after(context, &written);
                let result = written.map(|written| {
                    if let Some(written) = written {
                        actor.publish_written(context, written);
                    }
                });
                let _ = reply.send(result);
            },
        );
    }
}

impl ImageIndexActor {
    /// From the disk into the snapshot, the timers and the ears of subscribers.
    pub(super) fn publish_written(&mut self, context: &mut Context<Self>, written: Written) {
        let Written { entry, ticket } = written;
        let (name, expires_at) = (entry.name.clone(), entry.expires_at());
        self.shared.settle_image(entry, ticket);
        self.expiries.forget(&name);
        self.arm_expiry(context, expires_at, name.clone());
        self.shared.tell(IndexEvent::AddImage(name));
    }
}

/// On the pool. `None` for an image that has expired already, which is ignored.
fn prepare_and_write(shared: &Shared, request: AddRequest) -> Result<Option<Written>, IndexError> {
    let AddRequest {
        name,
        mut image,
        requester,
        trusted,
    } = request;
    let ticket = take_references(shared, &image)?;
    image
        .file_system
        .as_ref()
        .map_or(Err(IndexError::NilFileSystem), |tree| {
            Ok(image::verify::tree(tree)?)
        })?;
    if !image.expires_at.is_zero() && image.expires_at <= shared.clock.now() {
        tracing::info!("ignoring already expired image: {name}");
        return Ok(None);
    }
    check_image_access(&shared.snapshot.load(), &name, None, &requester)?;
    if !trusted {
        image.created_by = requester.username;
        image.created_on = shared.clock.now();
    }
    let write = if shared.replica {
        Write::OverTombstone
    } else {
        Write::New
    };
    write_image(shared, &name, image, ticket, write).map(Some)
}

pub(super) fn take_references(shared: &Shared, image: &Image) -> Result<Ticket, IndexError> {
    let hashes: Vec<_> = image::objects::references(image).map(|(hash, _)| hash).collect();
    let ticket = shared.objects.ledger.take(&hashes).map_err(ObjectError::from)?;
    let lost = shared.objects.lost(&hashes)?;
    if lost.0.is_empty() {
        Ok(ticket)
    } else {
        Err(ObjectError::from(lost).into())
    }
}

/// Makes the image durable under its name. The references go back if that fails.
pub(super) fn write_image(
    shared: &Shared,
    name: &str,
    image: Image,
    ticket: Ticket,
    write: Write,
) -> Result<Written, IndexError> {
    let directory = image::name::parent(name);
    if !shared.snapshot.load().directories.contains_key(directory) {
        return Err(IndexError::NoMetadata(directory.to_owned()));
    }
    let (content, checksum) = encode_image(&image);
    if content.len() as u64 > IMAGE_FILE_LIMIT_BYTES {
        return Err(IndexError::TooLarge(content.len()));
    }
    let stamp = store(shared, name, &content, write)?;
    let entry = ImageEntry::new(shared, name, image, checksum, stamp, ticket.objects());
    Ok(Written { entry, ticket })
}

fn store(shared: &Shared, name: &str, content: &[u8], write: Write) -> Result<Stamp, IndexError> {
    let created = || match write {
        Write::InPlace => shared.directory.replace(name, content),
        Write::New | Write::OverTombstone => shared.directory.create_new(name, content),
    };
    let stored = match (created(), write) {
        (Err(StorageError::Tombstone { .. }), Write::OverTombstone) => {
            shared.directory.replace(name, content)
        }
        (stored, _) => stored,
    };
    stored.map_err(|error| match error {
        StorageError::Exists { name } => IndexError::NameTaken(name),
        StorageError::NoDirectory { name } => IndexError::NoMetadata(image::name::parent(&name).to_owned()),
        other => other.into(),
    })
}
