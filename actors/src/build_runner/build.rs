//! One build, from the moment it is asked for until it is forgotten: what all who care for it share.

use super::cancel::Cancellation;
use super::{BuildFailure, BuildLog, BuildResult, BuiltImage, PhaseTime, Why};
use builder::{Delivery, Phase};
use image::Image;
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};
use tokio::sync::watch;

/// Phases kept of a build; sources of sources are told with the first.
const PHASES_KEPT: usize = 512;

/// Hexadecimal digits of the full name of a commit: SHA-1 and SHA-256.
const COMMIT_DIGITS: [usize; 2] = [40, 64];

/// Where a build is.
#[derive(Debug, Clone)]
pub enum BuildState {
    /// It waits for its turn.
    Queued,
    /// It runs.
    Running {
        /// Since when.
        started_at: SystemTime,
    },
    /// It has ended.
    Ended(Arc<BuildResult>),
}

/// What is to be built, as it was asked for.
#[derive(Debug, Clone)]
pub struct BuildOrder {
    /// The stream.
    pub stream: String,
    /// Variables of the request.
    pub variables: BTreeMap<String, String>,
    /// Branch, tag or commit of the manifest; empty for the default.
    pub branch: String,
    /// Greatest age of the source image; `None` for any.
    pub max_source_age: Option<Duration>,
    /// Longest time its commands may take together.
    pub deadline: Duration,
    /// What to do with the image.
    pub delivery: Delivery,
    /// Sources are not built.
    pub disable_recursive_build: bool,
    /// Who asks does not want it any more once he has gone.
    pub cancel_on_disconnect: bool,
    /// Who asked; empty for automatic builds.
    pub requester: String,
    /// Why it runs.
    pub why: Why,
}

impl BuildOrder {
    /// Whether it is as automatic rebuilds order it.
    fn is_usual(&self) -> bool {
        self.branch.is_empty() && self.variables.is_empty() && self.delivery == Delivery::Publish
    }

    /// Whether one image would be as good as the other, if both were begun at the same time. Who asks, why, and how long the image lives may differ.
    pub(crate) fn is_equal(&self, other: &BuildOrder) -> bool {
        self.stream == other.stream
            && self.variables == other.variables
            && self.branch == other.branch
            && self.max_source_age == other.max_source_age
            && self.deadline == other.deadline
            && self.delivery == other.delivery
            && self.disable_recursive_build == other.disable_recursive_build
    }

    /// Whether it is as good to join a build that has read its manifest some time ago. Who asks may have changed the branch a moment
    /// before, and wants that to be in the image. A commit does not change, and those whose time it is have changed nothing.
    pub(crate) fn may_be_of_before(&self) -> bool {
        let is_asked_for = matches!(self.why, Why::Requested { .. } | Why::StartedBy { .. });
        !is_asked_for || is_commit(&self.branch)
    }
}

/// A build.
pub struct Build {
    /// Unique in the life of the daemon; from 1.
    pub number: u64,
    /// What is to be built.
    pub order: BuildOrder,
    /// When it was asked for.
    pub queued_at: SystemTime,
    pub(crate) log: Arc<BuildLog>,
    pub(crate) cancellation: Arc<Cancellation>,
    pub(super) phases: Mutex<Vec<PhaseTime>>,
    pub(crate) joined_by: Mutex<Vec<String>>,
    /// Life time of the image that is wanted: the longest that was asked for. Nothing once it is too late to join.
    pub(crate) expires_in: Mutex<Option<Duration>>,
    /// Handed back by [`Delivery::Return`].
    pub(super) image: Mutex<Option<Arc<Image>>>,
    pub(super) state: watch::Sender<BuildState>,
    is_over: AtomicBool,
    /// A requester wants it also if he has gone.
    is_wanted: AtomicBool,
    /// It is about to be cancelled.
    is_ending: AtomicBool,
    /// Nothing has been read yet of what its image will be made from, or all of it will be read again.
    has_yet_to_read: AtomicBool,
}

