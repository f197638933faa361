//! Ends a build that takes more of the disk than it may, or that fills it.
//!
//! Ordinary file systems cannot limit a directory, so this looks from time to time: how much is free, and, where there is a limit,
//! how much the tree has. What a build writes between two looks is not prevented; the reserve is there for that.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::overseer::Overseer;
use crate::disk_use::{full, used};

/// Time between two looks at what is free.
const PERIOD: Duration = Duration::from_millis(500);

/// Looking at a tree takes at most one part in so many of the time.
const REST_FACTOR: u32 = 20;

/// How often in a row a tree may change so fast that it cannot be counted, before the build is ended: one that only works does so
/// once in a while.
const MOST_UNCOUNTED: u32 = 20;

/// Watches until it is dropped.
pub(crate) struct DiskWatch {
    _stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl DiskWatch {
    /// `most_bytes`: what the build may add to what is in `places` now.
    pub(crate) fn start(
        places: Vec<PathBuf>,
        most_bytes: Option<u64>,
        overseer: &Arc<Overseer>,
    ) -> DiskWatch {
        let (stop, stopped) = channel();
        let overseer = Arc::clone(overseer);
        let work = move || {
            let before = most_bytes.map(|most| (most, used(&places).unwrap_or(0)));
            let mut pause = PERIOD;
            let mut uncounted = 0;
            while stopped.recv_timeout(pause) == Err(RecvTimeoutError::Timeout) {
                let began = Instant::now();
                if let Some(reason) = look(&places, before, &mut uncounted) {
                    overseer.stop(reason);
                    return;
                }
                pause = PERIOD.max(began.elapsed() * REST_FACTOR);
            }
        };
        let thread = std::thread::Builder::new()
            .name("disk-watch".to_owned())
            .spawn(work);
        DiskWatch {
            _stop: Some(stop),
            thread: thread.ok(),
        }
    }
}

impl Drop for DiskWatch {
    fn drop(&mut self) {
        self._stop = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Why the build is to end, if it is.
fn look(places: &[PathBuf], limit: Option<(u64, u64)>, uncounted: &mut u32) -> Option<String> {
    if let Some(reason) = places.iter().find_map(|place| full(place)) {
        return Some(reason);
    }
    let (most, before) = limit?;
    let Ok(now) = used(places) else {
        *uncounted += 1;
        return (*uncounted >= MOST_UNCOUNTED).then(|| {
            "the build moves its directories about so fast that nobody can tell what is in them, and there is a limit".to_owned()
        });
    };
    *uncounted = 0;
    (now.saturating_sub(before) > most).then(|| {
        format!(
            "the build has put more than {} on the disk, which is the limit",
            human::bytes(most)
        )
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use rustix::fs::{Mode, OFlags, mkdirat, openat};

    use super::*;
    use crate::in_root::DIRECTORY;

    #[test]
    fn what_lies_deeper_than_any_path_is_long_counts_like_all_else() {
        let place = tempfile::tempdir().unwrap();
        let mut here = rustix::fs::open(place.path(), DIRECTORY, Mode::empty()).unwrap();
        for _ in 0..1000 {
            mkdirat(&here, "deep-deep", Mode::RWXU).unwrap();
            here = openat(&here, "deep-deep", DIRECTORY, Mode::empty()).unwrap();
        }
        let places = [place.path().to_owned()];
        let before = used(&places).unwrap();
        let file = openat(&here, "file", OFlags::WRONLY | OFlags::CREATE, Mode::RUSR).unwrap();
        rustix::io::write(&file, &[1; 1 << 16]).unwrap();
        let mut uncounted = 0;
        assert_eq!(look(&places, Some((1 << 17, before)), &mut uncounted), None);
        let reason = look(&places, Some((1 << 15, before)), &mut uncounted).unwrap();
        assert!(reason.contains("which is the limit"), "{reason}");
        crate::delete::delete_tree(place.path()).unwrap();
    }
}
