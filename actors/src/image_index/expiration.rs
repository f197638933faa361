//! Changing when an image expires (`imageserver.md §2.3`).

use super::access::{check_expiration_limit, check_image_access};
use super::actor::ImageIndexActor;
use super::codec::encode_image;
use super::entry::ImageEntry;
use super::{IndexError, IndexEvent, Requester, Shared, trees};
use crate::handle::{Envelope, Request};
use actix::{Context, Handler};
use gob::Time;
use image::Image;
use std::sync::Arc;

pub(crate) struct ChangeExpiration {
    pub(super) name: Arc<str>,
    pub(super) expires_at: Time,
    pub(super) requester: Requester,
}

impl Request for ChangeExpiration {
    type Reply = Result<(), IndexError>;
}

impl ImageIndexActor {
    /// The entry to change; `None` if it is as wished already.
    fn check_change(&self, change: &ChangeExpiration) -> Result<Option<Arc<ImageEntry>>, IndexError> {
        let ChangeExpiration {
            name,
            expires_at,
            requester,
        } = change;
        let now = self.shared.clock.system_time();
        check_expiration_limit(&self.shared.expiration, *expires_at, requester, now)?;
        let snapshot = self.shared.snapshot.load();
        let entry = snapshot.images.get(name).ok_or(IndexError::NotFound)?;
        check_image_access(&snapshot, name, Some(entry), requester)?;
        entry.usable()?;
        if entry.expires_at().is_zero() {
            return Err(IndexError::DoesNotExpire);
        }
        if self.being_modified.contains(name) {
            return Err(IndexError::BeingModified);
        }
        if *expires_at == entry.expires_at() {
            return Ok(None);
        }
        if !expires_at.is_zero() && *expires_at < entry.expires_at() {
            return Err(IndexError::CannotShorten);
        }
        Ok(Some(entry.clone()))
    }
}

impl Handler<Envelope<ChangeExpiration>> for ImageIndexActor {
    type Result = ();

    fn handle(&mut self, envelope: Envelope<ChangeExpiration>, context: &mut Context<Self>) {
        let (change, reply) = envelope.open();
        let entry = match self.check_change(&change) {
            Ok(Some(entry)) => entry,
            Ok(None) => {
                let _ = reply.send(Ok(()));
                return;
            }
            Err(error) => {
                let _ = reply.send(Err(error));
                return;
            }
        };
        let (name, expires_at) = (change.name, change.expires_at);
        self.being_modified.insert(name.clone());
        self.run(
            context,
            move |shared| rewrite(shared, &entry, expires_at),
            move |actor, context, rewritten| {
                actor.being_modified.remove(&name);
                actor.reconcile_after(context, &rewritten);
                let result = rewritten.map(|entry| {
                    actor.shared.publish_image(entry);
                    actor.arm_expiry(context, expires_at, name.clone());
                    actor.shared.tell(IndexEvent::AddImage(name));
                });
                let _ = reply.send(result);
            },
        );
    }
}

/// Writes the image anew. Its objects stay the same, so its references do.
fn rewrite(shared: &Shared, entry: &ImageEntry, expires_at: Time) -> Result<ImageEntry, IndexError> {
    let mut image = trees::read(shared, entry)?;
    image.expires_at = expires_at;
    let (content, checksum) = encode_image(&image);
    let stamp = shared.directory.replace(&entry.name, &content)?;
    let metadata = Arc::new(Image {
        expires_at,
        ..Image::clone(&entry.metadata)
    });
    Ok(ImageEntry {
        metadata,
        checksum,
        stamp,
        settled: true,
        ..entry.clone()
    })
}
