//! What does the work of a job.

use super::JobFailure;
use super::progress::{JobProgress, Progress};
use super::shared::Shared;
use futures_util::future::BoxFuture;
use repository::Uuid;
use repository::job::Job;
use repository::json::Object;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// The work of one kind of job. One value serves all jobs of its kind.
pub trait JobBody: Send + Sync + 'static {
    /// Does the work, in [steps](JobRun::step). It runs on a runtime: what blocks goes to a thread of its own. It is dropped
    /// at its next pause when somebody cancels the job or its time is up, so what it leaves half done must be removed by what
    /// it owns. A panic fails this job and no other.
    fn run(&self, run: JobRun) -> BoxFuture<'static, Result<(), JobFailure>>;

    /// Whether a job that the end of the process cut off is run again from its beginning. Then steps that were done must
    /// see that they are. Otherwise it has failed.
    fn is_run_again(&self) -> bool {
        true
    }
}

/// A job under way, in the hands of its body.
#[derive(Clone)]
pub struct JobRun {
    pub(super) job: Arc<Job>,
    pub(super) shared: Arc<Shared>,
    pub(super) progress: Arc<Progress>,
    pub(super) cancelled: watch::Receiver<bool>,
    pub(super) is_again: bool,
}

impl JobRun {
    /// Its name.
    pub fn uuid(&self) -> Uuid {
        self.job.uuid
    }

    /// The image it is about.
    pub fn image(&self) -> Uuid {
        self.job.image
    }

    /// What it was told.
    pub fn parameters(&self) -> &Object {
        &self.job.parameters
    }

    /// Whether an earlier run of this job was cut off by the end of the process.
    pub fn is_again(&self) -> bool {
        self.is_again
    }

    /// Bytes that are done of those that are to be done, for who looks. Cheap.
    pub fn progress(&self, done_bytes: u64, total_bytes: Option<u64>) {
        self.progress.set(done_bytes, total_bytes);
    }

    /// Whether somebody cancelled it: for work on other threads, which is not dropped with the body.
    pub fn is_cancelled(&self) -> bool {
        *self.cancelled.borrow()
    }

    /// Does a step, tries it once more if it fails, and records what came of it, durably: `work` gives a value and a
    /// sentence for people. It has the time that its [kind](repository::job::JobKind::steps) gives to a step of this name.
    ///
    /// # Errors
    /// It failed twice, or its time is up; the failure is recorded, and the body should clean up and return it.
    pub async fn step<T, W, F>(&self, name: &str, mut work: W) -> Result<T, JobFailure>
    where
        W: FnMut() -> F,
        F: Future<Output = Result<(T, String), JobFailure>>,
    {
        let steps = self.job.kind.steps().iter();
        let seconds = steps
            .filter(|step| step.name == name)
            .map(|step| step.seconds)
            .next();
        let limit = Duration::from_secs(seconds.unwrap_or(self.job.kind.total_seconds()));
        self.progress.begin(name);
        let started = self.shared.now();
        let mut once = async || match tokio::time::timeout(limit, work()).await {
            Ok(outcome) => outcome,
            Err(_) => Err(JobFailure::new(format!(
                "step {name} took more than {} s",
                limit.as_secs()
            ))),
        };
        let mut outcome = once().await;
        if let Err(failure) = &outcome
            && !failure.is_final
        {
            tracing::warn!("job {}: {name}: {failure}; trying once more", self.job.uuid);
            outcome = once().await;
        }
        let (value, sentence) = match outcome {
            Ok((value, sentence)) => (Ok(value), Ok(sentence)),
            Err(failure) => (Err(failure.clone()), Err(failure)),
        };
        self.shared
            .clone()
            .step_ended(self.job.uuid, name, started, sentence)
            .await?;
        value
    }

    /// What a look at it shows.
    pub fn state(&self) -> JobProgress {
        self.progress.state()
    }
}
