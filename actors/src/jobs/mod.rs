//! Jobs of the image repository: imports, copies, builds that take longer than a request (imgapi.md §15).
//!
//! `run/jobs/UUID.json` below the base directory, in the form that clients poll, is the truth; the table in memory is read from there at the start.
//! A job waits for its turn, its body does the work in steps, and each step's outcome is on the disk before the next begins.
//!
//! Promises: who was told a job's name finds it under that name until it is one of the oldest finished ones and room is needed; a job that the end of
//! the process cut off is run again if its body can, at most [`MAXIMUM_STARTS`] times, or has failed and says so; a panic in a body fails its job only.
//! Lacks on purpose: knowledge of what jobs do ([`JobBody`]).

mod actor;
mod body;
mod disk;
mod error;
mod progress;
mod run;
mod shared;
mod state;
mod table;

pub(crate) use actor::{JobsActor, NAME};
pub use body::{JobBody, JobRun};
pub use error::{JobFailure, JobsError};
pub use progress::JobProgress;
pub(crate) use shared::Shared;
pub use table::JobTable;

use crate::handle::{CallError, Handle, Health};
use repository::Uuid;
use repository::job::{Job, JobKind};
use repository::json::Object;
use std::sync::Arc;

/// Jobs at work at once, at most: each may fill a link and a disk.
pub const MAXIMUM_RUNNING_JOBS: usize = 4;

/// Jobs that wait for their turn, at most.
pub const MAXIMUM_QUEUED_JOBS: usize = 1000;

/// Jobs that are over and still known, at most.
pub const MAXIMUM_FINISHED_JOBS: usize = 10_000;

/// How often a job is begun, at most: one that ends the process each time must not do so for ever.
pub const MAXIMUM_STARTS: u64 = 3;

/// The handle of the jobs. Clones are cheap.
#[derive(Clone)]
pub struct Jobs {
    pub(crate) shared: Arc<Shared>,
    pub(crate) actor: Handle<JobsActor>,
}

impl Jobs {
    /// Who does the work, by kind. Jobs are not begun before this is said; those of a kind that is not named fail.
    ///
    /// # Errors
    /// The actor cannot be asked.
    pub async fn begin(&self, bodies: Vec<(JobKind, Arc<dyn JobBody>)>) -> Result<(), CallError> {
        self.actor.call(actor::Begin(bodies)).await
    }

    /// Takes a job: when this returns, it is on the disk and will be done.
    ///
    /// # Errors
    /// Too many are waiting, one that does the same is not over yet, or it cannot be kept.
    pub async fn submit(
        &self,
        kind: JobKind,
        image: Uuid,
        parameters: Object,
    ) -> Result<Arc<Job>, JobsError> {
        self.actor
            .call(actor::Submit {
                kind,
                image,
                parameters,
            })
            .await?
    }

    /// Stops a job, or takes it out of the queue; one that is over stays what it is. The job as it is then: a body may
    /// need a moment to end.
    ///
    /// # Errors
    /// There is none.
    pub async fn cancel(&self, uuid: Uuid) -> Result<Arc<Job>, JobsError> {
        self.actor.call(actor::Cancel(uuid)).await?
    }

    /// A job by its name.
    pub fn job(&self, uuid: Uuid) -> Option<Arc<Job>> {
        self.list().get(uuid).cloned()
    }

    /// All jobs.
    pub fn list(&self) -> Arc<JobTable> {
        self.shared.table.load_full()
    }

    /// How far a job at work is; nothing for others.
    pub fn progress(&self, uuid: Uuid) -> Option<JobProgress> {
        self.shared.progress(uuid)
    }

    /// Waits until a job is over; for how long is the caller's business.
    ///
    /// # Errors
    /// There is none, or not any more.
    pub async fn wait(&self, uuid: Uuid) -> Result<Arc<Job>, JobsError> {
        let mut changes = self.shared.changes.subscribe();
        loop {
            changes.borrow_and_update();
            let job = self.job(uuid).ok_or(JobsError::Unknown(uuid))?;
            if job.execution.is_over() {
                return Ok(job);
            }
            // The sender lives in what we hold.
            let _ = changes.changed().await;
        }
    }

    /// How the actor is.
    pub fn health(&self) -> Health {
        let mut health = self.actor.health();
        health.trouble = self.shared.trouble();
        health.last_error = health.trouble.clone().or(health.last_error);
        health
    }

    /// Makes the actor panic, if the configuration allows it: for tests of supervision.
    pub async fn debug_panic(&self) -> Result<(), CallError> {
        self.actor.call(actor::DebugPanic).await
    }
}
