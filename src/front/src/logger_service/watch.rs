//! Watch: the log as it is written.

use std::time::Duration;

use protocol::logger::{WatchRequest, WatchResponse};
use srpc::{Call, Conn, Raw, RawError};

use super::check_name;
use crate::logs::{LineFilter, Logs};

/// Lines are collected this long before they are sent.
const FLUSH_EVERY: Duration = Duration::from_millis(100);

/// Streams lines till the client leaves or falls behind.
pub(super) struct Watch(pub(super) Logs);

impl Raw for Watch {
    const NAME: &'static str = "Watch";

    async fn serve(&self, call: &Call, conn: &mut Conn) -> Result<(), RawError> {
        let request: WatchRequest = conn.read_value().await?;
        let filter = match admitted(&request) {
            Ok(filter) => filter,
            Err(error) => {
                conn.write_value(&WatchResponse { error }).await?;
                conn.flush().await?;
                return Ok(());
            }
        };
        // Registered before the answer goes out: what is logged after the client has it, it gets.
        let mut watch = self.0.watch(filter, request.debug_level);
        conn.write_value(&WatchResponse { error: String::new() }).await?;
        conn.flush().await?;
        loop {
            let first = tokio::select! {
                biased;
                () = call.draining.cancelled() => return Err(RawError::close_client()),
                _ = conn.closed() => return Err(RawError::close_client()),
                line = watch.next() => line,
            };
            let Some(first) = first else {
                return Err(RawError::from("log watcher dropped: it fell behind"));
            };
            conn.write_line(first.full()).await?;
            tokio::time::sleep(FLUSH_EVERY).await;
            while let Some(line) = watch.ready() {
                conn.write_line(line.full()).await?;
            }
            conn.flush().await?;
        }
    }
}

fn admitted(request: &WatchRequest) -> Result<LineFilter, String> {
    check_name(&request.name)?;
    LineFilter::new([request.include_regex.as_str()], [request.exclude_regex.as_str()])
}
