//! What a build is doing and for how long; only on a terminal.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::usual;

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
    begun: Instant,
    /// Where it is remembered how long builds take; nowhere off a terminal.
    durations: Option<PathBuf>,
    server: String,
    stream: String,
}

impl BuildProgress {
    /// Shows that a build of a stream was asked of a server.
    pub(crate) fn begin(server: &str, stream: &str) -> Self {
        let is_terminal = std::io::stderr().is_terminal();
        let bar = if is_terminal {
            ProgressBar::new_spinner()
        } else {
            ProgressBar::hidden()
        };
        let durations = usual::file().filter(|_| is_terminal);
        let usual = durations
            .as_ref()
            .and_then(|file| usual::usual(file, server, stream));
        if let Some(usual) = usual {
            bar.set_prefix(format!("of {} usually; ", human::duration(usual)));
        }
        if let Ok(style) = ProgressStyle::with_template("{spinner} {elapsed} {prefix}{wide_msg}") {
            bar.set_style(style);
        }
        bar.set_message("waiting for the image builder");
        bar.enable_steady_tick(PERIOD);
        Self {
            bar,
            line: Vec::new(),
            begun: Instant::now(),
            durations,
            server: server.to_owned(),
            stream: stream.to_owned(),
        }
    }

    /// The build went well: how long it took is worth remembering.
    pub(crate) fn went_well(&self) {
        if let Some(file) = &self.durations {
            usual::remember(file, &self.server, &self.stream, self.begun.elapsed());
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
