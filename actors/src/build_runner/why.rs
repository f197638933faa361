//! Why a build ran.

use std::fmt;

/// Why a build ran; recorded with it, and shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// Somebody asked for it.
    Requested {
        /// Who.
        by: String,
    },
    /// The time between automatic rebuilds has passed.
    Interval,
    /// There is no image of the stream.
    NeverBuilt,
    /// The source has an image that is newer than the stream's own.
    SourceNewer {
        /// Stream of the source.
        source: String,
    },
    /// Somebody started the automatic rebuilds.
    StartedBy {
        /// Who.
        user: String,
    },
    /// Another stream is built on it, and there was no image, or it was too old.
    SourceFor {
        /// The other stream.
        stream: String,
    },
    /// Read from the archive; its text.
    Archived(String),
}

impl Why {
    /// Somebody asked for this build, and may be waiting for it.
    pub fn is_request(&self) -> bool {
        matches!(self, Why::Requested { .. })
    }
}

impl fmt::Display for Why {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Why::Requested { by } if by.is_empty() => formatter.write_str("requested"),
            Why::Requested { by } => write!(formatter, "requested by {by}"),
            Why::Interval => formatter.write_str("the rebuild interval has passed"),
            Why::NeverBuilt => formatter.write_str("never built"),
            Why::SourceNewer { source } => write!(formatter, "its source {source} is newer"),
            Why::StartedBy { user } if user.is_empty() => {
                formatter.write_str("automatic rebuilds started by hand")
            }
            Why::StartedBy { user } => write!(formatter, "automatic rebuilds started by {user}"),
            Why::SourceFor { stream } => write!(formatter, "source of {stream}"),
            Why::Archived(text) => formatter.write_str(text),
        }
    }
}
