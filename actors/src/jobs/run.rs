//! Beginning and ending jobs.

use super::body::{JobBody, JobRun};
use super::progress::Progress;
use super::shared::{Shared, result};
use super::state::Running;
use super::{JobFailure, JobsError, MAXIMUM_RUNNING_JOBS};
use crate::pool::text_of;
use futures_util::FutureExt;
use repository::Uuid;
use repository::job::{Execution, Job, JobKind};
use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// How a body ended.
enum Outcome {
    Done,
    Failed(JobFailure),
    Canceled,
}

/// Begins jobs whenever there is room, for ever.
pub(super) async fn keep_beginning(shared: Arc<Shared>) {
    loop {
        while let Some(uuid) = shared.next() {
            let begun = shared
                .change(move |shared| shared.mark_running(uuid))
                .await
                .ok()
                .flatten();
            let Some((job, is_again)) = begun else { continue };
            begin(&shared, job, is_again);
        }
        shared.wake.notified().await;
    }
}

/// Without a pause between the entry and the task: an actor that dies before it leaves a job that is marked and not here. One that
/// was cancelled since it was marked is left.
fn begin(shared: &Arc<Shared>, job: Arc<Job>, is_again: bool) {
    let (cancel, cancelled) = watch::channel(false);
    let progress = Arc::<Progress>::default();
    let body = shared
        .bodies
        .lock()
        .as_ref()
        .and_then(|bodies| bodies.get(&job.kind).cloned());
    let run = JobRun {
        job: job.clone(),
        shared: shared.clone(),
        progress: progress.clone(),
        cancelled,
        is_again,
    };
    {
        let mut state = shared.state.lock();
        if state.stopped.remove(&job.uuid) {
            return;
        }
        state.running.insert(job.uuid, Running { progress, cancel });
    }
    tokio::spawn(work(shared.clone(), run, body));
}

async fn work(shared: Arc<Shared>, run: JobRun, body: Option<Arc<dyn JobBody>>) {
    let (uuid, kind) = (run.uuid(), run.job.kind);
    tracing::info!("job {uuid}: {} of image {} begins", kind.task(), run.image());
    let outcome = match body {
        Some(body) => outcome(run, body).await,
        None => Outcome::Failed(JobFailure::new(format!(
            "{} is not offered by this repository",
            kind.task()
        ))),
    };
    let ended = shared.change(move |shared| shared.ended(uuid, outcome)).await;
    if let Err(failure) = ended {
        tracing::error!("job {uuid}: {failure}");
    }
    shared.wake.notify_one();
}

async fn outcome(run: JobRun, body: Arc<dyn JobBody>) -> Outcome {
    let mut cancelled = run.cancelled.clone();
    let limit = Duration::from_secs(run.job.kind.total_seconds());
    // Inside of a future, so that a panic before the first pause is one of the body, too.
    let work = AssertUnwindSafe(async move { body.run(run).await }).catch_unwind();
    tokio::select! {
        ended = tokio::time::timeout(limit, work) => match ended {
            Ok(Ok(Ok(()))) => Outcome::Done,
            Ok(Ok(Err(failure))) => Outcome::Failed(failure),
            Ok(Err(panic)) => Outcome::Failed(JobFailure::new(format!("internal error: {}", text_of(&*panic)))),
            Err(_) => Outcome::Failed(JobFailure::new(format!("the job took more than {} s", limit.as_secs()))),
        },
        // It ends with an error only when the job's entry is gone, which outlives this.
        _ = cancelled.wait_for(|is_cancelled| *is_cancelled) => Outcome::Canceled,
    }
}

impl Shared {
    /// Who may begin now. It leaves the queue.
    fn next(&self) -> Option<Uuid> {
        self.bodies.lock().as_ref()?;
        let mut state = self.state.lock();
        if state.running.len() >= MAXIMUM_RUNNING_JOBS {
            return None;
        }
        state.queue.pop_front()
    }

    /// Blocks. Nothing, if it was cancelled since.
    fn mark_running(&self, uuid: Uuid) -> Option<(Arc<Job>, bool)> {
        let is_queued = self.table.load().get(uuid).map(|job| job.execution) == Some(Execution::Queued);
        if !is_queued {
            return None;
        }
        let starts = {
            let mut state = self.state.lock();
            let starts = state.starts.entry(uuid).or_default();
            *starts += 1;
            *starts
        };
        let job = self.update(uuid, |job| {
            job.execution = Execution::Running;
            // Those of a run that was cut off.
            job.results.clear();
        })?;
        Some((job, starts > 1))
    }

    /// Blocks.
    fn ended(&self, uuid: Uuid, outcome: Outcome) {
        {
            let mut state = self.state.lock();
            state.running.remove(&uuid);
        }
        let now = self.now();
        let job = self.update(uuid, |job| conclude(job, now, outcome));
        self.state.lock().starts.remove(&uuid);
        if let Some(job) = job {
            metrics::counter!("imgapi_jobs_finished_total", "task" => job.kind.task(), "execution" => job.execution.word())
                .increment(1);
            tracing::info!("job {uuid}: {}", job.execution.word());
        }
        self.forget_oldest();
    }

    /// Stops a job. Blocks.
    pub(super) fn cancel(&self, uuid: Uuid) -> Result<Arc<Job>, JobsError> {
        let job = self.table.load().get(uuid).cloned();
        let job = job.ok_or(JobsError::Unknown(uuid))?;
        if job.execution.is_over() {
            return Ok(job);
        }
        {
            // In one piece: whoever is about to begin it either has its entry here, or finds that it was stopped.
            let mut state = self.state.lock();
            if let Some(running) = state.running.get(&uuid) {
                // Nobody hears it any more where the work is done and its end is about to be noted.
                let _ = running.cancel.send(true);
                return Ok(job);
            }
            if job.execution == Execution::Running {
                state.stopped.insert(uuid);
            }
            state.queue.retain(|queued| *queued != uuid);
        }
        self.ended(uuid, Outcome::Canceled);
        Ok(self.table.load().get(uuid).cloned().unwrap_or(job))
    }

