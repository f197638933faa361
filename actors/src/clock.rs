//! The wall clock, by which images expire. Everything else counts on the monotonic one.

use gob::Time;
use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

/// Tells what time it is. A program takes the system's; a test may bring its own, since nobody can wait for days.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> SystemTime + Send + Sync>);

impl Clock {
    /// A clock that shows what `now` returns. Who sets it forward tells the index with
    /// [`look_at_clock`](crate::ImageIndex::look_at_clock); else that takes up to
    /// [`Config::look_at_clock`](crate::Config::look_at_clock).
    pub fn new(now: impl Fn() -> SystemTime + Send + Sync + 'static) -> Clock {
        Clock(Arc::new(now))
    }

    pub(crate) fn system_time(&self) -> SystemTime {
        (self.0)()
    }

    pub(crate) fn now(&self) -> Time {
        self.system_time().into()
    }
}

impl Default for Clock {
    fn default() -> Self {
        Clock::new(SystemTime::now)
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Clock")
    }
}
