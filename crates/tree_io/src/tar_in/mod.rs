//! A tar archive becomes a tree (`imagetool.md §6.1`).
//!
//! Inode numbers count from 1 in archive order; names are normalised to `/...`; directories precede what is in them and
//! hard-link targets precede their links. A later member of the same name replaces the earlier one, as extracting
//! would. Memory is bounded by the number of members, not by their sizes: content over [`crate::sink::IN_MEMORY_BYTES`] goes
//! through a temporary file.

mod build;
mod header;
mod member;
mod pax;
mod reader;

use std::io::Read;

use image::FileSystem;

use crate::counts;
use crate::error::Error;
use crate::pool::Pool;
use crate::scan::{ScanOptions, ScanReport};
use crate::sink::ObjectSink;

/// Reads an uncompressed archive to its end. Options as for a scan.
///
/// # Errors
/// A damaged archive, a member that the image format cannot hold, a failing sink.
pub fn tar_in(
    input: impl Read,
    options: &ScanOptions<'_>,
    sink: &dyn ObjectSink,
) -> Result<(FileSystem, ScanReport), Error> {
    let pool = Pool {
        root: None,
        sink,
        threads: options.threads,
        cancel: &options.cancel,
        progress: &options.progress,
    };
    let ((top, mut inodes, report), hashed) = pool.run(|jobs| build::build(input, options, jobs))?;
    counts::put_hashes(&mut inodes, hashed.hashes);
    Ok((counts::file_system(top, inodes), report))
}

/// Reads a gzip-compressed archive, which may consist of several gzip members.
///
/// # Errors
/// As [`tar_in`].
pub fn tar_gz_in(
    input: impl Read,
    options: &ScanOptions<'_>,
    sink: &dyn ObjectSink,
) -> Result<(FileSystem, ScanReport), Error> {
    tar_in(flate2::read::MultiGzDecoder::new(input), options, sink)
}
