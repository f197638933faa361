//! What outlives an incarnation of the actor: the table, who waits, who is at work.
//!
//! Every change is made by one thread, one after the other: on the disk first, then in the table.

use super::body::JobBody;
use super::disk::{self, Stored};
use super::progress::JobProgress;
use super::state::State;
use super::table::JobTable;
use super::{
    JobFailure, JobsError, MAXIMUM_FINISHED_JOBS, MAXIMUM_QUEUED_JOBS, MAXIMUM_RUNNING_JOBS, MAXIMUM_STARTS,
};
use crate::Clock;
use crate::pool::Pool;
use arc_swap::ArcSwap;
use parking_lot::Mutex;
use repository::job::{Execution, Job, JobKind, StepResult};
use repository::json::Object;
use repository::{Uuid, dates};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::{Notify, watch};

/// Changes that wait for the disk: each job at work makes one at a time, and callers wait for theirs.
const WRITES: usize = MAXIMUM_RUNNING_JOBS + 64;

pub(crate) struct Shared {
    directory: PathBuf,
    clock: Clock,
    pub(super) allow_debug_panic: bool,
    pub(super) table: ArcSwap<JobTable>,
    pub(super) changes: watch::Sender<u64>,
    /// There may be one to begin.
    pub(super) wake: Notify,
    pub(super) state: Mutex<State>,
    pub(super) bodies: Mutex<Option<HashMap<JobKind, Arc<dyn JobBody>>>>,
    writer: Pool,
    trouble: Mutex<Option<String>>,
}

impl Shared {
    /// Reads what there is below the base directory of a repository. Blocks.
    pub(crate) fn load(base: &Path, clock: Clock, allow_debug_panic: bool) -> std::io::Result<Shared> {
        let directory = base.join(disk::DIRECTORY);
        let (stored, problems) = disk::load(&directory)?;
        for problem in problems {
            tracing::warn!("not a job, left alone: {problem}");
        }
        let shared = Shared {
            directory,
            clock,
            allow_debug_panic,
            table: ArcSwap::default(),
            changes: watch::Sender::new(0),
            wake: Notify::new(),
            state: Mutex::default(),
            bodies: Mutex::default(),
            writer: Pool::new("jobs", 1, WRITES)?,
            trouble: Mutex::default(),
        };
        shared.take_over(stored);
        Ok(shared)
    }

    /// What was at work when the process ended waits for its turn again.
    fn take_over(&self, mut stored: Vec<Stored>) {
        stored.sort_by(|one, other| one.job.created_at.cmp(&other.job.created_at));
        let mut table = JobTable::default();
        let mut interrupted = Vec::new();
        for Stored { mut job, starts } in stored {
            if job.execution == Execution::Running && starts >= MAXIMUM_STARTS {
                job = job.interrupted(self.clock.system_time());
                interrupted.push(job.uuid);
            }
            if !job.execution.is_over() {
                job.execution = Execution::Queued;
                let mut state = self.state.lock();
                state.queue.push_back(job.uuid);
                state.starts.insert(job.uuid, starts);
            }
            table.put(Arc::new(job));
        }
        self.publish(table);
        for uuid in interrupted {
            self.save(uuid);
        }
    }

    /// The time as jobs hold it.
    pub(super) fn now(&self) -> String {
        dates::iso(self.clock.system_time())
    }

    pub(super) fn trouble(&self) -> Option<String> {
        self.trouble.lock().clone()
    }

    pub(super) fn progress(&self, uuid: Uuid) -> Option<JobProgress> {
        let state = self.state.lock();
        state.running.get(&uuid).map(|running| running.progress.state())
    }

