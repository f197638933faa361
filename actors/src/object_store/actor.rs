//! The actor: decides what the disk writer does next.
//!
//! Restart policy: commits that wait are answered `Restarted`, the group being flushed is answered as if nothing had
//! happened; deletions under way end where they are. The table and the bytes are not the actor's, so they stay; the
//! reference counts are rebuilt from the image index's snapshot and the open tickets.

use super::collect::bytes_to_delete;
use super::commit::{self, Commit, Waiting, next_group};
use super::delete::{DeleteUnreferenced, Deletion, Origin};
use super::{ObjectError, ObjectId, Shared};
use crate::handle::{Envelope, Request};
use crate::supervise::{Birth, Guard};
use actix::{Actor, ActorFutureExt, AsyncContext, Context, Handler, WrapFuture};
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

pub(crate) const NAME: &str = "ObjectStore";

/// Pause before the collector's first run, and between runs (`imageserver.md §6.8`).
const COLLECTOR_FIRST: Duration = Duration::from_secs(5);
const COLLECTOR_PERIOD: Duration = Duration::from_secs(1);

/// Deletions waiting for each other at most; further ones are refused.
const DELETIONS: usize = 16;

/// Where the lists of all published images come from, each with how many times it counts.
pub(crate) type PublishedObjects = Arc<dyn Fn() -> Vec<(Arc<[ObjectId]>, u64)> + Send + Sync>;

pub(crate) struct ObjectStoreActor {
    shared: Arc<Shared>,
    published: PublishedObjects,
    birth: Birth,
    waiting: VecDeque<Waiting>,
    deletions: VecDeque<Deletion>,
    writer_busy: bool,
    /// Deletions and commits take turns when there are both.
    deletion_is_next: bool,
    collecting: bool,
    last_collector_error: String,
    _guard: Guard,
}

/// Panic on purpose.
pub(crate) struct DebugPanic;

impl Request for DebugPanic {
    type Reply = ();
}

impl ObjectStoreActor {
    pub(crate) fn new(shared: Arc<Shared>, published: PublishedObjects, guard: Guard, birth: Birth) -> Self {
        ObjectStoreActor {
            shared,
            published,
            birth,
            waiting: VecDeque::new(),
            deletions: VecDeque::new(),
            writer_busy: false,
            deletion_is_next: false,
            collecting: false,
            last_collector_error: String::new(),
            _guard: guard,
        }
    }

    /// Gives the writer its next work, if it has none.
    fn next(&mut self, context: &mut Context<Self>) {
        if self.writer_busy {
            return;
        }
        let delete = !self.deletions.is_empty() && (self.deletion_is_next || self.waiting.is_empty());
        if delete {
            self.delete_slice(context);
        } else if !self.waiting.is_empty() {
            self.commit_group(context);
        }
    }

    fn commit_group(&mut self, context: &mut Context<Self>) {
        let group = next_group(&mut self.waiting);
        self.writer_busy = true;
        self.deletion_is_next = true;
        let shared = self.shared.clone();
        let work = async move {
            let writing = Writing::begin(shared.clone());
            let _ = shared
                .writer
                .run(move || {
                    commit::run(&writing.0, group);
                    drop(writing);
                })
                .await
                .inspect_err(|error| tracing::error!("committing objects: {error}"));
        };
        let done = work.into_actor(self).map(|(), actor, context| {
            actor.writer_busy = false;
            actor.next(context);
        });
        context.spawn(done);
    }

    fn delete_slice(&mut self, context: &mut Context<Self>) {
        let Some(mut deletion) = self.deletions.pop_front() else {
            return;
        };
        self.writer_busy = true;
        self.deletion_is_next = false;
        let shared = self.shared.clone();
        let work = async move {
            let writing = Writing::begin(shared.clone());
            shared
                .writer
                .run(move || {
                    let end = deletion.run_slice(&writing.0);
                    (deletion, end)
                })
                .await
        };
        let done = work.into_actor(self).map(|result, actor, context| {
            actor.writer_busy = false;
            match result {
                Ok((deletion, None)) => actor.deletions.push_front(deletion),
                Ok((deletion, Some(end))) => actor.deletion_ended(deletion, end),
                Err(error) => {
                    tracing::error!("deleting objects: {error}");
                    actor.collecting = false;
                }
            }
            actor.next(context);
        });
        context.spawn(done);
    }

