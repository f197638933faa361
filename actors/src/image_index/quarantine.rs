//! Ways into quarantine and out of it.
//!
//! A quarantined image comes back by itself: when somebody asks for it, and every few seconds
//! ([`Config::look_at_damage`](crate::Config)), it is looked whether its file was replaced or the objects it misses were
//! added. That costs one `stat`; only what has changed is read. An image whose file turns out to be damaged when it is
//! asked for goes into quarantine in the same way.

use super::actor::{ImageIndexActor, Reply};
use super::entry::{EntryState, FILE_IS_GONE, ImageEntry};
use super::load::{Loaded, load_one};
use super::{IndexError, IndexEvent, Shared};
use crate::handle::{Envelope, Request};
use actix::{Context, Handler};
use std::sync::Arc;

/// Images looked at by one job.
const LOOKED_AT_ONCE: usize = 256;

pub(crate) struct Reload {
    pub(super) name: Arc<str>,
}

/// Reads an image again if that promises anything new. True if it did.
pub(crate) struct Look {
    pub(super) name: Arc<str>,
}

pub(crate) struct Discard {
    pub(super) name: Arc<str>,
}

impl Request for Reload {
    type Reply = Result<(), IndexError>;
}

impl Request for Look {
    type Reply = bool;
}

impl Request for Discard {
    type Reply = Result<(), IndexError>;
}

impl ImageIndexActor {
    pub(super) fn quarantined(&self, name: &Arc<str>) -> Result<Arc<ImageEntry>, IndexError> {
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

    /// Reads an image again, if `is_worth_it`, and publishes what it came to.
    fn read_again(
        &mut self,
        context: &mut Context<Self>,
        entry: Arc<ImageEntry>,
        is_worth_it: fn(&Shared, &ImageEntry) -> bool,
        done: impl FnOnce(Result<bool, IndexError>) + 'static,
    ) {
        let name = entry.name.clone();
        self.being_modified.insert(name.clone());
        let looked_at = entry.clone();
        self.run(
            context,
            move |shared| {
                let is_worth_it = is_worth_it(shared, &looked_at);
                Ok(is_worth_it.then(|| load_one(shared, &looked_at.name, looked_at.stamp)))
            },
            move |actor, context, loaded| {
                actor.being_modified.remove(&name);
                done(loaded.map(|loaded| match loaded {
                    Some(loaded) => {
                        actor.publish_read_again(context, &entry, loaded);
                        true
                    }
                    None => false,
                }));
            },
        );
    }

    fn publish_read_again(&mut self, context: &mut Context<Self>, known: &ImageEntry, loaded: Loaded) {
        let name = known.name.clone();
        let now = self.shared.clock.now();
        match loaded {
            // Nothing can be read of it any more: what was known of it stays, its references above all.
            Loaded::Entry(entry, _) if entry.is_unknown() && !known.checksum.is_zero() => {
                self.shared.publish_image(known.damaged(&entry, now));
            }
            Loaded::Entry(mut entry, ticket) => {
                let (expires_at, usable) = (entry.expires_at(), entry.state == EntryState::Present);
                entry.keep_since(known);
                self.shared.settle_image(*entry, ticket);
                self.arm_expiry(context, expires_at, name.clone());
                if usable {
                    tracing::info!("image {name}: is in order again");
                    self.shared.tell(IndexEvent::AddImage(name));
                }
            }
            Loaded::Lost => self.shared.publish_image(known.lost(FILE_IS_GONE, now)),
            // Nobody has asked for that here: an absence that comes of damage is never announced.
            Loaded::Deleted => self.shared.publish_image(known.lost("its file is empty", now)),
            Loaded::Expired => self.shared.unpublish_image(&name),
        }
    }

    /// Takes up what was repaired.
    pub(super) fn look_at_damage(&mut self, context: &mut Context<Self>) {
        let snapshot = self.shared.snapshot.load_full();
        let quarantined: Vec<_> = snapshot
            .quarantined
            .values()
            .filter(|entry| !self.being_modified.contains(&entry.name))
            .cloned()
            .collect();
        for entries in quarantined.chunks(LOOKED_AT_ONCE) {
            let entries = entries.to_vec();
            self.run(
                context,
                move |shared| {
                    Ok(entries
                        .into_iter()
                        .filter(|entry| has_changed(shared, entry))
                        .collect())
                },
                |actor, context, changed: Result<Vec<Arc<ImageEntry>>, IndexError>| {
                    for entry in changed.unwrap_or_default() {
                        if let Ok(entry) = actor.quarantined(&entry.name) {
                            actor.read_again(context, entry, has_changed, drop);
                        }
                    }
                },
            );
        }
    }
}

/// Whether reading a quarantined image again may come to something else. Blocks, shortly.
fn has_changed(shared: &Shared, entry: &ImageEntry) -> bool {
    let table = &shared.objects.table;
    let missing = entry.missing_objects();
    // Also if others are still missing: what is there again must be referred to, or it is collected.
    if missing.iter().any(|hash| table.known_id(hash).is_some()) {
        return true;
    }
    match shared.directory.stamp(&entry.name) {
        // An empty file repairs nothing.
        Ok(Some(stamp)) => stamp.size > 0 && stamp != entry.stamp,
        Ok(None) | Err(_) => false,
    }
}

impl Handler<Envelope<Reload>> for ImageIndexActor {
    type Result = ();

    fn handle(&mut self, envelope: Envelope<Reload>, context: &mut Context<Self>) {
        let (Reload { name }, reply) = envelope.open();
        match self.quarantined(&name) {
            Ok(entry) => self.read_again(
                context,
                entry,
                |_, _| true,
                |result| answer(reply, result.map(drop)),
            ),
            Err(error) => answer(reply, Err(error)),
        }
    }
}

fn answer(reply: Reply<()>, result: Result<(), IndexError>) {
    // Who asked may have gone.
    let _ = reply.send(result);
}

impl Handler<Envelope<Look>> for ImageIndexActor {
    type Result = ();

    fn handle(&mut self, envelope: Envelope<Look>, context: &mut Context<Self>) {
        let (Look { name }, reply) = envelope.open();
        let entry = self.shared.snapshot.load().images.get(&name).cloned();
        let Some(entry) = entry.filter(|_| !self.being_modified.contains(&name)) else {
            let _ = reply.send(false);
            return;
        };
        // One that counts as sound was found damaged by who asks.
        let is_worth_it = match entry.state {
            EntryState::Present => |_: &Shared, _: &ImageEntry| true,
            EntryState::Quarantined(_) => has_changed,
        };
        self.read_again(context, entry, is_worth_it, |result| {
            let _ = reply.send(result.unwrap_or(false));
        });
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
