//! What tells a file that nobody touched from one that somebody did.

use rustix::fs::Stat;

/// Size, change time and inode of a file. Any write, truncation, link or replacement changes at least one of them, as
/// far as the clock of the file system can tell (about 4 ms on older kernels).
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
                .saturating_mul(1_000_000_000)
                .saturating_add(stat.st_ctime_nsec as i64),
            inode: stat.st_ino as u64,
        }
    }
}
