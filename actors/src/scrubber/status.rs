//! How the scrub goes, for people and for graphs.

use std::time::SystemTime;

/// The state at one moment.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ScrubStatus {
    /// The pass under way.
    pub running: Option<ScrubPass>,
    /// The last one that has ended since the process began.
    pub last: Option<ScrubPass>,
    /// When a pass has last ended well, also before the process began.
    pub last_finished_at: Option<SystemTime>,
    /// When the next one begins by itself, if one does.
    pub next_at: Option<SystemTime>,
    /// Servers that repairs come from.
    pub sources: Vec<String>,
    /// What went wrong last, if anything has.
    pub last_error: Option<String>,
}

/// A pass over everything.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ScrubPass {
    /// Counts from 1 since the process began.
    pub number: u64,
    /// Somebody asked for it.
    pub asked_for: bool,
    /// Bytes per second at most; 0 for no limit.
    pub rate_bytes: u64,
    /// When it began.
    pub started_at: Option<SystemTime>,
    /// When it ended; nothing while it is under way.
    pub finished_at: Option<SystemTime>,
    /// Image files looked at.
    pub images_checked: u64,
    /// Image files there were when it began.
    pub images_total: u64,
    /// Objects looked at.
    pub objects_checked: u64,
    /// Objects there were when it began.
    pub objects_total: u64,
    /// Bytes of objects read.
    pub bytes_checked: u64,
    /// Bytes of objects there were when it began.
    pub bytes_total: u64,
    /// Images found damaged, or lacking objects, by anybody since the pass before ended; known ones included.
    pub damaged_images: u64,
    /// Objects found damaged, and objects that images lack, likewise.
    pub damaged_objects: u64,
    /// Images repaired, likewise.
    pub repaired_images: u64,
    /// Objects repaired, likewise.
    pub repaired_objects: u64,
    /// Images that cannot be served at its end.
    pub unrepaired_images: u64,
    /// Objects that cannot be served at its end.
    pub unrepaired_objects: u64,
    /// Files that could not be looked at, for reasons that are not theirs.
    pub unchecked: u64,
    /// Why it did not reach its end, if it did not.
    pub failure: Option<String>,
}

impl ScrubPass {
    /// Everything was looked at, and nothing is damaged (any more).
    pub fn is_clean(&self) -> bool {
        self.unrepaired_images == 0
            && self.unrepaired_objects == 0
            && self.unchecked == 0
            && self.failure.is_none()
    }

    /// Share of the bytes that is done, 0 to 1.
    pub fn progress(&self) -> f64 {
        match self.bytes_total {
            0 => 0.0,
            total => (self.bytes_checked as f64 / total as f64).min(1.0),
        }
    }
}

/// The figures that are there before the first pass, so that alerts on their growth see the first find.
pub(super) fn publish_first() {
    for kind in ["image", "object"] {
        for counter in [
            "imageserver_scrub_checked_total",
            "imageserver_scrub_found_total",
            "imageserver_scrub_repaired_total",
        ] {
            metrics::counter!(counter, "kind" => kind).increment(0);
        }
        metrics::gauge!("imageserver_scrub_unrepaired", "kind" => kind).set(0.0);
    }
    metrics::counter!("imageserver_scrub_checked_bytes_total").increment(0);
    metrics::counter!("imageserver_scrub_unchecked_total").increment(0);
    metrics::gauge!("imageserver_scrub_running").set(0.0);
    metrics::gauge!("imageserver_scrub_progress_ratio").set(0.0);
}

/// What a pass has come to.
pub(super) fn publish(pass: &ScrubPass) {
    let running = pass.finished_at.is_none();
    metrics::gauge!("imageserver_scrub_running").set(f64::from(u8::from(running)));
    metrics::gauge!("imageserver_scrub_progress_ratio").set(if running { pass.progress() } else { 0.0 });
    if !running {
        let unrepaired = |kind: &'static str, count: u64| {
            metrics::gauge!("imageserver_scrub_unrepaired", "kind" => kind).set(count as f64);
        };
        unrepaired("image", pass.unrepaired_images);
        unrepaired("object", pass.unrepaired_objects);
    }
}

/// When a pass has last ended well.
pub(super) fn publish_finished(at: SystemTime) {
    let seconds = at
        .duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0.0, |since| since.as_secs_f64());
    metrics::gauge!("imageserver_scrub_last_finished_timestamp_seconds").set(seconds);
}
