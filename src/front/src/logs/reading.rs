//! Reading the log back: filters, periods.

use std::io::{BufRead, BufReader};

use jiff::civil::DateTime;
use jiff::{SignedDuration, Zoned};
use regex::Regex;

use super::files::{LogDirectory, LogFileName};
use super::panics::PANIC_PREFIX;

/// Memory a compiled expression may take, in bytes.
const EXPRESSION_MOST_BYTES: usize = 1 << 20;
/// Expressions in one filter.
const EXPRESSIONS_MOST: usize = 32;
/// Text one page shows at most, in bytes.
pub(super) const SHOWN_MOST_BYTES: usize = 32 << 20;
/// Date and time before the text of a line, in bytes.
const DATE_BYTES: usize = 20;
/// Lines that are looked through for a panic.
const LINES_MOST: usize = 1_000_000;
/// Longest line kept whole, in bytes.
const LINE_MOST_BYTES: usize = 1 << 20;

/// Lines pass when all of `include` match and none of `exclude` does.
#[derive(Clone, Debug, Default)]
pub struct LineFilter {
    include: Vec<Regex>,
    exclude: Vec<Regex>,
}

impl LineFilter {
    /// From expressions; empty ones are left out.
    ///
    /// # Errors
    /// The sentence that says what is wrong with an expression.
    pub fn new<'a>(
        include: impl IntoIterator<Item = &'a str>,
        exclude: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, String> {
        Ok(Self {
            include: compile(include)?,
            exclude: compile(exclude)?,
        })
    }

    /// Whether the line is wanted.
    pub fn passes(&self, line: &str) -> bool {
        self.include.iter().all(|expression| expression.is_match(line))
            && !self.exclude.iter().any(|expression| expression.is_match(line))
    }
}

fn compile<'a>(expressions: impl IntoIterator<Item = &'a str>) -> Result<Vec<Regex>, String> {
    let mut compiled = Vec::new();
    for expression in expressions
        .into_iter()
        .filter(|expression| !expression.is_empty())
    {
        if compiled.len() == EXPRESSIONS_MOST {
            return Err(format!("more than {EXPRESSIONS_MOST} expressions"));
        }
        let built = regex::RegexBuilder::new(expression)
            .size_limit(EXPRESSION_MOST_BYTES)
            .build();
        compiled.push(built.map_err(|error| format!("error parsing regexp: {error}"))?);
    }
    Ok(compiled)
}

/// Whether a line tells of a panic.
pub(super) fn has_panic(file: std::fs::File) -> bool {
    let lines = BufReader::new(file).split(b'\n').map_while(Result::ok);
    let in_record = format!("\"msg\":\"{PANIC_PREFIX}");
    let is_panic = |line: &Vec<u8>| {
        let text = line.get(DATE_BYTES..);
        text.is_some_and(|text| text.starts_with(PANIC_PREFIX.as_bytes()))
            || line
                .windows(in_record.len())
                .any(|window| window == in_record.as_bytes())
    };
    lines.take(LINES_MOST).any(|line| is_panic(&line))
}

/// A period such as `10m` or `1M`: s, m, h, d, w, M (31 days), y (365 days).
pub(super) fn period(text: &str) -> Option<SignedDuration> {
    let unit = text.chars().last()?;
    let count: i64 = text
        .strip_suffix(unit)?
        .parse()
        .ok()
        .filter(|count| *count >= 0)?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        'w' => 7 * 86_400,
        'M' => 31 * 86_400,
        'y' => 365 * 86_400,
        _ => return None,
    };
    count.checked_mul(seconds).map(SignedDuration::from_secs)
}

/// The time a period ago, as lines write it.
pub(super) fn since(period: SignedDuration) -> Option<String> {
    let then = Zoned::now().checked_sub(period).ok()?;
    Some(then.strftime("%Y/%m/%d %H:%M:%S").to_string())
}

/// The time at the start of a line, if there is one.
pub(super) fn stamp(line: &str) -> Option<&str> {
    let stamp = line.get(..19)?;
    DateTime::strptime("%Y/%m/%d %H:%M:%S", stamp).ok().map(|_| stamp)
}

/// Lines of files, oldest first, up to a bound on their bytes; the newest survive the bound.
pub(super) struct Collected {
    lines: std::collections::VecDeque<String>,
    bytes: usize,
}

impl Collected {
    pub(super) fn new() -> Self {
        Self {
            lines: std::collections::VecDeque::new(),
            bytes: 0,
        }
    }

    pub(super) fn push(&mut self, line: String) {
        self.bytes += line.len() + 1;
        self.lines.push_back(line);
        while self.bytes > SHOWN_MOST_BYTES {
            match self.lines.pop_front() {
                Some(gone) => self.bytes -= gone.len() + 1,
                None => break,
            }
        }
    }

    pub(super) fn text(self, recent_first: bool) -> String {
        let mut text = String::with_capacity(self.bytes);
        let mut push = |line: String| {
            text.push_str(&line);
            text.push('\n');
        };
        if recent_first {
            self.lines.into_iter().rev().for_each(&mut push);
        } else {
            self.lines.into_iter().for_each(&mut push);
        }
        text
    }
}

/// Reads files into `collected`, keeping the lines that `wanted` says yes to. Files that vanish are skipped: the quota
/// may have taken them.
pub(super) fn collect(
    directory: &LogDirectory,
    names: &[LogFileName],
    collected: &mut Collected,
    mut wanted: impl FnMut(&str) -> bool,
) {
    for name in names {
        let Ok(file) = directory.read(name) else { continue };
        let mut reader = BufReader::new(file);
        let mut bytes = Vec::new();
        while let Ok(count) = read_line(&mut reader, &mut bytes)
            && count > 0
        {
            let line = String::from_utf8_lossy(&bytes);
            let line = line.trim_end_matches('\n');
            if wanted(line) {
                collected.push(line.to_owned());
            }
            bytes.clear();
        }
    }
}

/// One line, or as much of it as is kept whole.
fn read_line(reader: &mut impl BufRead, bytes: &mut Vec<u8>) -> std::io::Result<usize> {
    std::io::Read::take(reader, LINE_MOST_BYTES as u64).read_until(b'\n', bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_are_a_number_and_a_unit() {
        for (text, seconds) in [
            ("1m", 60),
            ("10s", 10),
            ("2d", 172_800),
            ("1M", 2_678_400),
            ("1y", 31_536_000),
        ] {
            assert_eq!(period(text), Some(SignedDuration::from_secs(seconds)), "{text}");
        }
        for text in ["", "m", "1", "-1h", "1x", "9999999999999999y"] {
            assert_eq!(period(text), None, "{text}");
        }
    }

    #[test]
    fn filters_take_what_is_included_and_not_excluded() {
        let filter = LineFilter::new(["Add", ""], ["bob"]).unwrap();
        assert!(filter.passes("AddImage by alice"));
        assert!(!filter.passes("AddImage by bob"));
        assert!(!filter.passes("DeleteImage by alice"));
        assert!(
            LineFilter::new(["("], [])
                .unwrap_err()
                .starts_with("error parsing regexp")
        );
    }

    #[test]
    fn what_a_page_shows_is_bounded_and_the_newest_lines_stay() {
        let mut collected = Collected::new();
        let long = "x".repeat(SHOWN_MOST_BYTES / 4);
        for number in 0..8 {
            collected.push(format!("{number}{long}"));
        }
        let text = collected.text(true);
        assert!(text.len() <= SHOWN_MOST_BYTES);
        assert!(text.starts_with('7'));
    }
}
