//! Restoring an archived image (`imageserver.md §3.12`).

use super::access::check_expiration_limit;
use super::actor::ImageIndexActor;
use super::add::{Write, Written, take_references, write_image};
use super::archive::OpenArchive;
use super::{IndexError, Requester, Shared};
use crate::handle::{Envelope, Request};
use actix::{Context, Handler};
use gob::Time;
use std::sync::Arc;
use storage::StorageError;

pub(crate) struct Restore {
    pub(super) archive: Box<OpenArchive>,
    pub(super) expires_at: Time,
    pub(super) requester: Requester,
}

impl Request for Restore {
    type Reply = Result<String, IndexError>;
}

impl Handler<Envelope<Restore>> for ImageIndexActor {
    type Result = ();

    fn handle(&mut self, envelope: Envelope<Restore>, context: &mut Context<Self>) {
        let (restore, reply) = envelope.open();
        let name: Arc<str> = restore.archive.name.as_str().into();
        let taken = self.shared.snapshot.load().images.contains_key(&name);
        let refused = if taken {
            Some(IndexError::NameTaken(name.to_string()))
        } else if !self.being_written.insert(name.clone()) {
            Some(IndexError::AlreadyBeingWritten(name.to_string()))
        } else {
            None
        };
        if let Some(error) = refused {
            let _ = reply.send(Err(error));
            return;
        }
        self.run(
            context,
            move |shared| write(shared, restore),
            move |actor, context, written| {
                actor.being_written.remove(&name);
                actor.reconcile_after(context, &written);
                let result = written.map(|written| {
                    actor.publish_written(context, written);
                    name.to_string()
                });
                let _ = reply.send(result);
            },
        );
    }
}

/// On the pool.
fn write(shared: &Shared, restore: Restore) -> Result<Written, IndexError> {
    let Restore {
        archive,
        expires_at,
        requester,
    } = restore;
    let OpenArchive {
        name,
        mut image,
        seal,
    } = *archive;
    image::name::check_stored(&name).map_err(|source| IndexError::Name {
        name: name.clone(),
        source,
    })?;
    image
        .file_system
        .as_ref()
        .map_or(Err(IndexError::NilFileSystem), |tree| {
            Ok(image::verify::tree(tree)?)
        })?;
    let ticket = take_references(shared, &image)?;
    if !image.expires_at.is_zero() {
        let now = shared.clock.system_time();
        if let Some(left) = image
            .expires_at
            .to_system_time()
            .and_then(|at| at.duration_since(now).ok())
        {
            return Err(IndexError::CannotRestoreYet(human::duration(left)));
        }
        check_expiration_limit(&shared.expiration, expires_at, &requester, now)?;
        image.expires_at = expires_at;
    }
    let Err(mismatch) = seal else {
        return write_image(shared, &name, image, ticket, Write::OverTombstone);
    };
    // Not sealed here: a new image of the caller's, and no way around a tombstone.
    tracing::warn!("restoring image {name} as a new one: the archive is another server's, or was changed");
    image.created_by = requester.username;
    image.created_on = shared.clock.now();
    write_image(shared, &name, image, ticket, Write::New).map_err(|error| match error {
        IndexError::Storage(StorageError::Tombstone { .. }) => mismatch,
        other => other,
    })
}
