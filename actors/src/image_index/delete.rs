//! Deleting an image (`imageserver.md §3.7`): the tombstone is durable before the references go.

use super::access::check_image_access;
use super::actor::ImageIndexActor;
use super::{IndexError, IndexEvent, Requester, Shared};
use crate::handle::{Envelope, Request};
use actix::{Context, Handler};
use std::sync::Arc;
use storage::StorageError;

pub(crate) struct Delete {
    pub(super) name: Arc<str>,
    pub(super) requester: Requester,
}

impl Request for Delete {
    type Reply = Result<(), IndexError>;
}

impl ImageIndexActor {
    fn check_delete(&self, delete: &Delete) -> Result<(), IndexError> {
        let Delete { name, requester } = delete;
        if self.being_written.contains(name) {
            return Err(IndexError::IsBeingWritten(name.to_string()));
        }
        let snapshot = self.shared.snapshot.load();
        let entry = snapshot.images.get(name).ok_or(IndexError::DoesNotExist)?;
        check_image_access(&snapshot, name, Some(entry), requester)?;
        if self.being_modified.contains(name) {
            return Err(IndexError::BeingModified);
        }
        Ok(())
    }
}

impl Handler<Envelope<Delete>> for ImageIndexActor {
    type Result = ();

    fn handle(&mut self, envelope: Envelope<Delete>, context: &mut Context<Self>) {
        let (delete, reply) = envelope.open();
        if let Err(error) = self.check_delete(&delete) {
            let _ = reply.send(Err(error));
            return;
        }
        let name = delete.name;
        self.being_modified.insert(name.clone());
        let on_disk = name.clone();
        self.run(
            context,
            move |shared| leave_tombstone(shared, &on_disk),
            move |actor, context, deleted| {
                actor.being_modified.remove(&name);
                actor.reconcile_after(context, &deleted);
                let result = deleted.map(|()| {
                    actor.shared.unpublish_image(&name);
                    actor.shared.tell(IndexEvent::DeleteImage(name));
                });
                let _ = reply.send(result);
            },
        );
    }
}

/// An image whose file is lost can be deleted as well; the name stays blocked all the same.
fn leave_tombstone(shared: &Shared, name: &str) -> Result<(), IndexError> {
    match shared.directory.tombstone(name) {
        Err(StorageError::NotFound { .. }) => {}
        other => return Ok(other?),
    }
    match shared.directory.create_new(name, b"") {
        // Where there is no directory the name is blocked well enough.
        Ok(_) | Err(StorageError::NoDirectory { .. }) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
