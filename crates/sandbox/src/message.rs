//! What parent and child tell each other, over the child's standard input: the specification one way, one line of
//! JSON the other.

use serde::{Deserialize, Serialize};
use std::io::{Read, Write};
use std::time::Duration;

/// Longest message, bytes: a specification with its input.
const MOST_BYTES: u32 = 16 << 20;

/// What became of a command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// It ended by itself with this code.
    Exited(i32),
    /// A signal of this number ended it.
    Killed(i32),
    /// Its time was over, after so long.
    TimedOut(Duration),
    /// The memory it may use was not enough.
    OutOfMemory,
    /// It took more of the disk than it may, or the disk was nearly full.
    OutOfDisk,
    /// It was cancelled.
    Cancelled,
}

impl Outcome {
    /// Whether it ended by itself with code 0.
    pub fn is_success(&self) -> bool {
        *self == Self::Exited(0)
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Exited(code) => write!(f, "exit status {code}"),
            Self::Killed(signal) => write!(f, "ended by signal {signal}"),
            Self::TimedOut(time) => write!(f, "not done after {} s, killed", time.as_secs()),
            Self::OutOfMemory => f.write_str("killed: it used more memory than it may"),
            Self::OutOfDisk => {
                f.write_str("killed: it used more of the disk than it may, or there was hardly any left")
            }
            Self::Cancelled => f.write_str("cancelled"),
        }
    }
}

/// The child's last words.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Answer {
    Outcome(Outcome),
    /// A step of setting up failed.
    Failed(String),
}

/// Writes a message with its length before it.
pub(crate) fn send<T: Serialize>(mut to: impl Write, message: &T) -> std::io::Result<()> {
    let bytes = serde_json::to_vec(message)?;
    let length = u32::try_from(bytes.len())
        .ok()
        .filter(|length| *length <= MOST_BYTES);
    let length = length.ok_or_else(|| std::io::Error::other("more than 16 MiB for a sandbox"))?;
    to.write_all(&length.to_le_bytes())?;
    to.write_all(&bytes)?;
    to.flush()
}

/// Reads one.
pub(crate) fn receive<T: for<'a> Deserialize<'a>>(mut from: impl Read) -> std::io::Result<T> {
    let mut length = [0; 4];
    from.read_exact(&mut length)?;
    let length = u32::from_le_bytes(length);
    if length > MOST_BYTES {
        return Err(std::io::Error::other("more than 16 MiB for a sandbox"));
    }
    let mut bytes = vec![0; length as usize];
    from.read_exact(&mut bytes)?;
    Ok(serde_json::from_slice(&bytes)?)
}