    /// Runs a change after those that are under way. It is made even if the caller goes away.
    pub(super) async fn change<T: Send + 'static>(
        self: &Arc<Self>,
        change: impl FnOnce(&Shared) -> T + Send + 'static,
    ) -> Result<T, JobFailure> {
        let shared = self.clone();
        let done = self.writer.run(move || change(&shared)).await;
        done.map_err(|error| JobFailure::new(error.to_string()))
    }

    /// Takes a new job. Blocks.
    pub(super) fn submit(
        &self,
        kind: JobKind,
        image: Uuid,
        parameters: Object,
    ) -> Result<Arc<Job>, JobsError> {
        let table = self.table.load_full();
        let same = table.of_image(image);
        let same = same
            .iter()
            .find(|job| job.kind == kind && !job.execution.is_over());
        if let Some(job) = same {
            return Err(JobsError::Same(job.uuid));
        }
        let waiting = self.state.lock().queue.len();
        if waiting >= MAXIMUM_QUEUED_JOBS {
            return Err(JobsError::Full { waiting });
        }
        let mut random = [0; 16];
        openssl::rand::rand_bytes(&mut random).map_err(|error| JobsError::Storage(error.to_string()))?;
        let job = Arc::new(Job {
            uuid: Uuid::from_random(random),
            kind,
            image,
            parameters,
            execution: Execution::Queued,
            results: Vec::new(),
            created_at: self.now(),
        });
        let stored = Stored {
            job: (*job).clone(),
            starts: 0,
        };
        disk::write(&self.directory, &stored).map_err(|error| {
            let text = format!("{}: {error}", self.directory.display());
            *self.trouble.lock() = Some(text.clone());
            JobsError::Storage(text)
        })?;
        {
            let mut state = self.state.lock();
            state.starts.insert(job.uuid, 0);
            state.queue.push_back(job.uuid);
        }
        self.put(job.clone());
        self.wake.notify_one();
        Ok(job)
    }

    /// Puts a job into the table.
    pub(super) fn put(&self, job: Arc<Job>) {
        let mut table = (*self.table.load_full()).clone();
        table.put(job);
        self.publish(table);
    }

    /// A job of the table, changed and saved. That it cannot be saved is told, and it goes on: what it does
    /// is done, and it is done again after a restart at worst. Blocks.
    pub(super) fn update(&self, uuid: Uuid, change: impl FnOnce(&mut Job)) -> Option<Arc<Job>> {
        let mut job = (**self.table.load().get(uuid)?).clone();
        change(&mut job);
        let job = Arc::new(job);
        let mut table = (*self.table.load_full()).clone();
        table.put(job.clone());
        // Before the table is seen: what is seen is on the disk.
        self.save_as(&job);
        self.publish(table);
        Some(job)
    }

    fn save(&self, uuid: Uuid) {
        if let Some(job) = self.table.load().get(uuid) {
            self.save_as(job);
        }
    }

    fn save_as(&self, job: &Job) {
        let starts = self.state.lock().starts.get(&job.uuid).copied();
        let stored = Stored {
            job: job.clone(),
            starts: starts.unwrap_or_default(),
        };
        match disk::write(&self.directory, &stored) {
            Ok(()) => {
                self.state.lock().unsaved.remove(&job.uuid);
                self.save_rest();
            }
            Err(error) => {
                let text = format!(
                    "cannot keep job {}: {}: {error}",
                    job.uuid,
                    self.directory.display()
                );
                tracing::error!("{text}");
                *self.trouble.lock() = Some(text);
                self.state.lock().unsaved.insert(job.uuid);
            }
        }
    }

    /// The disk works: what it refused before is written now.
    fn save_rest(&self) {
        let unsaved: Vec<Uuid> = self.state.lock().unsaved.iter().copied().collect();
        let table = self.table.load();
        for uuid in unsaved {
            let starts = self.state.lock().starts.get(&uuid).copied();
            let is_saved = table.get(uuid).is_none_or(|job| {
                let stored = Stored {
                    job: (**job).clone(),
                    starts: starts.unwrap_or_default(),
                };
                disk::write(&self.directory, &stored).is_ok()
            });
            if !is_saved {
                return;
            }
            self.state.lock().unsaved.remove(&uuid);
        }
        *self.trouble.lock() = None;
    }

    /// A step ended: `outcome` is what was done, or why it was not.
    pub(super) async fn step_ended(
        self: Arc<Self>,
        uuid: Uuid,
        step: &str,
        started_at: String,
        outcome: Result<String, JobFailure>,
    ) -> Result<(), JobFailure> {
        let name = step.to_owned();
        let changed = self.change(move |shared| {
            let result = result(name, started_at, shared.now(), outcome);
            shared.update(uuid, |job| job.results.push(result));
        });
        changed.await
    }

    /// Forgets the oldest that are over, if there are too many.
    pub(super) fn forget_oldest(&self) {
        let mut table = (*self.table.load_full()).clone();
        let unfinished = {
            let state = self.state.lock();
            state.queue.len() + state.running.len()
        };
        let excess = table.len().saturating_sub(unfinished + MAXIMUM_FINISHED_JOBS);
        let over = table.iter().filter(|job| job.execution.is_over());
        let oldest: Vec<Uuid> = over.take(excess).map(|job| job.uuid).collect();
        if oldest.is_empty() {
            return;
        }
        for uuid in oldest {
            table.remove(uuid);
            if let Err(error) = disk::remove(&self.directory, uuid) {
                tracing::warn!("job {uuid} cannot be forgotten: {error}");
            }
        }
        self.publish(table);
    }

    fn publish(&self, table: JobTable) {
        self.table.store(Arc::new(table));
        {
            let state = self.state.lock();
            metrics::gauge!("imgapi_jobs_queued").set(state.queue.len() as f64);
            metrics::gauge!("imgapi_jobs_running").set(state.running.len() as f64);
        }
        self.changes.send_modify(|count| *count += 1);
    }
}

pub(super) fn result(
    name: String,
    started_at: String,
    finished_at: String,
    outcome: Result<String, JobFailure>,
) -> StepResult {
    let (result, error) = match outcome {
        Ok(sentence) => (sentence, None),
        Err(failure) => (String::new(), Some(failure.to_value())),
    };
    StepResult {
        name,
        result,
        error,
        started_at,
        finished_at,
    }
}
