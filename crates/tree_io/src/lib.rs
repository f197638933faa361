//! Trees in and out: scan and hash a directory, read and write tar archives, unpack an image.
//!
//! Everything here is synchronous and blocking, iterative (no recursion on depths a stranger chose) and bounded in
//! memory. What goes in is hashed on several threads and offered to an [`ObjectSink`] while the scan still runs, so that
//! hashing overlaps with whatever the sink does (asking a server what it lacks, sending that). What comes out is taken
//! from an [`ObjectSource`] in one ordered pass and verified before it counts.
//!
//! Promises: no path leads outside the root it belongs to; a file that changes while it is read is an error that names
//! it; a failed unpack removes what it made and nothing else; tar output is deterministic.
//!
//! Lacks: extended attributes, ACLs and file capabilities (the image format has no place for them; scans report where
//! they were seen), sparse members of tar archives, raw disk images, anything asynchronous.
//!
//! | module | what |
//! | --- | --- |
//! | [`scan`] | directory → tree, `imagetool.md §6.1` |
//! | [`tar_in`] | archive → tree, `imagetool.md §6.1` |
//! | [`tar_out`] | tree → archive, `imagetool.md §6.3` |
//! | [`compress`] | archives compressed, both ways |
//! | [`unpack`] | tree → directory, `imagetool.md §6.3` |
//! | [`computed`] | local stand-ins for computed files, `imagetool.md §6.3` |
//! | [`sink`], [`source`] | where objects go and come from |
//! | [`known`], [`tick`] | files that need not be read again, `imaginator.md §11.5` |
//! | [`cancel`], [`progress`] | stop it, watch it |

mod attributes;
mod beneath;
pub mod cancel;
pub mod compress;
pub mod computed;
mod counts;
pub mod error;
mod files;
pub mod known;
mod pool;
pub mod progress;
pub mod scan;
pub mod sink;
pub mod source;
pub mod tar_in;
pub mod tar_out;
pub mod tick;
pub mod unpack;

pub use cancel::Cancel;
pub use error::{Error, os_text};
pub use files::{TreeFile, files_in};
pub use known::Known;
pub use progress::Progress;
pub use scan::{ScanOptions, ScanReport, scan};
pub use sink::{Body, FoundObject, NoSink, ObjectSink, StoredFile};
pub use source::{NearObjects, ObjectSource};
pub use tar_in::tar_in;
pub use tar_out::tar_out;
pub use tick::Tick;
pub use unpack::{UnpackOptions, unpack};
