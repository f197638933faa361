//! Results on standard output: lines for people, JSON for programs.

use std::io::{self, BufWriter, ErrorKind, Stdout, Write};

use serde::Serialize;

/// Buffered standard output. Not locked: archives are written to it from another thread.
pub(crate) struct Output(BufWriter<Stdout>);

impl Output {
    pub(crate) fn new() -> Output {
        Output(BufWriter::with_capacity(64 << 10, io::stdout()))
    }

    /// One line; the end is added. Texts of an image that are not UTF-8 come out with the bytes they have.
    pub(crate) fn line(&mut self, line: impl AsRef<[u8]>) -> io::Result<()> {
        let line = line.as_ref();
        match str::from_utf8(line) {
            Ok(text) => self.0.write_all(&gob::text::to_bytes(text))?,
            Err(_) => self.0.write_all(line)?,
        }
        self.0.write_all(b"\n")
    }

    /// One object on one line.
    pub(crate) fn json(&mut self, value: &impl Serialize) -> anyhow::Result<()> {
        Ok(self.0.write_all(&image::go_json::to_line(value)?)?)
    }

    /// Indented by four spaces, as the original shows JSON.
    pub(crate) fn pretty_json(&mut self, value: &impl Serialize) -> anyhow::Result<()> {
        Ok(self.0.write_all(&image::go_json::to_pretty(value)?)?)
    }

    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl Write for Output {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.0.write(data)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Whether an error means that nobody reads our output any more.
pub(crate) fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .downcast_ref::<io::Error>()
        .is_some_and(|e| e.kind() == ErrorKind::BrokenPipe)
}