    fn deletion_ended(&mut self, deletion: Deletion, end: Result<(), ObjectError>) {
        let (objects, bytes) = (deletion.deleted_objects, human::bytes(deletion.deleted_bytes));
        match deletion.origin {
            Origin::Caller(reply) => {
                tracing::info!("Deleted {objects} unreferenced objects, {bytes}");
                let _ = reply.send(end);
            }
            Origin::Collector => {
                self.collecting = false;
                match end {
                    Ok(()) => tracing::info!("Garbage collector deleted: {objects} objects, {bytes}"),
                    Err(error) => {
                        let wanted = human::bytes(deletion.wanted_bytes);
                        let text =
                            format!("Error collecting garbage, only deleted: {bytes} of {wanted}: {error}");
                        // It comes back every second until somebody makes room.
                        if text != self.last_collector_error {
                            tracing::warn!("{text}");
                            self.last_collector_error = text;
                        }
                    }
                }
            }
        }
    }

    /// Looks at the room of the file system and collects if there is too little.
    fn collect(&mut self, context: &mut Context<Self>) {
        if self.collecting {
            return;
        }
        self.collecting = true;
        let shared = self.shared.clone();
        let work = async move {
            let backend = shared.backend.clone();
            shared.read_pool.run(move || backend.space()).await
        };
        let done = work.into_actor(self).map(|space, actor, context| {
            actor.collecting = false;
            let space = match space {
                Ok(Ok(space)) => space,
                Ok(Err(error)) => return tracing::warn!("Error collecting garbage: {error}"),
                Err(error) => return tracing::error!("Error collecting garbage: {error}"),
            };
            *actor.shared.space.lock() = space;
            super::statistics::publish(&actor.shared);
            let unreferenced = actor.shared.table.totals.unreferenced_bytes();
            let bytes = bytes_to_delete(&actor.shared.collector, &space, unreferenced);
            if bytes > 0 {
                actor.collecting = true;
                actor
                    .deletions
                    .push_back(Deletion::new(0, bytes, Origin::Collector));
                actor.next(context);
            }
        });
        context.spawn(done);
    }
}

impl Actor for ObjectStoreActor {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Context<Self>) {
        if self.birth == Birth::Again {
            // No message is taken until the counts are right again.
            let (shared, published) = (self.shared.clone(), self.published.clone());
            let rebuild = async move {
                let ledger = shared.ledger.clone();
                let rebuilt = shared.read_pool.run(move || ledger.rebuild(|| published())).await;
                if let Err(error) = rebuilt {
                    tracing::error!("rebuilding reference counts: {error}");
                }
            };
            context.wait(rebuild.into_actor(self));
        }
        context.run_later(COLLECTOR_FIRST, |actor, context| {
            actor.collect(context);
            context.run_interval(COLLECTOR_PERIOD, |actor, context| actor.collect(context));
        });
    }
}

impl Handler<Envelope<Commit>> for ObjectStoreActor {
    type Result = ();

    fn handle(&mut self, envelope: Envelope<Commit>, context: &mut Context<Self>) {
        let (commit, reply) = envelope.open();
        self.waiting.push_back(Waiting { commit, reply });
        self.next(context);
    }
}

impl Handler<Envelope<DeleteUnreferenced>> for ObjectStoreActor {
    type Result = ();

    fn handle(&mut self, envelope: Envelope<DeleteUnreferenced>, context: &mut Context<Self>) {
        let (request, reply) = envelope.open();
        if self.deletions.len() >= DELETIONS {
            let _ = reply.send(Err(crate::CallError::Busy { actor: NAME }.into()));
            return;
        }
        self.deletions.push_back(Deletion::new(
            request.percentage,
            request.bytes,
            Origin::Caller(reply),
        ));
        self.next(context);
    }
}

impl Handler<Envelope<DebugPanic>> for ObjectStoreActor {
    type Result = ();

    // The panic is the purpose of the message; it is off unless the configuration turns it on.
    #[allow(clippy::panic)]
    fn handle(&mut self, envelope: Envelope<DebugPanic>, _: &mut Context<Self>) {
        if self.shared.allow_debug_panic {
            panic!("debug panic of {NAME}");
        }
        let _ = envelope.open().1.send(());
    }
}

/// Counts a job in the writer's hands, for stopping in an orderly way.
struct Writing(Arc<Shared>);

impl Writing {
    fn begin(shared: Arc<Shared>) -> Writing {
        shared.writing.fetch_add(1, Ordering::AcqRel);
        Writing(shared)
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        self.0.writing.fetch_sub(1, Ordering::AcqRel);
    }
}
