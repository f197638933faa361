//! A clock that is set back.

use super::Cycles;
use std::time::{Duration, SystemTime};

impl Cycles {
    /// To be called often. When the clock was set back since the last time, everything that was to be at some time is so much earlier:
    /// else nothing would be built until the clock is again where it was. By how much it was set back.
    pub(super) fn look_at_clock(&mut self, now: SystemTime) -> Duration {
        let last = self.last_look.replace(now);
        let back = last.and_then(|last| last.duration_since(now).ok());
        let back = back.unwrap_or_default();
        if !back.is_zero() {
            let ahead = self.next_at.iter_mut().chain(&mut self.disabled_until);
            let pauses = self.failures.values_mut().map(|known| &mut known.until);
            let late = self.late.values_mut().map(|late| &mut late.started_at);
            let cycle = self.cycle.iter_mut().map(|cycle| &mut cycle.started_at);
            let all = ahead
                .chain(pauses)
                .chain(late)
                .chain(cycle)
                .chain(self.good.values_mut());
            all.for_each(|at| set_back(at, back));
        }
        back
    }
}

/// Before all time is as good as its beginning.
pub(super) fn set_back(at: &mut SystemTime, by: Duration) {
    *at = at.checked_sub(by).unwrap_or(SystemTime::UNIX_EPOCH);
}
