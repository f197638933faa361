//! A log as numbered lines: found in one pass over it, shown a piece at a time, those that look like errors marked.

use std::sync::LazyLock;

use actors::build_runner::BuildLog;
use front::page::escape;
use regex::bytes::{Regex, RegexBuilder};

/// Lines on a page; the page of a log of 64 MiB must stay one that a browser can show.
pub(super) const LINES_PER_PAGE: usize = 5_000;
/// Lines that look like errors whose numbers are told.
const ERRORS_TOLD: usize = 20;
/// Lines that are found at most.
const FOUND_MOST: usize = 500;
/// Bytes read at a time.
const READ_BYTES: usize = 256 << 10;
/// Bytes of a line that are shown; a longer one is cut, and says so.
const LINE_BYTES: usize = 4 << 10;

/// What one pass over a log tells.
#[derive(Debug, Default)]
pub(super) struct Survey {
    /// Lines there are.
    pub(super) lines: u64,
    /// Where each page begins.
    pages: Vec<u64>,
    /// Bytes up to the end of the last whole line; of all, once the log is complete.
    pub(super) bytes: u64,
    /// Numbers of the first lines that look like errors, and how many do.
    pub(super) errors: Vec<u64>,
    pub(super) error_count: u64,
    /// Lines with the text that was looked for, with their numbers.
    pub(super) found: Vec<(u64, String)>,
    /// How many have it.
    pub(super) found_count: u64,
}

impl Survey {
    /// Looks through a log, for `text` unless that is empty. Blocks while it reads.
    pub(super) fn of(log: &BuildLog, text: &str) -> Self {
        let is_complete = log.state().is_complete;
        // An escaped text is always an expression.
        let wanted = RegexBuilder::new(&regex::escape(text))
            .case_insensitive(true)
            .build();
        let wanted = wanted.ok().filter(|_| !text.is_empty());
        let mut survey = Self::default();
        each_line(log, 0, None, is_complete, |offset, bytes, end| {
            survey.add(offset, bytes, end, wanted.as_ref());
        });
        survey
    }

    fn add(&mut self, offset: u64, bytes: &[u8], end: u64, wanted: Option<&Regex>) {
        if self.lines.is_multiple_of(LINES_PER_PAGE as u64) {
            self.pages.push(offset);
        }
        self.lines += 1;
        self.bytes = end;
        if is_error(bytes) {
            self.error_count += 1;
            if self.errors.len() < ERRORS_TOLD {
                self.errors.push(self.lines);
            }
        }
        if wanted.is_some_and(|wanted| wanted.is_match(bytes)) {
            self.found_count += 1;
            if self.found.len() < FOUND_MOST {
                self.found.push((self.lines, shown(bytes)));
            }
        }
    }

    /// Number of pages, at least one.
    pub(super) fn page_count(&self) -> usize {
        self.pages.len().max(1)
    }

    /// The lines of a page, the first is 0, as HTML.
    pub(super) fn html(&self, log: &BuildLog, page: usize) -> String {
        let Some(&start) = self.pages.get(page) else {
            return String::new();
        };
        let end = self.pages.get(page + 1).copied().unwrap_or(self.bytes);
        let mut number = Self::lines_before(page);
        let mut html = String::new();
        each_line(log, start, Some(end), true, |_, bytes, _| {
            number += 1;
            html += &numbered(number, bytes);
        });
        html
    }

    /// Lines before a page.
    pub(super) fn lines_before(page: usize) -> u64 {
        (page * LINES_PER_PAGE) as u64
    }

    /// The page a line is on.
    pub(super) fn page_of(line: u64) -> usize {
        usize::try_from(line.saturating_sub(1)).unwrap_or(0) / LINES_PER_PAGE
    }
}

/// Calls with offset, bytes and end of each line from `start` to `end`, without what ends it. What no line feed ends counts as a
/// line only with `with_rest`. Of a line that is too long, only the start is given.
fn each_line(
    log: &BuildLog,
    start: u64,
    end: Option<u64>,
    with_rest: bool,
    mut line: impl FnMut(u64, &[u8], u64),
) {
    let (mut at, mut line_at) = (start, start);
    let mut carried: Vec<u8> = Vec::new();
    loop {
        let most = end.map_or(u64::MAX, |end| end.saturating_sub(at));
        let most = usize::try_from(most).unwrap_or(READ_BYTES).min(READ_BYTES);
        let piece = log.read(at, most);
        if piece.is_empty() {
            break;
        }
        let mut rest = &piece[..];
        while let Some(length) = rest.iter().position(|&byte| byte == b'\n') {
            let (head, tail) = rest.split_at(length);
            carry(&mut carried, head);
            let next = at + (piece.len() - tail.len()) as u64 + 1;
            line(line_at, &carried, next);
            carried.clear();
            line_at = next;
            rest = &tail[1..];
        }
        carry(&mut carried, rest);
        at += piece.len() as u64;
    }
    if with_rest && at > line_at {
        line(line_at, &carried, at);
    }
}

fn carry(carried: &mut Vec<u8>, bytes: &[u8]) {
    // One more than is shown, so that it is seen to be cut.
    let room = (LINE_BYTES + 1).saturating_sub(carried.len());
    carried.extend_from_slice(&bytes[..bytes.len().min(room)]);
}

