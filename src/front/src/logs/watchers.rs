//! Who follows the log.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI16, AtomicU64, Ordering};

use parking_lot::Mutex;
use tokio::sync::mpsc;

use super::{ALWAYS, Line, LineFilter, Logs};

/// Lines a watcher may fall behind before it is dropped (`imageserver.md §5`).
const BEHIND_MOST_LINES: usize = 256;

pub(super) struct Watchers {
    members: Mutex<Vec<Member>>,
    next: AtomicU64,
    level: AtomicI16,
    is_empty: AtomicBool,
}

struct Member {
    id: u64,
    level: i16,
    filter: LineFilter,
    lines: mpsc::Sender<Arc<Line>>,
}

/// The lines of the log from now on. Its end means that this watcher fell behind by 256 lines and was dropped.
pub struct Watch {
    id: u64,
    logs: Logs,
    lines: mpsc::Receiver<Arc<Line>>,
}

impl Default for Watchers {
    fn default() -> Self {
        Self {
            members: Mutex::default(),
            next: AtomicU64::new(0),
            level: AtomicI16::new(ALWAYS),
            is_empty: AtomicBool::new(true),
        }
    }
}

impl Watchers {
    pub(super) fn add(&self, logs: Logs, filter: LineFilter, level: i16) -> Watch {
        let (sender, lines) = mpsc::channel(BEHIND_MOST_LINES);
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let mut members = self.members.lock();
        members.push(Member {
            id,
            level,
            filter,
            lines: sender,
        });
        self.refresh(&members);
        Watch { id, logs, lines }
    }

    pub(super) fn remove(&self, id: u64) {
        let mut members = self.members.lock();
        members.retain(|member| member.id != id);
        self.refresh(&members);
    }

    /// The highest debug level any watcher wants.
    pub(super) fn level(&self) -> i16 {
        self.level.load(Ordering::Relaxed)
    }

    /// Whether nobody follows, so that a line which is not kept need not be made.
    pub(super) fn is_empty(&self) -> bool {
        self.is_empty.load(Ordering::Relaxed)
    }

    pub(super) fn offer(&self, line: &Arc<Line>) {
        if self.is_empty() {
            return;
        }
        let mut members = self.members.lock();
        let before = members.len();
        members.retain(|member| {
            let wants = line.level() <= member.level && member.filter.passes(line.text());
            !wants || member.lines.try_send(Arc::clone(line)).is_ok()
        });
        if members.len() != before {
            self.refresh(&members);
        }
    }

    fn refresh(&self, members: &[Member]) {
        let level = members.iter().map(|member| member.level).max().unwrap_or(ALWAYS);
        self.level.store(level, Ordering::Relaxed);
        self.is_empty.store(members.is_empty(), Ordering::Relaxed);
    }
}

impl Watch {
    /// The next line, or `None` when this watcher was dropped for being too slow.
    pub async fn next(&mut self) -> Option<Arc<Line>> {
        self.lines.recv().await
    }

    /// A line that is there already.
    pub fn ready(&mut self) -> Option<Arc<Line>> {
        self.lines.try_recv().ok()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.logs.unwatch(self.id);
    }
}
