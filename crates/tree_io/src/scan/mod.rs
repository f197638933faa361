//! A directory becomes a tree (`imagetool.md §6.1`).
//!
//! Names are sorted bytewise; a top-level `.subd`, other devices, sockets and whatever the filter matches are left out,
//! with everything below; inode numbers are the file system's own and tell hard links; modification times are kept
//! for regular and special files. Non-empty files are hashed and offered to the sink while the walk goes on.

mod report;
mod walk;

use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;

use image::FileSystem;
use image::filter::CompiledFilter;

use crate::beneath::Root;
use crate::error::Error;
use crate::pool::Pool;
use crate::sink::ObjectSink;
use crate::{Cancel, Known, Progress, counts};

pub use report::ScanReport;

/// Directories below the root, inside each other: as many as a tree may have, the root counted.
pub const MAX_DEPTH: usize = image::tree::MAXIMUM_DEPTH - 1;

/// Entries of one tree; the original's largest known images have under a million.
pub const MAX_ENTRIES: u64 = 16 << 20;

/// The name at the top that belongs to the update agent and is never part of an image.
pub(crate) const SUBD: &[u8] = b".subd";

/// How to scan.
#[derive(Clone, Default)]
pub struct ScanOptions<'a> {
    /// What it matches is left out; paths are as inside the image, with a leading slash.
    pub filter: Option<&'a CompiledFilter>,
    /// Files whose content is known: they are neither read nor offered to the sink.
    pub known: Option<&'a Known>,
    /// Hashing threads; the number of cores if not given.
    pub threads: Option<NonZeroUsize>,
    /// Stops the scan.
    pub cancel: Cancel,
    /// Counts entries, files and bytes.
    pub progress: Progress,
}

/// Scans `root`.
///
/// # Errors
/// Anything unreadable, a file that changes meanwhile ([`Error::Changed`]), a failing sink.
pub fn scan(
    root: &Path,
    options: &ScanOptions<'_>,
    sink: &dyn ObjectSink,
) -> Result<(FileSystem, ScanReport), Error> {
    let root =
        Arc::new(Root::open(root).map_err(|e| Error::io("open", root.as_os_str().as_encoded_bytes(), e))?);
    let pool = Pool {
        root: Some(&root),
        sink,
        threads: options.threads,
        cancel: &options.cancel,
        progress: &options.progress,
    };
    let (walked, hashed) = pool.run(|jobs| walk::walk(&root, options, jobs))?;
    let (mut report, top, mut inodes) = walked;
    report.attributes.merge(hashed.attributes);
    inodes.sort_unstable_by_key(|(number, _)| *number);
    counts::put_hashes(&mut inodes, hashed.hashes);
    Ok((counts::file_system(top, inodes), report))
}
