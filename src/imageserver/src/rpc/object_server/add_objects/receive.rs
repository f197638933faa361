//! The bytes of one object, off the connection.

use std::sync::Arc;

use srpc::{Conn, RawError};
use storage::{ObjectBackend, Staged};
use tokio::sync::mpsc;

/// Objects up to this size are held in memory and stored in batches; larger ones pass through a temporary file.
pub(super) const SMALL_OBJECT_BYTES: u64 = 1 << 20;
/// Bytes read from the connection before they are handed to the writer of a large object.
const CHUNK_BYTES: usize = 512 << 10;
/// Chunks between the reader and the writer of a large object.
const CHUNKS: usize = 4;

/// A whole small object.
pub(super) async fn small(conn: &mut Conn, length: u64) -> Result<Vec<u8>, RawError> {
    // Cannot be cut: the length is at most `SMALL_OBJECT_BYTES`.
    let mut data = vec![0; length as usize];
    conn.read_exact(&mut data).await?;
    Ok(data)
}

/// A large object, hashed and written to a temporary file while the rest of it is received. `Ok(Err(text))` if it could not be
/// written: the bytes have been consumed all the same, so that the stream goes on.
pub(super) async fn large(
    conn: &mut Conn,
    backend: &Arc<dyn ObjectBackend>,
    length: u64,
) -> Result<Result<Staged, String>, RawError> {
    let (sender, mut receiver) = mpsc::channel::<Vec<u8>>(CHUNKS);
    let backend = Arc::clone(backend);
    let writer = tokio::task::spawn_blocking(move || {
        let mut staging = backend.stage()?;
        let mut written = 0;
        while let Some(chunk) = receiver.blocking_recv() {
            staging.write(&chunk)?;
            written += chunk.len() as u64;
        }
        // A caller that went away leaves an object that is too short: never finish that.
        if written == length {
            staging.finish().map(Some)
        } else {
            Ok(None)
        }
    });
    let mut left = length;
    while left > 0 {
        let mut chunk = Vec::with_capacity(CHUNK_BYTES);
        while chunk.len() < CHUNK_BYTES && left > 0 {
            let room = ((CHUNK_BYTES - chunk.len()) as u64).min(left);
            left -= conn.read_raw_into(&mut chunk, room).await? as u64;
        }
        // Without a receiver the writer has failed, and the rest is only to be consumed.
        let _ = sender.send(chunk).await;
    }
    drop(sender);
    Ok(match writer.await {
        Ok(Ok(Some(staged))) => Ok(staged),
        Ok(Ok(None)) => Err("object is incomplete".to_owned()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(error) => Err(format!("storing object: {error}")),
    })
}
