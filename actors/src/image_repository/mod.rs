//! The images of a repository with a REST API: their records, files and icons on the disk, and the snapshot that answers
//! (`docs/imgapi.md`).
//!
//! Who changes an image reads its [`Stored`] record, makes another of it with a pure function of `repository`, and sends that with
//! the revision it was made of. If the image changed meanwhile the answer is [`RepositoryError::Changed`]: read again, at most
//! [`MAXIMUM_ATTEMPTS`] times. So two changes at once lose nothing, and the actor computes nothing.
//!
//! Promises:
//! * What was acknowledged is on stable storage, in the catalogue, and stays after a kill at any instruction. What was not is
//!   there whole or not at all: a change of several files (a record and its file, a deletion) is first written to a journal,
//!   which the next start carries out.
//! * Changes that wait are made together: their records are flushed together.
//! * A record that cannot be read is told once and never touched.
//! * A full disk fails changes that need room; deletions go on.
//!
//! Lacks on purpose: rules of manifests, access, HTTP, digests.
//!
//! | module | what |
//! | --- | --- |
//! | `actor`, `request` | the actor and what it is asked |
//! | `batch`, `plan` | changes that are made together; the journal |
//! | `known`, `agree` | what is known of the disk, and bringing it in agreement with it |
//! | `load`, `read`, `saved` | a start: records, by several threads, and the index |
//! | `care` | what is done beside requests |
//! | `files`, `upload`, `slot` | files and icons, coming and going |

mod actor;
mod agree;
mod batch;
mod care;
mod change;
mod error;
mod files;
mod handle;
mod known;
mod load;
mod plan;
mod problem;
mod read;
mod request;
mod saved;
mod shared;
mod slot;
mod start;
mod stored;
mod upload;

pub use care::KEPT_UPLOAD_LIFE;
pub use change::{ChangeKind, RepositoryChange};
pub use error::{CommitError, RepositoryError};
pub use handle::{ImageRepository, MAXIMUM_ATTEMPTS};
pub use load::RepositoryReport;
pub use problem::{MAXIMUM_PROBLEMS, RecordProblem};
use shared::Shared;
pub use slot::Slot;
pub(crate) use start::start_among;
pub use start::{ImageRepositorySystem, RepositoryStore, start};
pub use stored::{Revision, Stored};
pub use upload::{MAXIMUM_UPLOADS, Upload};

/// Result of this room.
type Result<T> = std::result::Result<T, RepositoryError>;
