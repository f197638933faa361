//! Putting a whole copy of an image, had from another server, in the place of its damaged file.

use super::actor::ImageIndexActor;
use super::add::{Write, Written, take_references, write_image};
use super::entry::{ImageEntry, InodeCounts};
use super::{IndexError, Shared};
use crate::handle::{Envelope, Request};
use actix::{Context, Handler};
use hash::Hash;
use image::Image;
use std::sync::Arc;

/// The image is in quarantine, and this is it; its objects are here.
pub(crate) struct PutBack {
    pub(super) name: Arc<str>,
    pub(super) image: Box<Image>,
}

impl Request for PutBack {
    type Reply = Result<(), IndexError>;
}

impl Handler<Envelope<PutBack>> for ImageIndexActor {
    type Result = ();

    fn handle(&mut self, envelope: Envelope<PutBack>, context: &mut Context<Self>) {
        let (PutBack { name, image }, reply) = envelope.open();
        let entry = match self.quarantined(&name) {
            Ok(entry) => entry,
            Err(error) => {
                let _ = reply.send(Err(error));
                return;
            }
        };
        self.being_modified.insert(name.clone());
        self.run(
            context,
            move |shared| write(shared, &entry, *image),
            move |actor, context, written| {
                actor.being_modified.remove(&name);
                actor.reconcile_after(context, &written);
                let result = written.map(|written| {
                    tracing::info!("image {name}: was damaged, and is repaired");
                    actor.publish_written(context, written);
                });
                // Who asked may have gone.
                let _ = reply.send(result);
            },
        );
    }
}

/// Durable when it returns. Blocks.
fn write(shared: &Shared, entry: &ImageEntry, mut image: Image) -> Result<Written, IndexError> {
    let name = &entry.name;
    if let Some(what) = difference(entry, &image) {
        return Err(IndexError::OtherImage {
            name: name.to_string(),
            what,
        });
    }
    if !entry.is_unknown() {
        // May have been extended here or there; it is the index that knows what was promised here.
        image.expires_at = entry.expires_at();
    }
    if !image.expires_at.is_zero() && image.expires_at <= shared.clock.now() {
        return Err(IndexError::DoesNotExist);
    }
    image
        .file_system
        .as_ref()
        .map_or(Err(IndexError::NilFileSystem), |tree| {
            Ok(image::verify::tree(tree)?)
        })?;
    let ticket = take_references(shared, &image)?;
    write_image(shared, name, image, ticket, Write::InPlace)
}

/// In what the copy differs from what is still known of the image: everything but its tree, and of that the objects and the
/// numbers of inodes. Of an image that was damaged already when the server started nothing is known but its name, which
/// belongs to one image alone.
pub(super) fn difference(entry: &ImageEntry, image: &Image) -> Option<&'static str> {
    if entry.is_unknown() {
        return None;
    }
    let metadata = Image {
        file_system: None,
        expires_at: entry.expires_at(),
        ..image.clone()
    };
    if metadata != entry.whole_metadata() {
        return Some("metadata");
    }
    let Some(tree) = &image.file_system else {
        return Some("no tree");
    };
    if InodeCounts::of(tree) != entry.inodes {
        return Some("numbers of inodes");
    }
    let theirs: Vec<Hash> = image::objects::references(image).map(|(hash, _)| hash).collect();
    // Of one that misses objects only the others are known.
    let is_known = |hash: &Hash| !entry.missing_objects().contains(hash);
    let ours = entry.objects.iter().map(|object| object.hash);
    (!ours.filter(is_known).eq(theirs.into_iter().filter(is_known))).then_some("objects")
}
