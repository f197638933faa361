//! What the replicator is told at the start.

use super::Connect;
use image::filter::CompiledFilter;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Pause before the first attempt to connect again.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// Longest pause, as the original's.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// More than half at once is hardly ever meant.
pub const DELETE_PERCENT: u8 = 50;

/// What is kept although the upstream has it no more (`imageserver.md §7.3`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Archive {
    /// Nothing: a plain replica.
    #[default]
    Off,
    /// Everything but expiring images, which are not taken at all.
    Lasting,
    /// Everything. Expiring images end by their own timers.
    All,
}

impl Archive {
    /// Whether deletions and absences are ignored.
    pub fn keeps(self) -> bool {
        self != Archive::Off
    }

    /// Whether expiring images are left to the upstream.
    pub fn skips_expiring(self) -> bool {
        self == Archive::Lasting
    }
}

/// How to follow another server.
#[derive(Clone)]
pub struct Replication {
    /// `HOST:PORT` of the upstream, as people are told it.
    pub upstream: String,
    /// How to connect to it. Asked anew for each connection, since certificates are reloaded.
    pub connect: Connect,
    /// What is kept.
    pub archive: Archive,
    /// Images that are not replicated.
    pub exclude: Option<Arc<CompiledFilter>>,
    /// If there is one, only images that match are.
    pub include: Option<Arc<CompiledFilter>>,
    /// Share of the images here, in percent, that one list of the upstream may take away at most.
    pub delete_percent: u8,
    /// Pause before the first attempt to connect again.
    pub first_pause: Duration,
    /// Pause up to which it doubles.
    pub longest_pause: Duration,
}

impl Replication {
    /// A plain replica of this upstream, with the usual pauses.
    pub fn new(
        upstream: impl Into<String>,
        connect: impl Fn() -> srpc::ConnectOptions + Send + Sync + 'static,
    ) -> Replication {
        Replication {
            upstream: upstream.into(),
            connect: Arc::new(connect),
            archive: Archive::Off,
            exclude: None,
            include: None,
            delete_percent: DELETE_PERCENT,
            first_pause: FIRST_PAUSE,
            longest_pause: LONGEST_PAUSE,
        }
    }

    /// Whether an image of this name is replicated. Filters see names as they are (`imageserver.md §7.2`).
    pub fn wants(&self, name: &str) -> bool {
        let matches = |filter: &Arc<CompiledFilter>| filter.matches(name.as_bytes());
        !self.exclude.as_ref().is_some_and(matches) && self.include.as_ref().is_none_or(matches)
    }
}

impl fmt::Debug for Replication {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Replication")
            .field("upstream", &self.upstream)
            .field("archive", &self.archive)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_excluded_stays_out_and_what_is_not_included_too() {
        let filter = |line: &str| Some(Arc::new(CompiledFilter::from_lines([line]).unwrap()));
        let mut replication = Replication::new("host:6971", || srpc::ConnectOptions::new("host:6971"));
        assert!(replication.wants("a/b"));
        replication.exclude = filter("a/.*");
        assert!(!replication.wants("a/b"));
        assert!(replication.wants("c/b"));
        replication.include = filter(".*/b");
        assert!(!replication.wants("a/b"));
        assert!(replication.wants("c/b"));
        assert!(!replication.wants("c/d"));
    }
}
