//! What a build is doing and for how long; only on a terminal.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// How often the line is drawn anew.
const PERIOD: Duration = Duration::from_millis(200);
/// Longest line of a log that is looked at, in bytes.
const LINE_BYTES_MOST: usize = 4 << 10;
/// How much of it is shown, in characters.
const SHOWN_CHARACTERS: usize = 100;

/// A line on the terminal that lives as long as this; off a terminal it is nothing.
pub(crate) struct BuildProgress {
    bar: ProgressBar,
    line: Vec<u8>,
}

impl BuildProgress {
    /// Shows that a build was asked for.
    pub(crate) fn begin() -> Self {
        let bar = if std::io::stderr().is_terminal() {
            ProgressBar::new_spinner()
        } else {
            ProgressBar::hidden()
        };
        if let Ok(style) = ProgressStyle::with_template("{spinner} {elapsed} {prefix}{wide_msg}") {
            bar.set_style(style);
        }
        bar.set_message("waiting for the image builder");
        bar.enable_steady_tick(PERIOD);
        Self {
            bar,
            line: Vec::new(),
        }
    }

    /// The last whole line of the log is what is going on.
    pub(crate) fn log(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            if byte != b'\n' {
                if self.line.len() < LINE_BYTES_MOST {
                    self.line.push(byte);
                }
                continue;
            }
            let line = shown(&self.line);
            self.line.clear();
            if !line.is_empty() {
                self.bar.set_message(line);
            }
        }
    }
}

/// A line without what would move the cursor.
fn shown(line: &[u8]) -> String {
    let text = String::from_utf8_lossy(line);
    let printable = text.chars().filter(|character| !character.is_control());
    printable
        .take(SHOWN_CHARACTERS)
        .collect::<String>()
        .trim()
        .to_owned()
}

impl Drop for BuildProgress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_line_of_a_log_cannot_take_over_the_terminal() {
        assert_eq!(super::shown(b"  \x1b[2Jgone\x07 \xff "), "[2Jgone \u{fffd}");
        assert_eq!(super::shown(&[b'x'; 1000]).len(), super::SHOWN_CHARACTERS);
    }
}