/// A line with its number.
fn numbered(number: u64, bytes: &[u8]) -> String {
    let class = class(bytes);
    let text = escape(&shown(bytes));
    format!("<span class=\"{class}\" id=\"L{number}\" data-line=\"{number}\">{text}\n</span>")
}

/// A line for somebody who numbers it himself.
pub(super) fn unnumbered(bytes: &[u8]) -> String {
    format!(
        "<span class=\"{}\">{}\n</span>",
        class(bytes),
        escape(&shown(bytes))
    )
}

fn class(bytes: &[u8]) -> &'static str {
    if is_error(bytes) { "line bad" } else { "line" }
}

/// A line as it is shown: without colours for terminals, as it was last written where it was written over, without characters
/// that draw nothing.
pub(super) fn shown(bytes: &[u8]) -> String {
    let cut = bytes.len() > LINE_BYTES;
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(LINE_BYTES)]);
    let written_last = text
        .trim_end_matches('\r')
        .rsplit('\r')
        .next()
        .unwrap_or_default();
    let mut shown = String::with_capacity(written_last.len());
    let mut characters = written_last.chars();
    while let Some(character) = characters.next() {
        match character {
            '\u{1b}' => skip_sequence(&mut characters),
            '\t' => shown.push('\t'),
            control if control.is_control() => shown.push('\u{fffd}'),
            other => shown.push(other),
        }
    }
    if cut {
        shown.push_str(" … [the line is longer]");
    }
    shown
}

/// Skips the rest of an escape sequence of a terminal: `[`, numbers, a letter; or one character.
fn skip_sequence(characters: &mut std::str::Chars<'_>) {
    if characters.next() == Some('[') {
        for character in characters.by_ref() {
            if ('@'..='~').contains(&character) {
                return;
            }
        }
    }
}

/// Whether a line looks like an error. A guess that helps the eye; nothing depends on it.
fn is_error(line: &[u8]) -> bool {
    static LIKE: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r"(?i-u)^E: |\b(error|errors|failed|failure|fatal|panic|panicked|cannot)\b").ok()
    });
    static UNLIKE: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"(?i-u)\b(0|no) (error|errors|failed|failure|failures)\b").ok());
    let matches = |expression: &Option<Regex>| expression.as_ref().is_some_and(|it| it.is_match(line));
    matches(&LIKE) && !matches(&UNLIKE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(text: &[u8]) -> (tempfile::TempDir, BuildLog) {
        let spool = tempfile::tempdir().unwrap();
        let log = BuildLog::new(spool.path());
        log.append(text);
        (spool, log)
    }

    #[test]
    fn lines_keep_their_numbers_on_every_page() {
        let text: String = (1..=12_345)
            .map(|number| format!("this is line {number}\n"))
            .collect();
        let (_spool, log) = log(text.as_bytes());
        let survey = Survey::of(&log, "LINE 9999");
        assert_eq!((survey.lines, survey.page_count()), (12_345, 3));
        assert_eq!(survey.bytes, text.len() as u64);
        assert_eq!(survey.found, [(9_999, "this is line 9999".to_owned())]);
        let page = Survey::page_of(9_999);
        let html = survey.html(&log, page);
        assert!(html.contains("id=\"L9999\" data-line=\"9999\">this is line 9999\n</span>"));
        assert_eq!(html.matches("<span").count(), LINES_PER_PAGE);
        let last = survey.html(&log, 2);
        assert!(last.starts_with("<span class=\"line\" id=\"L10001\"") && last.contains("L12345"));
        assert_eq!(survey.html(&log, 3), "");
    }

    #[test]
    fn a_line_that_is_not_whole_waits_until_the_log_is_complete() {
        let (_spool, log) = log(b"one\ntwo");
        let survey = Survey::of(&log, "");
        assert_eq!((survey.lines, survey.bytes), (1, 4));
        log.complete();
        let survey = Survey::of(&log, "");
        assert_eq!((survey.lines, survey.bytes), (2, 7));
        assert!(survey.html(&log, 0).contains(">two\n</span>"));
    }

    #[test]
    fn what_a_log_says_is_text_however_it_is_written() {
        let hostile = b"<script>alert(1)</script>\x1b[31mred\x1b[0m\x07 50%\r100%\xff\n";
        let (_spool, log) = log(hostile);
        let html = Survey::of(&log, "").html(&log, 0);
        assert_eq!(
            html,
            "<span class=\"line\" id=\"L1\" data-line=\"1\">100%\u{fffd}\n</span>"
        );
        assert_eq!(shown(b"<b>\x1b[1;31mred\x1b[0m\x07\r"), "<b>red\u{fffd}");
        assert!(!unnumbered(b"<script>").contains("<script"));
        let long = shown(&vec![b'x'; 1 << 20]);
        assert!(long.len() < LINE_BYTES + 40 && long.ends_with("[the line is longer]"));
    }

    #[test]
    fn errors_are_found() {
        let (_spool, log) =
            log(b"fine\nE: Unable to locate package x\n0 errors\nError: no\nexit status 1: failed\n");
        let survey = Survey::of(&log, "");
        assert_eq!(
            (survey.errors.as_slice(), survey.error_count),
            (&[2, 4, 5][..], 3)
        );
        assert!(survey.html(&log, 0).contains("class=\"line bad\" id=\"L2\""));
    }
}
