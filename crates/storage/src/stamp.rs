//! What tells a file that nobody touched from one that somebody did.

use rustix::fs::Stat;

/// Steps in which the clock of a file system ticks at most: 4 to 10 ms on older kernels, less on newer ones. Ten times the
/// largest of them.
const TICK_NS: i64 = 100_000_000;

/// The same where times have no fractions of a second (some network and foreign file systems), or happen to have none.
const WHOLE_SECONDS_TICK_NS: i64 = 2_000_000_000;

const SECOND_NS: i64 = 1_000_000_000;

/// Size, change time and inode of a file. Any write, truncation, link or replacement changes at least one of them, as
/// far as the clock of the file system can tell (about 4 ms on older kernels): see [`is_settled`](Stamp::is_settled).
/// There is no place for the time of modification in it: whatever changes that one changes ctime as well, which nobody
/// can set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Stamp {
    /// Length in bytes.
    pub size: u64,
    /// Time of the last change of the inode, nanoseconds since 1970.
    pub ctime_ns: i64,
    /// Inode number.
    pub inode: u64,
}

impl Stamp {
    // The casts change nothing on the 64-bit targets we build for; the field types differ between architectures.
    #[allow(clippy::unnecessary_cast)]
    pub(crate) fn of(stat: &Stat) -> Stamp {
        Stamp {
            size: stat.st_size as u64,
            ctime_ns: (stat.st_ctime as i64)
                .saturating_mul(SECOND_NS)
                .saturating_add(stat.st_ctime_nsec as i64),
            inode: stat.st_ino as u64,
        }
    }

    /// Whether a change after `now_ns` (of the same file system's clock) must give another stamp: the last one was so
    /// long ago that the clock has ticked since. What was read earlier than that may change without a trace in the
    /// stamp, so nobody may rely on it later.
    pub fn is_settled(&self, now_ns: i64) -> bool {
        let tick = if self.ctime_ns % SECOND_NS == 0 {
            WHOLE_SECONDS_TICK_NS
        } else {
            TICK_NS
        };
        self.ctime_ns.saturating_add(tick) < now_ns
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_is_settled_once_the_clock_has_ticked() {
        let at = |ctime_ns| Stamp {
            size: 1,
            ctime_ns,
            inode: 1,
        };
        let changed = 5 * SECOND_NS + 1;
        assert!(!at(changed).is_settled(changed));
        assert!(!at(changed).is_settled(changed + TICK_NS));
        assert!(at(changed).is_settled(changed + TICK_NS + 1));
        // A clock that was set back settles nothing.
        assert!(!at(changed).is_settled(changed - SECOND_NS));
        let whole = 5 * SECOND_NS;
        assert!(!at(whole).is_settled(whole + SECOND_NS));
        assert!(at(whole).is_settled(whole + 3 * SECOND_NS));
    }
}
