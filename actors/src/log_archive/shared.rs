//! What outlives an incarnation of the actor: what is in the archive, and what is to be stored.

use super::entry::{ArchiveListing, ArchivedBuild};
use super::{ArchiveError, Archiving, disk};
use crate::build_runner::BuildLog;
use crate::pool::Pool;
use arc_swap::ArcSwap;
use parking_lot::Mutex;
use std::collections::{BTreeSet, VecDeque};
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::sync::Notify;

/// Logs that wait to be stored, at most. Each is in memory or in a spool file.
const JOBS: usize = 1000;

/// The archive is emptied down to so many hundredths of its quota.
const KEPT_PERCENT: u64 = 95;

/// Searches running and waiting at most.
const SEARCHES: usize = 8;

/// A log to be stored.
pub(crate) struct ArchiveJob {
    /// Without a name, if there is no image whose name it could have.
    pub(crate) build: ArchivedBuild,
    pub(crate) log: Arc<BuildLog>,
    /// Which part of the log.
    pub(crate) range: Range<u64>,
}

pub(crate) struct Shared {
    pub(super) config: Archiving,
    pub(super) allow_debug_panic: bool,
    pub(super) writer: Pool,
    pub(super) searcher: Pool,
    /// There is something to be stored.
    pub(super) wake: Notify,
    listing: ArcSwap<ArchiveListing>,
    state: Mutex<State>,
    /// What went wrong since a log was stored last.
    last_error: Mutex<Option<String>>,
    unit_bytes: u64,
}

#[derive(Default)]
struct State {
    /// Oldest first.
    builds: VecDeque<Arc<ArchivedBuild>>,
    names: BTreeSet<String>,
    bytes: u64,
    /// The first is being stored, or was when the actor died.
    jobs: VecDeque<Arc<ArchiveJob>>,
}

impl Shared {
    /// Reads what there is. Blocks. What is wrong with the directory is told, and the archive begins empty.
    pub(crate) fn load(config: Archiving, allow_debug_panic: bool) -> std::io::Result<Shared> {
        let loaded = disk::load(&config.dir);
        let (builds, error) = match loaded {
            Ok(builds) => (builds, None),
            Err(error) => (Vec::new(), Some(error.to_string())),
        };
        let unit_bytes = disk::unit_bytes(&config.dir);
        let shared = Shared {
            allow_debug_panic,
            writer: Pool::new("log-archive", 1, 2)?,
            searcher: Pool::new("log-search", 1, SEARCHES)?,
            wake: Notify::new(),
            listing: ArcSwap::default(),
            state: Mutex::default(),
            last_error: Mutex::default(),
            unit_bytes,
            config,
        };
        if let Some(error) = error {
            shared.failed(error);
        }
        {
            let mut state = shared.state.lock();
            state.bytes = builds.iter().map(|build| shared.bytes_of(build)).sum();
            state.names = builds.iter().map(|build| build.name.clone()).collect();
            state.builds = builds.into();
            shared.publish(&state);
        }
        Ok(shared)
    }

    pub(super) fn listing(&self) -> Arc<ArchiveListing> {
        self.listing.load_full()
    }

    pub(super) fn last_error(&self) -> Option<String> {
        self.last_error.lock().clone()
    }

    pub(super) fn failed(&self, text: String) {
        tracing::error!("{text}");
        metrics::counter!("imaginator_log_archive_errors_total").increment(1);
        *self.last_error.lock() = Some(text);
        self.publish(&self.state.lock());
    }

    fn went_well(&self) {
        if self.last_error.lock().take().is_some() {
            self.publish(&self.state.lock());
        }
    }

    pub(super) fn log(&self, name: &str) -> Result<Arc<BuildLog>, ArchiveError> {
        let listing = self.listing();
        let unknown = || ArchiveError::Unknown(name.to_owned());
        let build = listing.find(name).ok_or_else(unknown)?;
        let path = disk::log_path(&self.config.dir, &build.name).ok_or_else(unknown)?;
        Ok(Arc::new(BuildLog::archived(path, build.log_bytes)))
    }

    /// Takes a log to be stored soon; the name it will have.
    pub(crate) fn submit(&self, mut job: ArchiveJob) -> String {
        let mut state = self.state.lock();
        if job.build.name.is_empty() || state.names.contains(&job.build.name) {
            job.build.name = state.fresh_name(&job.build.stream, job.build.finished_at);
        }
        let name = job.build.name.clone();
        if state.jobs.len() >= JOBS {
            drop(state);
            self.failed(format!(
                "build log archive: {name} is not stored: {JOBS} logs are waiting for the disk"
            ));
            return name;
        }
        state.names.insert(name.clone());
        state.jobs.push_back(Arc::new(job));
        drop(state);
        self.wake.notify_one();
        name
    }

