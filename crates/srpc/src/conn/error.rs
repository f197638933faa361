//! Why reading from or writing to a connection failed.

use std::io;
use std::time::Duration;

/// A failure of a [`Conn`](crate::Conn).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnError {
    /// The peer ended the stream where a message could have started.
    #[error("EOF")]
    Closed,
    /// The peer ended the stream in the middle of something.
    #[error("unexpected EOF")]
    Truncated,
    /// The socket or TLS failed.
    #[error("{}", crate::tls::alert::describe(.0))]
    Io(#[from] io::Error),
    /// The bytes are not a gob value of the wanted type. The text is Go's where Go has one.
    #[error("{0}")]
    Gob(#[from] gob::Error),
    /// The bytes are not a JSON value of the wanted type.
    #[error("{}", json_text(.0))]
    Json(#[source] serde_json::Error),
    /// The bytes are no JSON at all.
    #[error("invalid character {0:?} looking for beginning of value")]
    NoJson(char),
    /// A line is longer than allowed.
    #[error("line longer than {limit} bytes")]
    LineTooLong {
        /// The limit in bytes.
        limit: usize,
    },
    /// A message is larger than allowed.
    #[error("message larger than {limit} bytes")]
    MessageTooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// Nothing moved for too long inside a message or transfer.
    #[error("stalled: nothing moved for {0:?}")]
    Stalled(Duration),
    /// The deadline of the call has passed.
    #[error("i/o timeout")]
    DeadlineExceeded,
    /// The stream that claims to be the server's Unix socket is not (srpc.md §6).
    #[error("wrong cookie from the Unix socket")]
    WrongCookie,
    /// An earlier write was abandoned half-way.
    #[error("connection unusable: an earlier write was abandoned")]
    Torn,
}

impl ConnError {
    /// Whether the stream can go on: what was wrong is behind us (srpc.md §3.2).
    pub fn keeps_connection(&self) -> bool {
        match self {
            Self::Gob(gob::Error::TooLarge { .. }) => false,
            Self::Gob(_) | Self::Json(_) | Self::NoJson(_) => true,
            _ => false,
        }
    }

    /// Whether the peer, if it still listens, should be told before the connection ends.
    pub(crate) fn is_worth_telling(&self) -> bool {
        !matches!(self, Self::Io(_) | Self::Torn)
    }
}

/// With Go's prefix, and without the place in the text, which says little about a message on a wire.
fn json_text(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let text = text.split(" at line ").next().unwrap_or_default();
    if text.starts_with("json: ") {
        text.to_owned()
    } else {
        format!("json: {text}")
    }
}
