//! Bounds of the port. What exceeds one gets an answer that says so, or a closed connection.

use std::time::Duration;

/// Connections each worker thread serves at a time; further ones wait in the backlog.
pub(crate) const WORKER_CONNECTIONS_MOST: usize = 32_768;
/// Least worker threads, so that one busy connection does not hold up every other.
pub(crate) const WORKERS_LEAST: usize = 2;
/// Threads of one worker for what blocks: reading and writing files.
pub(crate) const BLOCKING_THREADS_MOST: usize = 32;
/// Connections the kernel keeps waiting to be accepted.
pub(crate) const BACKLOG_CONNECTIONS: u32 = 1024;
/// How long a client may take to send the head of a request.
pub(crate) const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a connection may idle between requests: longer than the proxies in front of existing deployments keep theirs.
pub(crate) const KEEP_ALIVE: Duration = Duration::from_secs(125);
/// How long a client may take to read the end of a connection.
pub(crate) const DISCONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a client may send nothing of a body that it announced.
pub(crate) const BODY_STALL: Duration = Duration::from_secs(120);
/// Bytes of a body that nobody wants any more which are read so that the connection stays usable.
pub(crate) const DRAINED_BYTES_MOST: usize = 1 << 20;
/// How long reading them may take.
pub(crate) const DRAIN_TIME: Duration = Duration::from_secs(5);
/// Bytes of a file that are read at once where the kernel does not send them by itself.
pub(crate) const FILE_CHUNK_BYTES: usize = 256 << 10;
/// How long a client may take nothing of an answer.
pub(crate) const SEND_STALL: Duration = Duration::from_secs(120);
/// Bytes of a file that the kernel is told to send at once, so that a thread is free again soon.
pub(crate) const SENT_AT_ONCE_BYTES: u64 = 4 << 20;
/// Bodies longer than this are written past the HTTP library.
pub(crate) const DIRECT_LEAST_BYTES: usize = 64 << 10;
