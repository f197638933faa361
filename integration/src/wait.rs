//! Waiting for what comes in its own time.

use std::time::{Duration, Instant};

/// Far more than anything takes here; only what is broken reaches it.
pub const PATIENCE: Duration = Duration::from_secs(90);

/// Time between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Asks until the answer is yes.
///
/// # Panics
/// It is still no after [`PATIENCE`].
pub fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    until_some(what, || is_so().then_some(()));
}

/// Looks until something is there.
///
/// # Panics
/// Nothing is there after [`PATIENCE`].
pub fn until_some<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "{what}: not within {PATIENCE:?}");
        std::thread::sleep(LOOK_EVERY);
    }
}
