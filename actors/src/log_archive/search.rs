//! Searching in archived logs, within bounds: newest first, until enough was found or read.

use super::entry::ArchivedBuild;
use std::sync::Arc;

/// Bytes of a text to be searched for.
pub const SEARCH_TEXT_BYTES: usize = 256;

/// Lines found at most.
pub const SEARCH_LINES: usize = 500;

/// Lines found at most in one log.
pub const SEARCH_LINES_PER_LOG: usize = 20;

/// Bytes read at most for one search.
pub const SEARCH_READ_BYTES: u64 = 256 << 20;

/// Bytes of a line that are shown.
pub const SEARCH_SHOWN_BYTES: usize = 400;

/// What to look for.
#[derive(Debug, Clone, Default)]
pub struct SearchQuery {
    /// The text, without regard to the case of ASCII letters.
    pub text: String,
    /// Only logs of this stream.
    pub stream: Option<String>,
    /// Only logs of builds that failed.
    pub only_failed: bool,
}

/// What was found, newest log first.
#[derive(Debug, Clone, Default)]
pub struct SearchResult {
    /// Logs with lines in them.
    pub found: Vec<FoundLog>,
    /// Logs that were read.
    pub logs_read: usize,
    /// A bound was reached: there may be more.
    pub is_cut: bool,
}

/// A log with lines in it.
#[derive(Debug, Clone)]
pub struct FoundLog {
    /// The build.
    pub build: Arc<ArchivedBuild>,
    /// Numbers of the lines, from 1, and their text, cut to [`SEARCH_SHOWN_BYTES`].
    pub lines: Vec<(u64, String)>,
}
