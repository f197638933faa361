//! Reading no faster than we are told.

use std::time::Duration;
use tokio::time::Instant;

/// Paid for what was read; time in which nothing was read is not saved up.
#[derive(Default)]
pub(super) struct Pace {
    next: Option<Instant>,
}

/// One sleep at most, so that a rate that was raised is noticed.
const LONGEST_SLEEP: Duration = Duration::from_secs(5);

impl Pace {
    /// Returns when so many bytes may have been read at what `rate_bytes` says, bytes per second; at once for 0.
    pub(super) async fn pay(&mut self, bytes: u64, rate_bytes: impl Fn() -> u64) {
        let mut left = bytes as f64;
        loop {
            let rate = rate_bytes();
            if rate == 0 {
                self.next = None;
                return;
            }
            let now = Instant::now();
            let step = (left / rate as f64).min(LONGEST_SLEEP.as_secs_f64());
            let at = self.next.unwrap_or(now).max(now) + Duration::from_secs_f64(step);
            self.next = Some(at);
            tokio::time::sleep_until(at).await;
            left -= step * rate as f64;
            if left < 1.0 {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_read_takes_the_time_that_the_rate_says_and_an_unlimited_one_takes_none() {
        let mut pace = Pace::default();
        let start = Instant::now();
        for _ in 0..4 {
            pace.pay(1000, || 20_000).await;
        }
        assert!(start.elapsed() >= Duration::from_millis(199));
        pace.pay(u64::MAX, || 0).await;
    }
}
