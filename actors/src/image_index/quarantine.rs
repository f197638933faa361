//! Ways out of quarantine.

use super::actor::ImageIndexActor;
use super::entry::{EntryState, ImageEntry};
use super::load::{Loaded, load_one};
use super::{IndexError, IndexEvent};
use crate::handle::{Envelope, Request};
use actix::{Context, Handler};
use std::sync::Arc;

pub(crate) struct Reload {
    pub(super) name: Arc<str>,
}

pub(crate) struct Discard {
    pub(super) name: Arc<str>,
}

impl Request for Reload {
    type Reply = Result<(), IndexError>;
}

impl Request for Discard {
    type Reply = Result<(), IndexError>;
}

impl ImageIndexActor {
    fn quarantined(&self, name: &Arc<str>) -> Result<Arc<ImageEntry>, IndexError> {
        let snapshot = self.shared.snapshot.load();
        let entry = snapshot.images.get(name).ok_or(IndexError::DoesNotExist)?;
        if entry.state == EntryState::Present {
            return Err(IndexError::NotQuarantined(name.to_string()));
        }
        if self.being_modified.contains(name) {
            return Err(IndexError::BeingModified);
        }
        Ok(entry.clone())
    }
}

impl Handler<Envelope<Reload>> for ImageIndexActor {
    type Result = ();

    fn handle(&mut self, envelope: Envelope<Reload>, context: &mut Context<Self>) {
        let (Reload { name }, reply) = envelope.open();
        let entry = match self.quarantined(&name) {
            Ok(entry) => entry,
            Err(error) => {
                let _ = reply.send(Err(error));
                return;
            }
        };
        self.being_modified.insert(name.clone());
        let stamp = entry.stamp;
        let on_disk = name.clone();
        self.run(
            context,
            move |shared| Ok(load_one(shared, &on_disk, stamp)),
            move |actor, context, loaded| {
                actor.being_modified.remove(&name);
                let result = loaded.map(|loaded| match loaded {
                    Loaded::Entry(entry, ticket) => {
                        let (expires_at, usable) = (entry.expires_at(), entry.state == EntryState::Present);
                        actor.shared.settle_image(*entry, ticket);
                        actor.arm_expiry(context, expires_at, name.clone());
                        if usable {
                            actor.shared.tell(IndexEvent::AddImage(name));
                        }
                    }
                    Loaded::Lost => actor.shared.publish_image(entry.lost()),
                    Loaded::Expired | Loaded::Deleted => actor.shared.unpublish_image(&name),
                });
                let _ = reply.send(result);
            },
        );
    }
}

impl Handler<Envelope<Discard>> for ImageIndexActor {
    type Result = ();

    fn handle(&mut self, envelope: Envelope<Discard>, context: &mut Context<Self>) {
        let (Discard { name }, reply) = envelope.open();
        if let Err(error) = self.quarantined(&name) {
            let _ = reply.send(Err(error));
            return;
        }
        self.being_modified.insert(name.clone());
        let on_disk = name.clone();
        self.run(
            context,
            move |shared| Ok(shared.directory.remove(&on_disk)?),
            move |actor, _, removed| {
                actor.being_modified.remove(&name);
                let _ = reply.send(removed.map(|()| actor.shared.unpublish_image(&name)));
            },
        );
    }
}
