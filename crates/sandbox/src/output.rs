//! A command's output, line by line.

use std::io::{BufRead, BufReader, Read};

/// Longest line, bytes; a longer one is given in parts, so that a program that never ends its line fills no memory.
const LINE_MOST_BYTES: u64 = 16 << 10;

/// A line of output, as it came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line<'a> {
    /// Without the end of the line.
    pub bytes: &'a [u8],
    /// Whether the line ended here; else its rest comes next.
    pub is_whole: bool,
}

impl Line<'_> {
    /// As text; bytes that are none are replaced.
    pub fn text(&self) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(self.bytes)
    }
}

/// Reads to the end, or to an error, which is the end as well.
pub(crate) fn read(from: impl Read, mut line: impl FnMut(Line<'_>)) {
    let mut from = BufReader::new(from);
    let mut bytes = Vec::new();
    loop {
        bytes.clear();
        match from.by_ref().take(LINE_MOST_BYTES).read_until(b'\n', &mut bytes) {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
        let is_whole = bytes.last() == Some(&b'\n');
        if is_whole {
            bytes.pop();
        }
        line(Line {
            bytes: &bytes,
            is_whole,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_without_end_comes_in_parts() {
        let long = "x".repeat(LINE_MOST_BYTES as usize + 5);
        let input = format!("one\n\n{long}\nlast");
        let mut lines = Vec::new();
        read(input.as_bytes(), |line| {
            lines.push((line.text().into_owned(), line.is_whole));
        });
        assert_eq!(lines[0], ("one".to_owned(), true));
        assert_eq!(lines[1], (String::new(), true));
        assert_eq!((lines[2].0.len() as u64, lines[2].1), (LINE_MOST_BYTES, false));
        assert_eq!(lines[3], ("xxxxx".to_owned(), true));
        assert_eq!(lines[4], ("last".to_owned(), false));
    }
}
