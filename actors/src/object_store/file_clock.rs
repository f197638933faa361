//! The clock by which files are stamped, asked seldom enough to cost nothing.

use super::Shared;
use parking_lot::Mutex;
use std::time::{Duration, Instant};

/// How old what it said may be. Asking takes two system calls, as many as reading a small object; what is older than this
/// by its stamp counts as settled all the same.
const ASKED_AGAIN: Duration = Duration::from_millis(500);

/// What the clock said last, and when that was.
#[derive(Default)]
pub(crate) struct FileClock(Mutex<Option<(Instant, i64)>>);

impl Shared {
    /// A time by the clock of the file system that has passed, and not long ago; nanoseconds since 1970. Long ago if it
    /// cannot be asked: then no stamp is settled.
    pub(super) fn file_clock_ns(&self) -> i64 {
        let mut known = self.file_clock.0.lock();
        if let Some((at, clock_ns)) = *known
            && at.elapsed() < ASKED_AGAIN
        {
            return clock_ns;
        }
        let clock_ns = self.backend.clock_ns().unwrap_or(i64::MIN);
        *known = Some((Instant::now(), clock_ns));
        clock_ns
    }
}
