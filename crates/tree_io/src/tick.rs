//! How coarse the clock of a file system is.

use std::io;
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, Instant};

/// A clock that has not moved for so long is broken.
const LONGEST_TICK: Duration = Duration::from_secs(1);

/// The time between two times of change that a file system tells apart: microseconds on a recent kernel, else some milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tick(Duration);

impl Tick {
    /// Measured with a temporary file in `directory`, which is written to until its time of change moves.
    ///
    /// # Errors
    /// The file cannot be made, or its time does not move.
    pub fn measure(directory: &Path) -> io::Result<Tick> {
        let mut file = tempfile::tempfile_in(directory)?;
        let began = Instant::now();
        let mut before = None;
        loop {
            file.write_all(b"x")?;
            let metadata = file.metadata()?;
            let now = (metadata.ctime(), metadata.ctime_nsec());
            match before {
                // The first tick was half over when it began.
                None => before = Some((now, 0)),
                Some((time, 0)) if time != now => before = Some((now, 1)),
                Some((time, _)) if time != now => return Ok(Tick(began.elapsed())),
                _ if began.elapsed() > LONGEST_TICK => {
                    let why = "the time of change of a file does not move";
                    return Err(io::Error::other(why));
                }
                _ => {}
            }
        }
    }

    /// Waits until the clock has moved on for sure.
    pub fn wait(self) {
        std::thread::sleep(self.0);
    }

    /// How long that takes, at least.
    pub fn duration(self) -> Duration {
        self.0
    }
}