    /// What is to be stored next. It stays until it [is done](Self::done).
    pub(super) fn next_job(&self) -> Option<Arc<ArchiveJob>> {
        self.state.lock().jobs.front().cloned()
    }

    /// Everything that was submitted is stored, or could not be.
    pub(crate) fn is_idle(&self) -> bool {
        self.state.lock().jobs.is_empty()
    }

    /// Makes room for a log, and stores it. Blocks.
    pub(super) fn store(&self, job: &ArchiveJob) -> Result<(), ArchiveError> {
        if self
            .state
            .lock()
            .builds
            .iter()
            .any(|build| build.name == job.build.name)
        {
            // Stored by an incarnation that died before it could say so.
            return Ok(());
        }
        let needed = self.bytes_of(&job.build);
        self.make_room(needed)?;
        let path = disk::store(&self.config.dir, &job.build, &job.log, job.range.clone())?;
        let mut state = self.state.lock();
        state.bytes += needed;
        state.builds.push_back(Arc::new(job.build.clone()));
        self.publish(&state);
        drop(state);
        let is_whole = job.range.start == 0 && job.log.state().bytes == job.range.end;
        if is_whole && job.log.state().is_complete {
            job.log.is_in_file(path);
        }
        Ok(())
    }

    /// The first job is over.
    pub(super) fn done(&self, outcome: Result<(), ArchiveError>) {
        let job = self.state.lock().jobs.pop_front();
        match (outcome, job) {
            (Err(error), Some(job)) => {
                self.failed(format!("{error} (the log of {} is not kept)", job.build.name));
            }
            (Ok(()), _) => self.went_well(),
            (Err(_), None) => {}
        }
    }

    /// Removes the oldest, if one more would go over the quota (`imaginator.md §20`).
    fn make_room(&self, needed: u64) -> Result<(), ArchiveError> {
        let quota = self.config.quota_bytes;
        if needed > quota {
            return Err(ArchiveError::OverQuota { needed, quota });
        }
        if self.state.lock().bytes + needed < quota {
            return Ok(());
        }
        let kept = (quota / 100 * KEPT_PERCENT).min(quota - needed);
        loop {
            let oldest = {
                let state = self.state.lock();
                if state.bytes <= kept {
                    return Ok(());
                }
                state.builds.front().cloned()
            };
            let Some(oldest) = oldest else { return Ok(()) };
            // First from what is shown: who asks for it from now on is told that it is unknown.
            {
                let mut state = self.state.lock();
                state.builds.pop_front();
                state.names.remove(&oldest.name);
                state.bytes = state.bytes.saturating_sub(self.bytes_of(&oldest));
                self.publish(&state);
            }
            disk::remove(&self.config.dir, &oldest.name)?;
            metrics::counter!("imaginator_log_archive_expired_total").increment(1);
        }
    }

    fn bytes_of(&self, build: &ArchivedBuild) -> u64 {
        build.log_bytes.div_ceil(self.unit_bytes) * self.unit_bytes + self.unit_bytes
    }

    fn publish(&self, state: &State) {
        let builds = state.builds.iter().cloned().collect();
        let mut listing = ArchiveListing::new(builds, state.bytes, self.config.quota_bytes);
        listing.last_error = self.last_error();
        metrics::gauge!("imaginator_log_archive_bytes").set(state.bytes as f64);
        metrics::gauge!("imaginator_log_archive_builds").set(state.builds.len() as f64);
        self.listing.store(Arc::new(listing));
    }
}

impl State {
    /// `STREAM/TIMESTAMP`, of the next second that has none yet.
    fn fresh_name(&self, stream: &str, at: SystemTime) -> String {
        let mut at = at;
        loop {
            let name = format!("{stream}/{}", timestamp(at));
            if !self.names.contains(&name) {
                return name;
            }
            at += Duration::from_secs(1);
        }
    }
}

/// As images are named (`imaginator.md §14.6`): local time.
fn timestamp(at: SystemTime) -> String {
    let at = jiff::Timestamp::try_from(at).unwrap_or_default();
    let at = at.to_zoned(jiff::tz::TimeZone::system());
    at.strftime("%Y-%m-%d:%H:%M:%S").to_string()
}