    /// From now on these do the work. Blocks.
    pub(super) fn set_bodies(&self, bodies: Vec<(JobKind, Arc<dyn JobBody>)>) {
        let bodies: HashMap<_, _> = bodies.into_iter().collect();
        let is_cut_off = |uuid: &Uuid| {
            let is_begun = self
                .state
                .lock()
                .starts
                .get(uuid)
                .is_some_and(|starts| *starts > 0);
            let kind = self.table.load().get(*uuid).map(|job| job.kind);
            let body = kind.and_then(|kind| bodies.get(&kind));
            is_begun && body.is_some_and(|body| !body.is_run_again())
        };
        let queued: Vec<Uuid> = self.state.lock().queue.iter().copied().collect();
        for uuid in queued.iter().filter(|uuid| is_cut_off(uuid)) {
            self.state.lock().queue.retain(|queued| queued != uuid);
            let now = std::time::SystemTime::now();
            self.update(*uuid, |job| *job = job.clone().interrupted(now));
            self.state.lock().starts.remove(uuid);
        }
        *self.bodies.lock() = Some(bodies);
        self.wake.notify_one();
    }

    /// After the actor was restarted: what is marked as running and is not at work waits again. Blocks.
    pub(super) fn reconcile(&self) {
        // Who was about to begin them is gone.
        self.state.lock().stopped.clear();
        let table = self.table.load_full();
        for job in table.iter().rev() {
            let mut state = self.state.lock();
            let is_lost = !state.running.contains_key(&job.uuid) && !state.queue.contains(&job.uuid);
            if !job.execution.is_over() && is_lost {
                state.queue.push_front(job.uuid);
                drop(state);
                self.put(Arc::new(Job {
                    execution: Execution::Queued,
                    ..(**job).clone()
                }));
            }
        }
        self.wake.notify_one();
    }
}

/// The last result tells clients how it ended.
fn conclude(job: &mut Job, now: String, outcome: Outcome) {
    let name = job
        .kind
        .steps()
        .get(job.results.len())
        .map_or("end", |step| step.name);
    let last_failed = job.results.last().is_some_and(|last| last.error.is_some());
    let (execution, last) = match outcome {
        Outcome::Done if job.results.is_empty() => (Execution::Succeeded, Some(Ok("done".to_owned()))),
        Outcome::Done => (Execution::Succeeded, None),
        Outcome::Failed(_) if last_failed => (Execution::Failed, None),
        Outcome::Failed(failure) => (Execution::Failed, Some(Err(failure))),
        Outcome::Canceled => (
            Execution::Canceled,
            Some(Err(JobFailure::new("the job was canceled"))),
        ),
    };
    job.execution = execution;
    if let Some(last) = last {
        job.results.push(result(name.to_owned(), now.clone(), now, last));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Clock;
    use futures_util::future::BoxFuture;
    use repository::json::Object;
    use std::sync::atomic::{AtomicBool, Ordering};

    /// Tells that it was begun.
    struct Begun(Arc<AtomicBool>);

    impl JobBody for Begun {
        fn run(&self, _: JobRun) -> BoxFuture<'static, Result<(), JobFailure>> {
            self.0.store(true, Ordering::SeqCst);
            Box::pin(async { Ok(()) })
        }
    }

    fn shared(base: &std::path::Path, is_begun: &Arc<AtomicBool>) -> Arc<Shared> {
        let shared = Shared::load(base, Clock::default(), false).unwrap();
        let body: Arc<dyn JobBody> = Arc::new(Begun(is_begun.clone()));
        shared.set_bodies(Vec::from([(JobKind::ImportRemote, body)]));
        Arc::new(shared)
    }

    /// The tasks that were begun have done their work by then: each round lets all of them go on, and writes are waited for.
    async fn settle(shared: &Arc<Shared>) {
        for _ in 0..8 {
            tokio::task::yield_now().await;
            shared.change(|_| ()).await.unwrap();
        }
    }

    #[tokio::test]
    async fn a_job_that_is_cancelled_in_the_moment_it_begins_does_nothing() {
        let base = tempfile::tempdir().unwrap();
        for is_cancelled in [false, true] {
            let is_begun = Arc::<AtomicBool>::default();
            let shared = shared(base.path(), &is_begun);
            let image = Uuid::from_random([u8::from(is_cancelled); 16]);
            let job = shared.submit(JobKind::ImportRemote, image, Object::new());
            let uuid = job.unwrap().uuid;
            assert_eq!(shared.next(), Some(uuid));
            let (job, is_again) = shared.mark_running(uuid).unwrap();
            if is_cancelled {
                assert_eq!(shared.cancel(uuid).unwrap().execution, Execution::Canceled);
            }
            begin(&shared, job, is_again);
            settle(&shared).await;
            assert_eq!(is_begun.load(Ordering::SeqCst), !is_cancelled);
            let ended = shared.table.load().get(uuid).unwrap().execution;
            let wanted = [Execution::Succeeded, Execution::Canceled];
            assert_eq!(ended, wanted[usize::from(is_cancelled)]);
            let state = shared.state.lock();
            assert!(state.running.is_empty() && state.stopped.is_empty() && state.starts.is_empty());
        }
    }
}
