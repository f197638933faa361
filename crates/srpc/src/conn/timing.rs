//! How long things may take.

use std::future::Future;
use std::io;
use std::time::Duration;

use tokio::time::Instant;

use super::ConnError;

/// No byte for this long inside a message or a transfer, in either direction, ends the connection.
pub const STALL_TIMEOUT: Duration = Duration::from_secs(300);

/// How long the next byte may take.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Patience {
    /// As long as the peer likes: between calls, and between the messages of a stream.
    Endless,
    /// The stall timeout: inside a message or a transfer.
    Stall,
}

#[derive(Clone, Copy)]
pub(super) struct Timing {
    pub(super) stall_timeout: Duration,
    pub(super) deadline: Option<Instant>,
}

impl Timing {
    pub(super) fn new() -> Self {
        Self {
            stall_timeout: STALL_TIMEOUT,
            deadline: None,
        }
    }

    pub(super) async fn limit<T>(
        self,
        patience: Patience,
        work: impl Future<Output = io::Result<T>>,
    ) -> Result<T, ConnError> {
        let stall_end = (patience == Patience::Stall).then(|| Instant::now() + self.stall_timeout);
        let end = match (stall_end, self.deadline) {
            (Some(stall_end), Some(deadline)) => stall_end.min(deadline),
            (Some(end), None) | (None, Some(end)) => end,
            (None, None) => return Ok(work.await?),
        };
        match tokio::time::timeout_at(end, work).await {
            Ok(result) => Ok(result?),
            Err(_) if self.deadline == Some(end) => Err(ConnError::DeadlineExceeded),
            Err(_) => Err(ConnError::Stalled(self.stall_timeout)),
        }
    }
}
