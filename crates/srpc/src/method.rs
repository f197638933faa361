//! What a service author implements: request-reply and raw methods.

use std::fmt::Display;
use std::future::Future;

use crate::call::Call;
use crate::coder::Message;
use crate::conn::Conn;

/// Bytes of one request message, unless a method says otherwise.
pub const DEFAULT_REQUEST_MAX_BYTES: usize = 64 << 20;
/// Memory one decoded request may take, unless a method says otherwise.
pub const DEFAULT_REQUEST_MAX_MEMORY_BYTES: usize = 256 << 20;

/// Who may call a method besides callers with method powers (srpc.md §7.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Access {
    /// Any caller with a user name may; the method decides further.
    pub public: bool,
    /// Callers without a certificate may, too.
    pub unauthenticated: bool,
}

impl Access {
    /// Callers with method powers only. The default.
    pub const POWERS: Self = Self {
        public: false,
        unauthenticated: false,
    };
    /// Any authenticated caller.
    pub const PUBLIC: Self = Self {
        public: true,
        unauthenticated: false,
    };
    /// Everybody.
    pub const EVERYBODY: Self = Self {
        public: true,
        unauthenticated: true,
    };
}

/// A method that takes one value and answers with one value or one line of error text (srpc.md §3.2).
pub trait RequestReply: Send + Sync + 'static {
    /// The method's name without its service.
    const NAME: &'static str;
    /// What the caller sends.
    type Request: Message;
    /// What it gets.
    type Reply: Message;

    /// Who may call it. Read once, when the registry is built.
    fn access(&self) -> Access {
        Access::default()
    }

    /// What decoding the request may cost.
    fn limits(&self) -> gob::Limits {
        gob::Limits {
            max_message_bytes: DEFAULT_REQUEST_MAX_BYTES,
            max_value_bytes: DEFAULT_REQUEST_MAX_MEMORY_BYTES,
            ..gob::Limits::default()
        }
    }

    /// Runs the method. Dropped in the middle when the server is told to abort, never because the caller hung up.
    fn call(
        &self,
        call: &Call,
        request: Self::Request,
    ) -> impl Future<Output = Result<Self::Reply, MethodError>>;
}

/// A method that owns the stream while it runs (srpc.md §3.2).
pub trait Raw: Send + Sync + 'static {
    /// The method's name without its service.
    const NAME: &'static str;

    /// Who may call it. Read once, when the registry is built.
    fn access(&self) -> Access {
        Access::default()
    }

    /// What decoding each value may cost.
    fn limits(&self) -> gob::Limits {
        gob::Limits::default()
    }

    /// Runs the method. After `Ok` the server flushes and waits for the next method line; after `Err` it closes the connection
    /// without another byte, and logs the text. A method that waits for something other than its caller should also wait
    /// for [`Conn::closed`] and [`Call::draining`].
    fn serve(&self, call: &Call, conn: &mut Conn) -> impl Future<Output = Result<(), RawError>>;
}

/// The text a request-reply method fails with. It goes to the caller as one line; line ends in it become spaces.
///
/// Made from anything that can be displayed, so `?` works on every error type (which is why it is no
/// [`std::error::Error`] itself).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MethodError(String);

impl MethodError {
    /// The text as given.
    pub fn text(&self) -> &str {
        &self.0
    }
}

impl<T: Display> From<T> for MethodError {
    fn from(error: T) -> Self {
        Self(error.to_string())
    }
}

/// Why a raw method ended its connection. Made from anything that can be displayed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawError(Option<String>);

impl RawError {
    /// Ends the connection without logging (srpc.md §11, `close client`).
    pub fn close_client() -> Self {
        Self(None)
    }

    /// The text to log; none for a quiet end.
    pub fn text(&self) -> Option<&str> {
        self.0.as_deref()
    }
}

impl<T: Display> From<T> for RawError {
    fn from(error: T) -> Self {
        Self(Some(error.to_string()))
    }
}