impl Build {
    pub(crate) fn new(
        number: u64,
        order: BuildOrder,
        expires_in: Duration,
        queued_at: SystemTime,
        spool_dir: &Path,
    ) -> Build {
        Build {
            number,
            order,
            queued_at,
            log: Arc::new(BuildLog::new(spool_dir)),
            cancellation: Arc::default(),
            phases: Mutex::default(),
            joined_by: Mutex::default(),
            expires_in: Mutex::new(Some(expires_in)),
            image: Mutex::default(),
            is_wanted: AtomicBool::new(false),
            is_ending: AtomicBool::new(false),
            state: watch::Sender::new(BuildState::Queued),
            is_over: AtomicBool::new(false),
            has_yet_to_read: AtomicBool::new(true),
        }
    }

    /// The stream.
    pub fn stream(&self) -> &str {
        &self.order.stream
    }

    /// Where it is.
    pub fn state(&self) -> BuildState {
        self.state.borrow().clone()
    }

    /// Tells of changes of [`state`](Self::state).
    pub fn subscribe(&self) -> watch::Receiver<BuildState> {
        self.state.subscribe()
    }

    /// Its log.
    pub fn log(&self) -> &Arc<BuildLog> {
        &self.log
    }

    /// What was done so far; the last is what is being done.
    pub fn phases(&self) -> Vec<PhaseTime> {
        self.phases.lock().clone()
    }

    /// What is being done.
    pub fn phase(&self) -> Option<PhaseTime> {
        self.phases.lock().last().cloned()
    }

    /// Whether something is being done for this stream: its own, or a source.
    pub fn is_building(&self, stream: &str) -> bool {
        let phases = self.phases.lock();
        phases
            .iter()
            .any(|time| time.finished_at.is_none() && time.stream == stream)
    }

    /// Sources that are being built for it, one for the other, and what is done for each, since when.
    pub fn sources(&self) -> Vec<(PhaseTime, SystemTime)> {
        let phases = self.phases.lock();
        let open = phases
            .iter()
            .filter(|time| time.finished_at.is_none() && time.stream != self.order.stream);
        let since = |stream: &str| {
            // Of this time only: a source may be built, and built again.
            let before = phases
                .iter()
                .rposition(|time| time.stream == stream && time.phase == Phase::FetchManifest);
            before.map(|first| phases[first].started_at)
        };
        open.map(|time| (time.clone(), since(&time.stream).unwrap_or(time.started_at)))
            .collect()
    }

    /// Since when it has been running.
    pub fn started_at(&self) -> Option<SystemTime> {
        match &*self.state.borrow() {
            BuildState::Queued => None,
            BuildState::Running { started_at } => Some(*started_at),
            BuildState::Ended(result) => result.started_at,
        }
    }

    /// Who else asked for the same.
    pub fn joined_by(&self) -> Vec<String> {
        self.joined_by.lock().clone()
    }

    /// Why it is to end before its time, if it is: who cancelled it.
    pub fn cancelled_because(&self) -> Option<String> {
        self.cancellation.reason()
    }

    /// How long each phase of a stream took that began since then.
    pub(crate) fn phases_of(
        &self,
        stream: &str,
        since: SystemTime,
        now: SystemTime,
    ) -> Vec<(Phase, Duration)> {
        let phases = self.phases.lock();
        let own = phases
            .iter()
            .filter(|time| time.stream == stream && time.started_at >= since);
        own.map(|time| (time.phase, time.duration(now))).collect()
    }

    /// The image that was handed back, if it was to be.
    pub fn image(&self) -> Option<Arc<Image>> {
        self.image.lock().clone()
    }

    /// Waits for its end.
    pub async fn ended(&self) -> Arc<BuildResult> {
        let mut state = self.state.subscribe();
        loop {
            if let BuildState::Ended(result) = &*state.borrow_and_update() {
                return result.clone();
            }
            // The sender lives in what we hold.
            let _ = state.changed().await;
        }
    }

    pub(crate) fn start(&self, started_at: SystemTime) {
        self.state.send_replace(BuildState::Running { started_at });
    }

    /// It was to start, and did not.
    pub(crate) fn wait_again(&self) {
        self.state.send_replace(BuildState::Queued);
    }

