//! How slowly a file may come from another server: one that never ends would hold its place among the uploads for ever. The
//! client that waits for it is no help, since it may be another program of whoever runs that server.

use std::pin::pin;
use std::time::Duration;

use bytes::Bytes;
use repository::{ApiError, Code, Result};
use tokio::time::{Instant, timeout_at};

/// How long one file may take in all: the largest there may be at some 250 kB/s.
const TOTAL: Duration = Duration::from_secs(24 * 3600);
/// Within so much time of waiting for the other server …
const WINDOW: Duration = Duration::from_secs(120);
/// … at least so many bytes have to come.
const LEAST_BYTES: u64 = 1 << 20;

/// The pace of one file.
pub(super) struct Pace {
    ends: Instant,
    /// Of the window: time waited for the other server alone, since the disk here may be slow, too.
    waited: Duration,
    /// Of the window.
    bytes: u64,
}

impl Pace {
    /// From now on.
    pub(super) fn begin() -> Self {
        Self {
            ends: Instant::now() + TOTAL,
            waited: Duration::ZERO,
            bytes: 0,
        }
    }

    /// Waits for the next piece.
    ///
    /// # Errors
    /// Those of `next`; it came too slowly.
    pub(super) async fn next(
        &mut self,
        next: impl Future<Output = Result<Option<Bytes>>>,
    ) -> Result<Option<Bytes>> {
        let mut next = pin!(next);
        loop {
            let begun = Instant::now();
            let until = self.ends.min(begun + WINDOW.saturating_sub(self.waited));
            let came = timeout_at(until, next.as_mut()).await;
            self.waited += begun.elapsed();
            if let Ok(came) = came {
                self.bytes +=
                    came.as_ref()
                        .map_or(0, |piece| piece.as_ref().map_or(0, Bytes::len)) as u64;
                return came;
            }
            if until == self.ends {
                let hours = TOTAL.as_secs() / 3600;
                return Err(too_slow(&format!("it takes more than {hours} hours")));
            }
            if self.bytes < LEAST_BYTES {
                let seconds = WINDOW.as_secs();
                return Err(too_slow(&format!("{} bytes in {seconds} s", self.bytes)));
            }
            (self.waited, self.bytes) = (Duration::ZERO, 0);
        }
    }
}

fn too_slow(what: &str) -> ApiError {
    ApiError::new(
        Code::Download,
        format!("the other server sends too slowly: {what}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A server that sends so many bytes each time, in virtual time; what it had sent when it was given up.
    async fn sent(
        bytes: usize,
        each: Duration,
        pieces: usize,
    ) -> std::result::Result<usize, (usize, String)> {
        let (mut pace, mut sent) = (Pace::begin(), 0);
        let piece = Bytes::from(vec![0; bytes]);
        for _ in 0..pieces {
            let next = async {
                tokio::time::sleep(each).await;
                Ok(Some(piece.clone()))
            };
            match pace.next(next).await {
                Ok(_) => sent += bytes,
                Err(error) => return Err((sent, error.message().to_owned())),
            }
        }
        Ok(sent)
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_drips_is_given_up_and_a_slow_one_is_not() {
        let second = Duration::from_secs(1);
        let (dripped, why) = sent(1, second, 1000).await.unwrap_err();
        assert!(dripped <= 120 && why.contains("too slowly"), "{dripped}: {why}");
        // Nothing at all, as nothing but the time of this bound has to pass.
        assert_eq!(sent(1 << 20, 1000 * second, 1).await.unwrap_err().0, 0);
        assert_eq!(sent(16 << 10, second, 5000).await.unwrap(), 5000 << 14);
    }

    #[tokio::test(start_paused = true)]
    async fn a_file_that_takes_more_than_a_day_is_given_up() {
        let (sent, why) = sent(2 << 20, Duration::from_secs(100), 1000).await.unwrap_err();
        assert!(why.contains("24 hours"), "{why}");
        assert!((800 << 21..=864 << 21).contains(&sent), "{sent}");
    }
}
