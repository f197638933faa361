//! What can go wrong between us and an image server.

use hash::Hash;
use srpc::{CallError, ConnError, ConnectError};

/// Why a call or a flow failed. Texts are those users of the original know.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No connection.
    #[error("{address}: {source}")]
    Connect {
        /// `HOST:PORT`.
        address: String,
        /// Why.
        source: ConnectError,
    },
    /// The call failed, with the server's line if it answered one.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The reply carried an error of its own.
    #[error("{0}")]
    Refused(String),
    /// A replica that leaves this to its master.
    #[error("please specify replication master: {0}")]
    GoToMaster(String),
    /// AddImage failed; the original's prefix tells it from failures on our side.
    #[error("remote error: {0}")]
    AddImage(#[source] CallError),
    /// Objects cannot be had at all.
    #[error("error getting object reader: error calling: {0}")]
    GetObjects(#[source] CallError),
    /// The server did not take an object.
    #[error("{text}")]
    ObjectRefused {
        /// Which; boxed to keep errors small.
        hash: Box<Hash>,
        /// The server's words.
        text: String,
    },
    /// An object has another size on the server than here: one of the two is damaged.
    #[error("object {hash}: {here} bytes here, {there} on the server")]
    SizeMismatch {
        /// Which.
        hash: Box<Hash>,
        /// Bytes here.
        here: u64,
        /// Bytes there.
        there: u64,
    },
    /// An object is not what its name says.
    #[error("object {expected} came damaged: it hashes to {computed}")]
    Damaged {
        /// Its name.
        expected: Box<Hash>,
        /// What the bytes hash to.
        computed: Box<Hash>,
    },
    /// The server does not serve an object; the text begins with its words. One that it found damaged is absent to it.
    #[error("{0}: the server lacks it, or found it damaged, which imagetool list-damaged tells")]
    NotServed(String),
    /// The server broke off in the middle of an object. It withholds the end of one that it finds damaged.
    #[error(
        "object {hash}: the server broke off while sending it ({}): either it is damaged there, which imagetool list-damaged \
         tells, or the connection was lost",
        cause(.source)
    )]
    BrokenOff {
        /// Which.
        hash: Box<Hash>,
        /// How reading ended.
        source: ConnError,
    },
    /// The connection was lost while objects were sent, or the server was asked which it lacks.
    #[error(
        "the connection was lost while sending objects ({}): look whether the server runs, and try again; what has arrived \
         is not sent again",
        cause(.0)
    )]
    LostSending(#[source] ConnError),
    /// The peer does not keep to the protocol.
    #[error("unexpected answer: {0}")]
    Protocol(&'static str),
    /// The queue has ended before everything was in it; its own error says why.
    #[error("upload has stopped")]
    QueueStopped,
    /// Reading or writing a tree failed.
    #[error(transparent)]
    Tree(#[from] tree_io::Error),
    /// A task ended without a result, as when the program is shutting down.
    #[error("interrupted")]
    TaskDied,
    /// The image may not be added as it is: what the server would refuse, or a required path.
    #[error("{0}")]
    Unfit(String),
}

/// In words alone: the number of an error of the system helps nobody here.
fn cause(error: &ConnError) -> String {
    match error {
        ConnError::Io(error) => tree_io::os_text(error),
        other => other.to_string(),
    }
}

impl From<ConnError> for Error {
    fn from(error: ConnError) -> Error {
        Error::Call(CallError::Conn(error))
    }
}

impl Error {
    /// Says of a failed connection that it was lost while sending; leaves other errors as they are.
    pub(crate) fn while_sending(self) -> Error {
        match self {
            Error::Call(CallError::Conn(
                lost @ (ConnError::Closed | ConnError::Truncated | ConnError::Io(_) | ConnError::Stalled(_)),
            )) => Error::LostSending(lost),
            other => other,
        }
    }

    /// Whether the server refused for want of rights.
    pub fn is_access_denied(&self) -> bool {
        match self {
            Error::Call(error) | Error::AddImage(error) | Error::GetObjects(error) => {
                matches!(error, CallError::AccessDenied)
            }
            _ => false,
        }
    }

    /// Whether the server had its reasons: asking again, over another connection, ends the same.
    pub fn is_refusal(&self) -> bool {
        matches!(self, Error::Refused(_) | Error::SizeMismatch { .. })
    }

    /// Whether an image was refused because objects that had been there are gone: sending them again helps.
    pub fn is_objects_unavailable(&self) -> bool {
        matches!(self, Error::AddImage(CallError::Remote(text))
            if text.ends_with(" is not available") || text.ends_with(" objects are not available"))
    }
}
