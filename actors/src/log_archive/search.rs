//! Searching in archived logs, within bounds: newest first, until enough was found or read.

use super::entry::ArchivedBuild;
use super::shared::Shared;
use super::{ArchiveError, disk};
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
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

/// Bytes of a line that are looked at together.
const LINE_BYTES: u64 = 64 << 10;

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

impl Shared {
    pub(super) async fn search(self: &Arc<Self>, query: SearchQuery) -> Result<SearchResult, ArchiveError> {
        if query.text.is_empty() || query.text.len() > SEARCH_TEXT_BYTES {
            return Err(ArchiveError::SearchText(SEARCH_TEXT_BYTES));
        }
        let shared = self.clone();
        let searched = self.searcher.run(move || shared.search_all(&query)).await;
        searched.map_err(|error| ArchiveError::Internal(error.to_string()))
    }

    fn search_all(&self, query: &SearchQuery) -> SearchResult {
        let listing = self.listing();
        let is_wanted = |build: &&Arc<ArchivedBuild>| {
            let is_of_stream = query.stream.as_ref().is_none_or(|stream| *stream == build.stream);
            is_of_stream && !(query.only_failed && build.is_good())
        };
        let text = query.text.to_ascii_lowercase();
        let mut result = SearchResult::default();
        let (mut lines_found, mut bytes_read) = (0, 0);
        for build in listing.builds.iter().rev().filter(is_wanted) {
            if lines_found >= SEARCH_LINES || bytes_read >= SEARCH_READ_BYTES {
                result.is_cut = true;
                break;
            }
            let Some(path) = disk::log_path(&self.config.dir, &build.name) else {
                continue;
            };
            bytes_read += build.log_bytes;
            // One that was removed meanwhile has nothing to be found.
            let Ok((lines, is_cut)) = search_log(&path, text.as_bytes()) else {
                continue;
            };
            result.logs_read += 1;
            result.is_cut |= is_cut;
            lines_found += lines.len();
            if !lines.is_empty() {
                let build = build.clone();
                result.found.push(FoundLog { build, lines });
            }
        }
        result
    }
}

/// Lines with the text, and whether there are more. A line that is longer than a bound is looked at in parts.
fn search_log(path: &Path, text: &[u8]) -> std::io::Result<(Vec<(u64, String)>, bool)> {
    let finder = memchr::memmem::Finder::new(text);
    let mut reader = BufReader::new(File::open(path)?);
    let mut lines = Vec::new();
    let mut number = 1;
    let mut line = Vec::new();
    loop {
        line.clear();
        if (&mut reader).take(LINE_BYTES).read_until(b'\n', &mut line)? == 0 {
            return Ok((lines, false));
        }
        if finder.find(&line.to_ascii_lowercase()).is_some() {
            if lines.len() >= SEARCH_LINES_PER_LOG {
                return Ok((lines, true));
            }
            lines.push((number, shown(&line)));
        }
        number += u64::from(line.ends_with(b"\n"));
    }
}

fn shown(line: &[u8]) -> String {
    let cut = &line[..line.len().min(SEARCH_SHOWN_BYTES)];
    String::from_utf8_lossy(cut).trim_end().to_owned()
}
