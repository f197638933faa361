//! Images that end by themselves (`imageserver.md §2.3`): no tombstone, no event, every server by its own clock.

use super::actor::ImageIndexActor;
use super::expiries::Expiries;
use super::{IndexError, Shared};
use crate::handle::{Envelope, Request};
use actix::{AsyncContext, Context, Handler};
use gob::Time;
use std::sync::Arc;
use std::time::Duration;

/// Pause before an expiry that failed on disk is tried again.
const RETRY: Duration = Duration::from_secs(60);

/// Ends what is due, without waiting for the timer. True while something is still due or on its way out.
pub(crate) struct LookAtClock;

impl Request for LookAtClock {
    type Reply = bool;
}

impl Handler<Envelope<LookAtClock>> for ImageIndexActor {
    type Result = ();

    fn handle(&mut self, envelope: Envelope<LookAtClock>, context: &mut Context<Self>) {
        self.expire_due(context);
        self.arm_timer(context);
        let now = self.shared.clock.now();
        let is_due = self.expiries.first().is_some_and(|at| at <= now);
        let _ = envelope.open().1.send(is_due || !self.being_modified.is_empty());
    }
}

impl ImageIndexActor {
    /// Notes when an image expires, if it does. Times noted before stay: what they are worth is seen when they come.
    pub(super) fn arm_expiry(&mut self, context: &mut Context<Self>, at: Time, name: Arc<str>) {
        if at.is_zero() {
            return;
        }
        self.expiries.insert(at, name);
        self.arm_timer(context);
    }

    /// All of the snapshot.
    pub(super) fn arm_all_expiries(&mut self, context: &mut Context<Self>) {
        let snapshot = self.shared.snapshot.load();
        let expiring = snapshot
            .images
            .values()
            .filter(|entry| !entry.expires_at().is_zero());
        self.expiries = Expiries::default();
        for entry in expiring {
            self.expiries.insert(entry.expires_at(), entry.name.clone());
        }
        self.arm_timer(context);
    }

    /// One timer stands for the earliest expiry. It sleeps by the monotonic clock, which does not count the time the machine
    /// is suspended, and the wall clock may be set meanwhile: so it never sleeps for long.
    fn arm_timer(&mut self, context: &mut Context<Self>) {
        if let Some(timer) = self.expiry_timer.take() {
            context.cancel_future(timer);
        }
        let Some(earliest) = self.expiries.first() else {
            return;
        };
        let longest = self.shared.look_at_clock;
        let until = match earliest.to_system_time() {
            Some(time) => time
                .duration_since(self.shared.clock.system_time())
                .unwrap_or_default(),
            // Beyond what the system's clock can show, or before it began.
            None if earliest > self.shared.clock.now() => longest,
            None => Duration::ZERO,
        };
        let timer = context.run_later(until.min(longest), |actor, context| {
            actor.expiry_timer = None;
            actor.expire_due(context);
            actor.arm_timer(context);
        });
        self.expiry_timer = Some(timer);
    }

    fn expire_due(&mut self, context: &mut Context<Self>) {
        let now = self.shared.clock.now();
        while let Some(name) = self.expiries.pop_due(now) {
            if self.being_modified.contains(&name) || self.being_written.contains(&name) {
                self.expiries.insert(later(now), name);
                continue;
            }
            let expires_at = self
                .shared
                .snapshot
                .load()
                .images
                .get(&name)
                .map(|entry| entry.expires_at());
            match expires_at {
                // Deleted before: its tombstone goes. Alone, since the name may be given anew at any moment.
                None => {
                    self.end_tombstone(context, name);
                    return;
                }
                Some(at) if at.is_zero() => {}
                Some(at) if at <= now => {
                    tracing::info!("Auto expiring (deleting) image: {name}");
                    self.end_image(context, name);
                }
                // Extended meanwhile.
                Some(at) => {
                    self.expiries.insert(at, name);
                }
            }
        }
    }

    /// The entry keeps the name taken until its file is gone.
    fn end_image(&mut self, context: &mut Context<Self>, name: Arc<str>) {
        self.being_modified.insert(name.clone());
        let on_disk = name.clone();
        self.run(
            context,
            move |shared| Ok(shared.directory.remove(&on_disk)?),
            move |actor, context, removed| {
                actor.being_modified.remove(&name);
                match removed {
                    Ok(()) => actor.shared.unpublish_image(&name),
                    Err(error) => {
                        tracing::error!("expiring image {name}: {error}");
                        actor.arm_expiry(context, later(actor.shared.clock.now()), name);
                    }
                }
            },
        );
    }

    fn end_tombstone(&mut self, context: &mut Context<Self>, name: Arc<str>) {
        let on_disk = name.clone();
        self.run_alone(
            context,
            move |shared| remove_tombstone(shared, &on_disk),
            move |actor, context, removed| {
                if let Err(error) = removed {
                    tracing::error!("removing the tombstone of expired image {name}: {error}");
                    actor.arm_expiry(context, later(actor.shared.clock.now()), name);
                }
            },
        );
    }
}

fn remove_tombstone(shared: &Shared, name: &str) -> Result<(), IndexError> {
    if shared.directory.length(name)? == Some(0) {
        shared.directory.remove(name)?;
    }
    Ok(())
}

fn later(now: Time) -> Time {
    Time::new(
        now.unix_seconds() + RETRY.as_secs().cast_signed(),
        now.nanoseconds(),
        now.zone(),
    )
}
