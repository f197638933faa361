//! What can go wrong with trees, in the words the tools print.

use std::io;

use bstr::{BStr, BString};
use hash::Hash;

/// An error of somebody else's layer: a sink's or a source's.
pub type BoxError = Box<dyn std::error::Error + Send + Sync + 'static>;

/// Why a tree could not be read or written. Paths are as inside the image (`/etc/passwd`) unless they are local.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The operating system refused.
    #[error("{doing} {path}: {}", os_text(.source))]
    Io {
        /// The verb: `open`, `read`, `mkdir`, ...
        doing: &'static str,
        /// What it was done to.
        path: BString,
        /// The refusal.
        source: io::Error,
    },
    /// A file was written to while it was read; hashing it again would only race again.
    #[error("{0}: changed while it was being read: stop what writes to it, or exclude it with a filter")]
    Changed(BString),
    /// See [`crate::Cancel`].
    #[error("interrupted")]
    Cancelled,
    /// Deeper than [`crate::scan::MAX_DEPTH`] directories.
    #[error("{0}: nested too deeply")]
    TooDeep(BString),
    /// More than [`crate::scan::MAX_ENTRIES`] entries.
    #[error("more than {limit} entries")]
    TooManyEntries {
        /// The limit that was passed.
        limit: u64,
    },
    /// The archive is damaged, or uses a form that is not understood.
    #[error("bad archive: {0}")]
    Archive(String),
    /// A member whose directory is not in the archive before it (`imagetool.md §6.1`).
    #[error("no parent directory found for: {0}")]
    NoParent(BString),
    /// A member that is neither file, link, device, directory nor fifo.
    #[error("unsupported file type: {kind}: {path}{hint}")]
    UnsupportedType {
        /// The type flag of the archive.
        kind: char,
        /// The member.
        path: BString,
        /// What to do about it, or nothing.
        hint: &'static str,
    },
    /// A hard link in an archive to something that is not there (yet).
    #[error(
        "{path}: hard link to {target}, which is not an earlier file of the archive (or was filtered out)"
    )]
    BadHardLink {
        /// The link.
        path: BString,
        /// What it points to.
        target: BString,
    },
    /// A device number that the image format cannot hold.
    #[error("{path}: device minor number {minor} is larger than 255")]
    MinorTooLarge {
        /// The device.
        path: BString,
        /// Its minor number.
        minor: u32,
    },
    /// The same name twice, once as a directory and once not.
    #[error("{0}: is both a directory and something else in the archive")]
    KindConflict(BString),
    /// An object is not what its name says.
    #[error("object {expected} is damaged: it hashes to {computed}")]
    Damaged {
        /// Its name; boxed to keep errors, and with them every result, small.
        expected: Box<Hash>,
        /// What its bytes hash to.
        computed: Box<Hash>,
    },
    /// Objects ended early or came with another size than the tree says.
    #[error("object {hash}: {got} of {size} bytes")]
    WrongLength {
        /// The object.
        hash: Box<Hash>,
        /// The size in the tree.
        size: u64,
        /// Bytes received.
        got: u64,
    },
    /// What was to be copied from a file of this host is not there any more; it has to be fetched.
    #[error("object {0} is not at hand any more")]
    NotNear(Box<Hash>),
    /// `imagetool.md §6.3`.
    #[error("image will not fit on file-system")]
    WillNotFit,
    /// The image owns the name of the staging directory.
    #[error("image has a /.inodes, which unpacking needs for itself")]
    StagingInImage,
    /// A computed file without its local stand-in.
    #[error("missing computed file: {0}")]
    MissingComputedFile(BString),
    /// The tree itself is malformed: an owner that is no owner, an inode that is missing.
    #[error("bad tree: {path}: {why}")]
    BadTree {
        /// Where.
        path: BString,
        /// What.
        why: &'static str,
    },
    /// The tree failed validation.
    #[error("bad tree: {0}")]
    Tree(#[source] BoxError),
    /// Whoever takes the objects failed.
    #[error("{0}")]
    Sink(#[source] BoxError),
    /// Whoever gives the objects failed.
    #[error("{0}")]
    Source(#[source] BoxError),
    /// A worker thread ended without saying why.
    #[error("a worker thread died")]
    WorkerDied,
}

impl Error {
    pub(crate) fn io(doing: &'static str, path: impl AsRef<[u8]>, source: impl Into<io::Error>) -> Error {
        Error::Io {
            doing,
            path: BStr::new(path.as_ref()).to_owned(),
            source: source.into(),
        }
    }
}

/// The text of an operating system error as every other tool prints it: lower-case and without Rust's ` (os error 2)`.
pub fn os_text(error: &io::Error) -> String {
    let text = error.to_string();
    if error.raw_os_error().is_none() {
        return text;
    }
    let end = text.find(" (os error").unwrap_or(text.len());
    let mut chars = text[..end].chars();
    match chars.next() {
        // "Is a directory" becomes "is a directory"; "RPC ..." and the like stay.
        Some(first) if !chars.as_str().starts_with(|c: char| c.is_ascii_uppercase()) => {
            first.to_ascii_lowercase().to_string() + chars.as_str()
        }
        _ => text[..end].to_owned(),
    }
}
