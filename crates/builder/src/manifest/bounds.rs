//! What git may take of this host.
//!
//! A repository is named by who writes the streams file, but what is in it comes from whoever may push to it, and what is sent from its
//! server. git has no bounds of its own, and runs outside of any sandbox.

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::fs::{Mode, OFlags, open};
use rustix::io::write;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::disk_use::{full, used};

/// Bytes on the disk of a fetched manifest and of what git keeps beside it.
pub(super) const MANIFEST_MOST_BYTES: u64 = 4 << 30;
/// The same where only files of a few bytes are wanted: configurations, files named `manifest`.
pub(super) const FILE_MOST_BYTES: u64 = 1 << 30;
/// Bytes of memory that one process of git may write to. It reads contents up to 64 MiB whole, and several times.
const MEMORY_MOST_BYTES: u64 = 2 << 30;
/// By which the kernel chooses whom to end for memory (-1000 to 1000).
const SCORE: i32 = 500;
/// Where a process has it.
const SCORE_FILE: &str = "/proc/self/oom_score_adj";
/// Between two looks at the disk.
const PERIOD: Duration = Duration::from_millis(250);
/// Looking takes at most one part in so many of the time.
const REST_FACTOR: u32 = 10;

/// A directory and how much may come into it.
pub(super) struct DiskBound {
    places: [PathBuf; 1],
    most_bytes: u64,
    next: Instant,
}

impl DiskBound {
    pub(super) fn new(place: &Path, most_bytes: u64) -> Self {
        Self {
            places: [place.to_owned()],
            most_bytes,
            next: Instant::now() + PERIOD,
        }
    }

    /// When to look again.
    pub(super) fn next(&self) -> Instant {
        self.next
    }

    /// Why what writes there is to end, if it is. What is written between two looks is not prevented, but no file gets larger than all
    /// may be: see [`limit`].
    pub(super) fn look(&mut self) -> Option<String> {
        let began = Instant::now();
        let reason = full(&self.places[0]).or_else(|| {
            // git moves files about, not directories that it looks into: an error is nothing that lasts.
            let bytes = used(&self.places).unwrap_or(0);
            (bytes > self.most_bytes).then(|| {
                let most = human::bytes(self.most_bytes);
                format!("the repository takes more than {most} on the disk, which is the limit")
            })
        });
        let now = Instant::now();
        self.next = now + PERIOD.max((now - began) * REST_FACTOR);
        reason
    }
}

/// The process and all it starts write no file larger than that, use no more memory than git needs, and leave no core file: the host may
/// give those to a program of its own. Where memory lacks they end before the daemon does.
pub(super) fn limit(command: &mut Command, file_most_bytes: u64) {
    let limits = [
        (Resource::Core, 0),
        (Resource::Data, MEMORY_MOST_BYTES),
        (Resource::Fsize, file_most_bytes),
    ];
    // To be more likely is always permitted, to be less is not: in a container this program may be the first to be ended already.
    let score = SCORE.max(own_score()).to_string();
    // SAFETY: between fork and exec only system calls are made, which allocate nothing and take no lock.
    unsafe {
        command.pre_exec(move || {
            for (resource, most) in limits {
                let is = getrlimit(resource);
                // Without rights a limit can only be made smaller.
                let most = Some(is.maximum.map_or(most, |is| is.min(most)));
                let both = Rlimit {
                    current: most,
                    maximum: most,
                };
                setrlimit(resource, both)?;
            }
            // Where memory lacks it goes before the daemon, whose score it has.
            let file = open(SCORE_FILE, OFlags::WRONLY, Mode::empty())?;
            write(file, score.as_bytes())?;
            Ok(())
        });
    }
}

fn own_score() -> i32 {
    let text = std::fs::read_to_string(SCORE_FILE).unwrap_or_default();
    text.trim().parse().unwrap_or(0)
}
