//! What the scrubber is told at the start.

use crate::replicator::Connect;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Default rate, bytes per second: a terabyte takes half a day, and a disk hardly notices.
const RATE_BYTES: u64 = 20 << 20;

/// Default time from the end of a pass to the next.
const INTERVAL: Duration = Duration::from_secs(30 * 24 * 3600);

/// A process that was just started has other things to do.
const FIRST_PAUSE: Duration = Duration::from_secs(15 * 60);

/// Time between two looks for something to repair.
const REPAIR_PAUSE: Duration = Duration::from_secs(60);

/// How everything is read again and repaired.
#[derive(Debug, Clone)]
pub struct Scrubbing {
    /// Bytes read per second at most; 0 for as fast as one thread can.
    pub rate_bytes: u64,
    /// From the end of a pass to the next; zero for no passes but those asked for.
    pub interval: Duration,
    /// From the start of the process to the first pass at least.
    pub first_pause: Duration,
    /// Between two looks for something to repair while no pass is under way.
    pub repair_pause: Duration,
    /// Servers to repair from, in this order, after the upstream.
    pub sources: Vec<RepairSource>,
}

/// A server that may have whole copies of what is damaged here.
#[derive(Clone)]
pub struct RepairSource {
    /// `HOST:PORT`, as people are told it.
    pub name: String,
    /// How to connect to it. Asked anew for each connection, since certificates are reloaded.
    pub connect: Arc<dyn Fn() -> srpc::ConnectOptions + Send + Sync>,
}

impl RepairSource {
    pub(super) fn connect(&self) -> Connect {
        self.connect.clone()
    }
}

impl Default for Scrubbing {
    fn default() -> Self {
        Scrubbing {
            rate_bytes: RATE_BYTES,
            interval: INTERVAL,
            first_pause: FIRST_PAUSE,
            repair_pause: REPAIR_PAUSE,
            sources: Vec::new(),
        }
    }
}

impl fmt::Debug for RepairSource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("RepairSource")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
