//! The actor: the one who changes the snapshot, and keeps two changes of one name apart.
//!
//! Restart policy: requests in flight are answered `Restarted`; work that was on the pool runs to its end on disk. The
//! next incarnation waits for that, brings snapshot and directory into agreement ([`reconcile`](super::reconcile)), and
//! only then takes messages: a write whose completion was lost is either visible or gone.

use super::expiries::Expiries;
use super::reconcile::Reconciled;
use super::{IndexError, Shared};
use crate::handle::{Envelope, Request};
use crate::pool::PoolError;
use crate::supervise::{Birth, Guard};
use actix::{Actor, ActorFutureExt, AsyncContext, Context, Handler, SpawnHandle, WrapFuture};
use std::collections::HashSet;
use std::sync::Arc;
use storage::StorageError;
use tokio::sync::oneshot;

pub(crate) const NAME: &str = "ImageIndex";

pub(crate) struct ImageIndexActor {
    pub(super) shared: Arc<Shared>,
    /// Names reserved by adds that are not published yet.
    pub(super) being_written: HashSet<Arc<str>>,
    /// Images being deleted, expired or rewritten.
    pub(super) being_modified: HashSet<Arc<str>>,
    /// When which name expires, those deleted before included (`imageserver.md §2.3`).
    pub(super) expiries: Expiries,
    pub(super) expiry_timer: Option<SpawnHandle>,
    birth: Birth,
    _guard: Guard,
}

/// Panic on purpose.
pub(crate) struct DebugPanic;

impl Request for DebugPanic {
    type Reply = ();
}

/// What an answer goes to.
pub(super) type Reply<T> = oneshot::Sender<Result<T, IndexError>>;

impl ImageIndexActor {
    pub(crate) fn new(shared: Arc<Shared>, guard: Guard, birth: Birth) -> Self {
        ImageIndexActor {
            shared,
            being_written: HashSet::new(),
            being_modified: HashSet::new(),
            expiries: Expiries::default(),
            expiry_timer: None,
            birth,
            _guard: guard,
        }
    }

    /// Runs `work` on the pool, then `finish` on the actor with its result. A panic in `work` may have left the disk
    /// ahead of the snapshot, so they are reconciled before anything else.
    pub(super) fn run<T: Send + 'static>(
        &mut self,
        context: &mut Context<Self>,
        work: impl FnOnce(&Shared) -> Result<T, IndexError> + Send + 'static,
        finish: impl FnOnce(&mut Self, &mut Context<Self>, Result<T, IndexError>) + 'static,
    ) {
        context.spawn(self.job(work).into_actor(self).map(|result, actor, context| {
            actor.finish_job(context, result, finish);
        }));
    }

    /// As [`run`](Self::run); no other message is taken and no other job finished meanwhile.
    pub(super) fn run_alone<T: Send + 'static>(
        &mut self,
        context: &mut Context<Self>,
        work: impl FnOnce(&Shared) -> Result<T, IndexError> + Send + 'static,
        finish: impl FnOnce(&mut Self, &mut Context<Self>, Result<T, IndexError>) + 'static,
    ) {
        context.wait(self.job(work).into_actor(self).map(|result, actor, context| {
            actor.finish_job(context, result, finish);
        }));
    }

    fn job<T, W>(&self, work: W) -> impl Future<Output = Result<Result<T, IndexError>, PoolError>> + use<T, W>
    where
        T: Send + 'static,
        W: FnOnce(&Shared) -> Result<T, IndexError> + Send + 'static,
    {
        let shared = self.shared.clone();
        let job = shared.jobs.begin();
        // A task of its own: reconciling waits for all jobs, and nothing of the actor's is polled while it does.
        let running = tokio::spawn(async move {
            let pool_shared = shared.clone();
            shared
                .pool
                .run(move || {
                    let result = work(&pool_shared);
                    drop(job);
                    result
                })
                .await
        });
        async move {
            running
                .await
                .unwrap_or_else(|error| Err(PoolError::Panicked(error.to_string())))
        }
    }

    fn finish_job<T>(
        &mut self,
        context: &mut Context<Self>,
        result: Result<Result<T, IndexError>, PoolError>,
        finish: impl FnOnce(&mut Self, &mut Context<Self>, Result<T, IndexError>),
    ) {
        match result {
            Ok(result) => finish(self, context, result),
            Err(panic) => {
                tracing::error!("{NAME}: {panic}");
                *self.shared.last_job_error.lock() = Some(panic.to_string());
                finish(self, context, Err(panic.into()));
                self.reconcile(context);
            }
        }
    }

    /// After a write that the disk failed: what it was to replace may have been replaced and not flushed. The disk is the
    /// truth, so it is looked at before anything else.
    pub(super) fn reconcile_after<T>(&mut self, context: &mut Context<Self>, result: &Result<T, IndexError>) {
        if matches!(result, Err(IndexError::Storage(StorageError::Io { .. }))) {
            self.reconcile(context);
        }
    }

    /// Waits for jobs that are still running, compares the directory with the snapshot, and publishes the differences.
    pub(super) fn reconcile(&mut self, context: &mut Context<Self>) {
        let shared = self.shared.clone();
        let found = async move {
            shared.jobs.all_ended().await;
            let pool_shared = shared.clone();
            shared.pool.run(move || Reconciled::find(&pool_shared)).await
        };
        context.wait(found.into_actor(self).map(|found, actor, context| {
            match found {
                Ok(Ok(found)) => found.apply(&actor.shared),
                Ok(Err(error)) => tracing::error!("comparing image directory and index: {error}"),
                Err(error) => tracing::error!("comparing image directory and index: {error}"),
            }
            actor.arm_all_expiries(context);
        }));
    }
}

impl Actor for ImageIndexActor {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Context<Self>) {
        context.run_interval(self.shared.look_at_damage, |actor, context| {
            actor.look_at_damage(context)
        });
        match self.birth {
            Birth::First => self.arm_all_expiries(context),
            Birth::Again => self.reconcile(context),
        }
    }
}

impl Handler<Envelope<DebugPanic>> for ImageIndexActor {
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
