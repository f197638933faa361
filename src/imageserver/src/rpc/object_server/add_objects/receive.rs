//! The bytes of one object, off the connection.

use std::sync::Arc;

use super::pipeline::Pipeline;
use actors::ObjectStore;
use actors::object_store::StagingRoom;
use srpc::{Conn, RawError};
use storage::{Staged, StagingFile, StorageError};
use tokio::task::JoinHandle;

/// Objects up to this size are held in memory and stored in batches; larger ones pass through a temporary file.
pub(super) const SMALL_OBJECT_BYTES: u64 = 1 << 20;
/// Bytes read from the connection before they are handed to the writer of a large object.
const CHUNK_BYTES: usize = 512 << 10;

/// A large object in its temporary file.
pub(super) struct LargeObject {
    pub(super) staged: Staged,
    /// Kept until the commit.
    pub(super) room: StagingRoom,
}

/// A whole small object.
pub(super) async fn small(
    conn: &mut Conn,
    pipeline: &mut Pipeline,
    length: u64,
) -> Result<Vec<u8>, RawError> {
    // Cannot be cut: the length is at most `SMALL_OBJECT_BYTES`.
    let mut data = Vec::with_capacity(length as usize);
    let mut left = length;
    while left > 0 {
        left -= some(conn, pipeline, &mut data, left).await?;
    }
    Ok(data)
}

/// At least one byte, at most `max`. While the caller is silent what is stored is answered: it may wait for that in the middle
/// of an object.
async fn some(
    conn: &mut Conn,
    pipeline: &mut Pipeline,
    target: &mut Vec<u8>,
    max: u64,
) -> Result<u64, RawError> {
    loop {
        let idle = pipeline.is_idle();
        let gathered = pipeline.has_gathered();
        tokio::select! {
            biased;
            read = conn.read_raw_into(target, max) => return Ok(read? as u64),
            () = std::future::ready(()), if idle && gathered => pipeline.launch_gathered(conn).await?,
            answers = pipeline.oldest(), if !idle => {
                pipeline.answer(conn, answers).await?;
                conn.flush().await?;
            }
        }
    }
}

/// A large object, hashed and written to a temporary file while the rest of it is received. `Ok(Err(text))` if it could not be
/// written: the bytes have been consumed all the same, so that the stream goes on.
pub(super) async fn large(
    conn: &mut Conn,
    pipeline: &mut Pipeline,
    objects: &ObjectStore,
    length: u64,
) -> Result<Result<LargeObject, String>, RawError> {
    let mut writing = match objects.staging_room(1).await {
        Ok(room) => {
            let backend = Arc::clone(objects.backend());
            Writing::Busy(tokio::task::spawn_blocking(move || backend.stage()), room)
        }
        Err(error) => Writing::Failed(error.to_string()),
    };
    let mut left = length;
    while left > 0 {
        let mut chunk = Vec::with_capacity(CHUNK_BYTES);
        while chunk.len() < CHUNK_BYTES && left > 0 {
            let room = ((CHUNK_BYTES - chunk.len()) as u64).min(left);
            left -= some(conn, pipeline, &mut chunk, room).await?;
        }
        writing = writing.write(chunk).await;
    }
    Ok(writing.finish().await)
}

/// The temporary file of a large object: one piece is being written while the next is received. No thread waits for a slow
/// caller.
enum Writing {
    Busy(JoinHandle<Result<StagingFile, StorageError>>, StagingRoom),
    Failed(String),
}

impl Writing {
    async fn write(self, chunk: Vec<u8>) -> Self {
        let (job, room) = match self {
            Self::Busy(job, room) => (job, room),
            failed => return failed,
        };
        match job.await {
            Ok(Ok(mut staging)) => {
                let next = move || staging.write(&chunk).map(|()| staging);
                Self::Busy(tokio::task::spawn_blocking(next), room)
            }
            Ok(Err(error)) => Self::Failed(error.to_string()),
            Err(error) => Self::Failed(format!("storing object: {error}")),
        }
    }

    async fn finish(self) -> Result<LargeObject, String> {
        let (job, room) = match self {
            Self::Busy(job, room) => (job, room),
            Self::Failed(error) => return Err(error),
        };
        let staging = job.await.map_err(|error| format!("storing object: {error}"))?;
        let staged = staging
            .and_then(StagingFile::finish)
            .map_err(|error| error.to_string())?;
        Ok(LargeObject { staged, room })
    }
}
