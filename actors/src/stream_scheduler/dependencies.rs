//! Which stream is built on which (`imaginator.md §17`).

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime};

/// What is known of it. A failed attempt leaves the data of the last good one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dependencies {
    /// When the data were made; nothing if there are none.
    pub generated_at: Option<SystemTime>,
    /// When that was last tried.
    pub last_attempt_at: Option<SystemTime>,
    /// What was wrong then, if anything was.
    pub last_attempt_error: Option<String>,
    /// What was fetched then, as a log.
    pub fetch_log: Vec<u8>,
    /// From user stream to source stream.
    pub stream_to_source: BTreeMap<String, String>,
    /// Sources that match a pattern.
    pub pattern_sources: BTreeSet<String>,
    /// Sources that nothing here can build.
    pub unbuildable_sources: BTreeSet<String>,
    /// How old the last attempt may be and still do for everybody who asks: what took long is not done again at once.
    pub(super) does_for: Duration,
}

impl Dependencies {
    /// Streams that are built on this one, directly.
    pub fn dependents<'a>(&'a self, source: &'a str) -> impl Iterator<Item = &'a str> + 'a {
        let of_source =
            move |(stream, found): (&'a String, &'a String)| (found == source).then_some(stream.as_str());
        self.stream_to_source.iter().filter_map(of_source)
    }
}
