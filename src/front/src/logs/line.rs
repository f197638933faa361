//! One line of the log.

use std::fmt::Write;

use jiff::{Timestamp, Zoned};

use super::fields::Fields;
use super::record::{RecordHead, Severity};

/// The level of lines that are always kept.
pub const ALWAYS: i16 = -1;

/// In which form lines are written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LineForm {
    /// `YYYY/MM/DD HH:MM:SS text name=value`, as the original's daemons do; with microseconds if so told.
    Text {
        /// Microseconds in the time.
        subseconds: bool,
    },
    /// JSON objects.
    Records(RecordHead),
}

impl LineForm {
    /// A line logged now.
    pub(super) fn line(&self, level: i16, text: &str) -> Line {
        match self {
            Self::Text { subseconds } => Line::now(level, text, *subseconds),
            Self::Records(_) => self.record(level, Severity::of_level(level), text, &Fields::default()),
        }
    }

    /// A record logged now, where lines are records.
    pub(super) fn record(&self, level: i16, severity: Severity, message: &str, fields: &Fields) -> Line {
        let Self::Records(head) = self else {
            return self.line(level, message);
        };
        let at = Timestamp::now();
        let full = head.record(severity, message, fields, at);
        Line {
            at,
            level,
            severity,
            full: full.into(),
            text_start: 0,
        }
    }
}

/// One line: `YYYY/MM/DD HH:MM:SS text`, local time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    at: Timestamp,
    level: i16,
    severity: Severity,
    full: Box<str>,
    text_start: usize,
}

impl Line {
    /// A line logged now. Control characters in `text` are written as escapes, so that no peer can forge a line.
    pub fn now(level: i16, text: &str, subseconds: bool) -> Self {
        let now = Zoned::now();
        let pattern = if subseconds {
            "%Y/%m/%d %H:%M:%S.%6f "
        } else {
            "%Y/%m/%d %H:%M:%S "
        };
        let mut full = String::with_capacity(28 + text.len());
        // Writing a time to a string fails only on a bad pattern, which these are not.
        let _ = write!(full, "{}", now.strftime(pattern));
        let text_start = full.len();
        push_escaped(&mut full, text.trim_end_matches('\n'));
        Self {
            at: now.timestamp(),
            level,
            severity: Severity::of_level(level),
            full: full.into(),
            text_start,
        }
    }

    /// When it was logged.
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// Its debug level; -1 for lines that are always kept.
    pub fn level(&self) -> i16 {
        self.level
    }

    /// How grave it is; told apart in a log of records only.
    pub fn severity(&self) -> Severity {
        self.severity
    }

    /// With its time, without a line end.
    pub fn full(&self) -> &str {
        &self.full
    }

    /// Without its time.
    pub fn text(&self) -> &str {
        &self.full[self.text_start..]
    }
}

fn push_escaped(target: &mut String, text: &str) {
    if !text.contains(|character: char| character.is_control() && character != '\t') {
        target.push_str(text);
        return;
    }
    for character in text.chars() {
        if character.is_control() && character != '\t' {
            target.extend(character.escape_default());
        } else {
            target.push(character);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_have_the_form_of_go() {
        let line = Line::now(ALWAYS, "AddImage(a/b) by u\n", false);
        let form = regex::Regex::new(r"^\d{4}/\d\d/\d\d \d\d:\d\d:\d\d AddImage\(a/b\) by u$").unwrap();
        assert!(form.is_match(line.full()), "{}", line.full());
        assert_eq!(line.text(), "AddImage(a/b) by u");
        let form = regex::Regex::new(r"^\d{4}/\d\d/\d\d \d\d:\d\d:\d\d\.\d{6} x$").unwrap();
        let line = Line::now(ALWAYS, "x", true);
        assert!(form.is_match(line.full()), "{}", line.full());
    }

    #[test]
    fn a_peer_cannot_forge_a_line() {
        let line = Line::now(
            ALWAYS,
            "AddImage(a\n2026/01/01 00:00:00 AddImage(b\u{1b}[2J)",
            false,
        );
        assert_eq!(
            line.text(),
            "AddImage(a\\n2026/01/01 00:00:00 AddImage(b\\u{1b}[2J)"
        );
    }
}
