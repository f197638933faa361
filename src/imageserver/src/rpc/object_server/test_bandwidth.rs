//! `ObjectServer.TestBandwidth` (`imageserver.md §4.5`).

use std::time::{Duration, Instant};

use crate::rpc::prelude::*;
use protocol::object_server::{TestBandwidthRequest, TestBandwidthResponse};

/// Largest chunk, in bytes.
const CHUNK_BYTES_MAX: u64 = 65_535;
/// Shortest and longest time the server sends for.
const SEND_DURATIONS: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));
/// Marker after a chunk that is not the last one.
const MORE: u8 = 1;
/// Marker after the last chunk.
const LAST: u8 = 0;

/// Sends or takes random bytes for a while.
pub(crate) struct TestBandwidth;

impl Raw for TestBandwidth {
    const NAME: &'static str = "TestBandwidth";

    fn limits(&self) -> gob::Limits {
        limits::small()
    }

    async fn serve(&self, call: &Call, conn: &mut Conn) -> Result<(), RawError> {
        let request: TestBandwidthRequest = conn.read_value().await?;
        if request.chunk_size > CHUNK_BYTES_MAX {
            return Err(format!("chunk of {} bytes: at most {CHUNK_BYTES_MAX}", request.chunk_size).into());
        }
        // Cannot be cut: checked above.
        let mut chunk = vec![0; request.chunk_size as usize + 1];
        let elapsed = if request.send_to_server {
            receive(conn, &mut chunk).await?
        } else {
            let wanted = request.duration.to_std().unwrap_or_default();
            send(
                call,
                conn,
                &mut chunk,
                wanted.clamp(SEND_DURATIONS.0, SEND_DURATIONS.1),
            )
            .await?
        };
        conn.write_value(&TestBandwidthResponse {
            server_duration: elapsed.into(),
        })
        .await?;
        Ok(())
    }
}

async fn receive(conn: &mut Conn, chunk: &mut [u8]) -> Result<Duration, RawError> {
    let start = Instant::now();
    loop {
        conn.read_exact(chunk).await?;
        if chunk.last() == Some(&LAST) {
            return Ok(start.elapsed());
        }
    }
}

async fn send(
    call: &Call,
    conn: &mut Conn,
    chunk: &mut [u8],
    wanted: Duration,
) -> Result<Duration, RawError> {
    crate::random::fill(chunk)?;
    let start = Instant::now();
    loop {
        let is_last = start.elapsed() >= wanted || call.draining.is_cancelled();
        if let Some(marker) = chunk.last_mut() {
            *marker = if is_last { LAST } else { MORE };
        }
        conn.write_all(chunk).await?;
        if is_last {
            conn.flush().await?;
            return Ok(start.elapsed());
        }
    }
}
