//! The calling side: one connection, one call at a time.

pub(crate) mod connect;
mod dial;
mod error;
mod options;
mod proxy;
pub mod statistics;
mod stream;
mod upgrade;

use std::net::SocketAddr;
use std::time::Duration;

use tokio::time::Instant;

pub use error::{CallError, ConnectError};
pub use options::ConnectOptions;
pub use proxy::Proxy;
pub use stream::Stream;

use crate::coder::{Coder, Message};
use crate::conn::{Conn, ConnError};
use statistics::{OpenCall, OpenConnection};

/// Bytes of a line the server answers with.
pub const REPLY_LINE_MAX_BYTES: usize = 1 << 20;

/// A connection to a server. `Send`, not shared: calls are made one at a time.
///
/// A call that fails half-way, or whose future is dropped, closes the connection: where the next call would start is unknown.
/// Later calls then fail with [`CallError::Closed`]. An error that the server answered with does no harm.
pub struct Client {
    /// Taken out during a call.
    conn: Option<Conn>,
    peer: SocketAddr,
    coder: Coder,
    limits: gob::Limits,
    call_timeout: Option<Duration>,
    _open: OpenConnection,
}

impl Client {
    /// Connects: tries the server's endpoints in the order of srpc.md §10.
    ///
    /// # Errors
    /// With the texts of srpc.md §10 and §11.
    pub async fn connect(options: &ConnectOptions) -> Result<Self, ConnectError> {
        connect::connect(options).await
    }

    /// Makes a request-reply call to `Service.Method`.
    ///
    /// # Errors
    /// [`CallError::Remote`] with the server's line, [`CallError::AccessDenied`], or a failure of the connection.
    pub async fn call<Request: Message, Reply: Message>(
        &mut self,
        method: &str,
        request: &Request,
    ) -> Result<Reply, CallError> {
        self.call_within(method, request, self.call_timeout).await
    }

    /// As [`Client::call`], to be done within `limit` if there is one.
    pub async fn call_within<Request: Message, Reply: Message>(
        &mut self,
        method: &str,
        request: &Request,
        limit: Option<Duration>,
    ) -> Result<Reply, CallError> {
        let mut conn = self.take()?;
        let _open = OpenCall::begin();
        conn.set_deadline(limit.map(|limit| Instant::now() + limit));
        let result = exchange(&mut conn, method, request).await;
        if result.as_ref().err().is_none_or(CallError::keeps_connection) {
            self.put_back(conn);
        }
        result
    }

    /// Starts a raw method. The guard gives the stream; [`Stream::finish`] gives the connection back.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub async fn open(&mut self, method: &str) -> Result<Stream<'_>, CallError> {
        let mut conn = self.take()?;
        conn.set_deadline(self.call_timeout.map(|limit| Instant::now() + limit));
        match begin(&mut conn, method).await {
            Ok(()) => {
                // The answer came in time; how long the stream takes is its user's business.
                conn.set_deadline(None);
                Ok(Stream::new(self, conn))
            }
            Err(error) => {
                if error.keeps_connection() {
                    self.put_back(conn);
                }
                Err(error)
            }
        }
    }

    /// Asks the server for a sign of life.
    ///
    /// # Errors
    /// There is none.
    pub async fn ping(&mut self) -> Result<(), CallError> {
        let mut conn = self.take()?;
        conn.set_deadline(self.call_timeout.map(|limit| Instant::now() + limit));
        ping(&mut conn).await?;
        self.put_back(conn);
        Ok(())
    }

    /// Whether another call can be made on this connection, as far as one can know without trying.
    pub fn is_usable(&self) -> bool {
        self.conn.is_some()
    }

    /// The server's address.
    pub fn peer(&self) -> SocketAddr {
        self.peer
    }

    /// How values are written.
    pub fn coder(&self) -> Coder {
        self.coder
    }

    /// `TCP`, `TLS` or `Unix`; nothing once the connection is closed.
    pub fn transport_kind(&self) -> Option<&'static str> {
        self.conn.as_ref().map(Conn::transport_kind)
    }

    /// Ends the connection politely.
    pub async fn close(mut self) {
        if let Some(mut conn) = self.conn.take() {
            conn.close().await;
        }
    }

    fn take(&mut self) -> Result<Conn, CallError> {
        self.conn.take().ok_or(CallError::Closed)
    }

    /// Ready for the next call.
    fn put_back(&mut self, mut conn: Conn) {
        conn.set_deadline(None);
        conn.set_limits(self.limits.clone());
        conn.reset_encoder();
        self.conn = Some(conn);
    }
}

/// Writes the method line and reads the server's verdict on it.
async fn begin(conn: &mut Conn, method: &str) -> Result<(), CallError> {
    conn.write_line(method).await?;
    conn.flush().await?;
    read_verdict(conn).await
}

/// An empty line, or the error text.
async fn read_verdict(conn: &mut Conn) -> Result<(), CallError> {
    match conn
        .read_line(REPLY_LINE_MAX_BYTES)
        .await?
        .as_deref()
        .map(str::trim_end)
    {
        None => Err(ConnError::Closed.into()),
        Some("") => Ok(()),
        Some(text) => Err(CallError::from_line(text)),
    }
}

pub(crate) async fn exchange<Request: Message, Reply: Message>(
    conn: &mut Conn,
    method: &str,
    request: &Request,
) -> Result<Reply, CallError> {
    begin(conn, method).await?;
    conn.write_value(request).await?;
    conn.flush().await?;
    read_verdict(conn).await?;
    Ok(conn.read_prompt_value().await?)
}

async fn ping(conn: &mut Conn) -> Result<(), CallError> {
    conn.write_all(b"\n").await?;
    conn.flush().await?;
    read_verdict(conn).await
}