    /// Whether what somebody changed before this moment will be in the image, as far as the manifest and the configuration go.
    pub(crate) fn has_yet_to_read(&self) -> bool {
        self.has_yet_to_read.load(Ordering::SeqCst)
    }

    /// Told before the first of it is read, and when it will be read again.
    pub(super) fn set_has_yet_to_read(&self, has_yet: bool) {
        self.has_yet_to_read.store(has_yet, Ordering::SeqCst);
    }

    /// A requester wants the image whether he waits for it or not.
    pub(crate) fn is_wanted(&self) -> bool {
        self.is_wanted.load(Ordering::SeqCst)
    }

    pub(crate) fn set_wanted(&self) {
        self.is_wanted.store(true, Ordering::SeqCst);
    }

    /// It is cancelled, or will be in a moment.
    pub(crate) fn is_ending(&self) -> bool {
        self.is_ending.load(Ordering::SeqCst) || self.cancellation.is_cancelled()
    }

    pub(crate) fn set_ending(&self) {
        self.is_ending.store(true, Ordering::SeqCst);
    }

    /// Its image is to live at least so long; false if it is too late for that.
    pub(crate) fn prolong(&self, expires_in: Duration) -> bool {
        match &mut *self.expires_in.lock() {
            Some(wanted) => {
                *wanted = expires_in.max(*wanted);
                true
            }
            None => false,
        }
    }

    /// A phase begins, which ends what was done for the same stream, and for the sources of that.
    pub(super) fn enter(&self, phase: Phase, stream: &str, now: SystemTime) {
        let mut phases = self.phases.lock();
        let is_own = |time: &PhaseTime| time.finished_at.is_none() && time.stream == stream;
        let from = phases.iter().position(is_own).unwrap_or(phases.len());
        finish(&mut phases[from..], now);
        if phases.len() < PHASES_KEPT {
            phases.push(PhaseTime {
                phase,
                stream: stream.to_owned(),
                started_at: now,
                finished_at: None,
            });
        }
    }

    /// A source has ended, in whatever way, and with it what was done for it.
    pub(super) fn finish_phases_of(&self, stream: &str, now: SystemTime) {
        let mut phases = self.phases.lock();
        let from = phases.iter().position(|time| time.stream == stream);
        finish(
            phases.get_mut(from.unwrap_or(usize::MAX)..).unwrap_or_default(),
            now,
        );
    }

    /// Whether it has ended, or is just being ended.
    pub(crate) fn is_over(&self) -> bool {
        self.is_over.load(Ordering::SeqCst)
    }

    /// It has ended: `keep` is told first, then all who wait, so that these find everything as it is now. False if it had ended
    /// already.
    pub(crate) fn end(
        &self,
        outcome: Result<BuiltImage, BuildFailure>,
        now: SystemTime,
        keep: impl FnOnce(&Arc<BuildResult>),
    ) -> bool {
        if self.is_over.swap(true, Ordering::SeqCst) {
            return false;
        }
        let started_at = self.started_at();
        finish(&mut self.phases.lock(), now);
        let result = Arc::new(BuildResult {
            number: self.number,
            stream: self.order.stream.clone(),
            requester: self.order.requester.clone(),
            joined_by: self.joined_by(),
            why: self.order.why.clone(),
            queued_at: self.queued_at,
            started_at,
            finished_at: now,
            phases: self.phases(),
            outcome,
            is_usual: self.order.is_usual(),
        });
        self.log.complete();
        // Whatever happens there: who waits gets an answer.
        if catch_unwind(AssertUnwindSafe(|| keep(&result))).is_err() {
            tracing::error!("Build {}: internal error while its result was kept", self.number);
        }
        self.state.send_replace(BuildState::Ended(result));
        true
    }
}

/// Whether it is the full name of a commit, of either kind.
fn is_commit(branch: &str) -> bool {
    COMMIT_DIGITS.contains(&branch.len()) && branch.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn finish(phases: &mut [PhaseTime], now: SystemTime) {
    for time in phases {
        time.finished_at.get_or_insert(now);
    }
}
