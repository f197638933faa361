//! Filters of manifests and images, compiled: all builds of a process share what they may take of memory, since who writes them is a
//! stranger and several builds run at a time.

use std::time::Duration;

use image::filter::{CompiledFilter, FilterError};
use parking_lot::{Condvar, Mutex};

/// Bytes that one filter may take.
const FILTER_MOST_BYTES: usize = 128 << 20;

/// Bytes that the filters of all builds may take.
const ALL_MOST_BYTES: usize = 512 << 20;

/// Between two looks whether a build that waits is cancelled.
const LOOK: Duration = Duration::from_millis(100);

/// Of this process.
static BUDGET: Budget = Budget::new(ALL_MOST_BYTES);

/// Why there is no filter.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refused {
    /// The lines are none.
    #[error(transparent)]
    Filter(#[from] FilterError),
    /// The build was cancelled while others took too much.
    #[error("build cancelled")]
    Cancelled,
}

/// A filter, and its part of what all may take.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) filter: CompiledFilter,
    pub(crate) part: Part,
}

/// Compiles lines. Waits while the filters of other builds leave no room for the largest that may be; nobody waits with a large filter in
/// hand, so that it ends.
///
/// # Errors
/// A line is no expression; the filter takes too much; the build is cancelled.
pub(crate) fn compiled<'a>(
    lines: impl IntoIterator<Item = &'a str>,
    is_cancelled: &dyn Fn() -> bool,
) -> Result<Held, Refused> {
    BUDGET.compiled(lines, FILTER_MOST_BYTES, is_cancelled)
}

#[derive(Debug)]
struct Budget {
    left: Mutex<usize>,
    freed: Condvar,
}

/// Given back when dropped.
#[derive(Debug)]
pub(crate) struct Part {
    of: &'static Budget,
    bytes: usize,
}

impl Budget {
    const fn new(bytes: usize) -> Self {
        Self {
            left: Mutex::new(bytes),
            freed: Condvar::new(),
        }
    }

    fn compiled<'a>(
        &'static self,
        lines: impl IntoIterator<Item = &'a str>,
        most_bytes: usize,
        is_cancelled: &dyn Fn() -> bool,
    ) -> Result<Held, Refused> {
        let mut part = self.take(most_bytes, is_cancelled).ok_or(Refused::Cancelled)?;
        let (filter, bytes) = CompiledFilter::within(lines, most_bytes)?;
        part.shrink(bytes);
        Ok(Held { filter, part })
    }

    fn take(&'static self, bytes: usize, is_cancelled: &dyn Fn() -> bool) -> Option<Part> {
        let mut left = self.left.lock();
        while *left < bytes {
            if is_cancelled() {
                return None;
            }
            self.freed.wait_for(&mut left, LOOK);
        }
        *left -= bytes;
        Some(Part { of: self, bytes })
    }
}

impl Part {
    fn shrink(&mut self, bytes: usize) {
        let given_back = self.bytes.saturating_sub(bytes);
        self.bytes -= given_back;
        *self.of.left.lock() += given_back;
        self.of.freed.notify_all();
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        self.shrink(0);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicBool, Ordering};

    const MOST: usize = 64 << 20;
    static SMALL: Budget = Budget::new(MOST);

    #[test]
    fn builds_share_what_filters_may_take_and_who_is_cancelled_waits_for_none() {
        let never = || false;
        let large: Vec<String> = (0..8).map(|n| format!("x(a|b)([^{n}]{{300}})")).collect();
        let lines = || large.iter().map(String::as_str);
        let first = SMALL.compiled(lines(), MOST, &never).unwrap();
        assert!(first.part.bytes > 100 << 10, "{}", first.part.bytes);
        assert_eq!(*SMALL.left.lock(), MOST - first.part.bytes);
        // There is no room for another of that size.
        let is_cancelled = AtomicBool::new(false);
        let waits = || is_cancelled.swap(true, Ordering::SeqCst);
        let second = SMALL.compiled(lines(), MOST, &waits);
        assert!(matches!(second, Err(Refused::Cancelled)));
        std::thread::scope(|scope| {
            let third = scope.spawn(|| SMALL.compiled(["/a"], MOST, &never).unwrap().part.bytes);
            drop(first);
            assert!(third.join().unwrap() < 1000);
        });
        let error = SMALL.compiled(["/a", "("], MOST, &never).unwrap_err();
        assert!(error.to_string().contains("missing closing"), "{error}");
        assert_eq!(*SMALL.left.lock(), MOST, "all is given back");
    }
}
