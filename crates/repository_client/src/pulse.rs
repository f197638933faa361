//! Whether an upload still moves. The library below has no time-out for a body that stands still: its own run from the
//! beginning of the request.

use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::time::Duration;

use crate::ClientError;

/// What the body of a request waits for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Waiting {
    /// The network takes the piece that it got last.
    Network = 0,
    /// Whoever makes the bytes; that may take as long as it likes.
    Source = 1,
    /// The answer: all is sent.
    Answer = 2,
}

/// Set by the body, read by who waits.
#[derive(Default)]
pub(crate) struct Pulse {
    pieces: AtomicU64,
    waiting: AtomicU8,
}

impl Pulse {
    pub(crate) fn waits(&self, waiting: Waiting) {
        self.pieces.fetch_add(1, Ordering::Relaxed);
        self.waiting.store(waiting as u8, Ordering::Relaxed);
    }

    /// Waits for a request whose body reports here, as long as something moves.
    pub(crate) async fn guard<T>(
        &self,
        request: impl Future<Output = T>,
        idle: Duration,
        answer: Duration,
    ) -> Result<T, ClientError> {
        let mut request = std::pin::pin!(request);
        loop {
            let before = self.pieces.load(Ordering::Relaxed);
            let waiting = self.waiting.load(Ordering::Relaxed);
            let (what, patience) = if waiting == Waiting::Answer as u8 {
                ("waiting for the repository's answer", answer)
            } else {
                ("sending", idle)
            };
            tokio::select! {
                done = &mut request => return Ok(done),
                () = tokio::time::sleep(patience) => {}
            }
            let has_moved = self.pieces.load(Ordering::Relaxed) != before;
            if !has_moved && waiting != Waiting::Source as u8 {
                return Err(ClientError::TimedOut { what, patience });
            }
        }
    }
}
