//! Bounds of the port. What exceeds one gets an answer that says so, or a closed connection.

use std::time::Duration;

/// Connections the kernel keeps waiting to be accepted.
pub const BACKLOG_CONNECTIONS: i32 = 1024;
/// Connections, pages and SRPC sessions together, each worker thread serves at a time; further ones wait in the backlog.
pub const WORKER_CONNECTIONS_MOST: usize = 32_768;
/// Least worker threads, so that one busy session does not hold up every page.
pub const WORKERS_LEAST: usize = 2;
/// How long a client may take to send the head of a request.
pub const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a connection for pages may idle between requests.
pub const KEEP_ALIVE: Duration = Duration::from_secs(75);
/// How long a client may take to read the end of a connection.
pub const DISCONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Bytes of a request body, unless a page says otherwise.
pub const BODY_MOST_BYTES: usize = 1 << 20;
/// How long writing a refusal to a client may take.
pub const REFUSAL_TIMEOUT: Duration = Duration::from_secs(10);
