//! The index that speeds a start: frames one after the other, so that neither writing nor reading it takes memory for all of it.
//!
//! Not flushed: after a loss of power the frames that are whole count, and what they do not have is read from its own file.

use super::RepositoryDir;
use crate::Result;
use crate::error::IoContext;
use crate::frame::{self, Kind};
use crate::resolve::open_beneath;
use rustix::fs::{AtFlags, Mode, OFlags, openat, renameat, unlinkat};
use rustix::io::Errno;
use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Write};

const NAME: &str = ".imgapi.index";
const TEMPORARY: &str = ".imgapi.index~";

/// Longest frame that is read or written, bytes.
const FRAME_LIMIT_BYTES: u32 = 64 << 20;

/// Read and written at a time.
const BUFFER_BYTES: usize = 256 * 1024;

/// The frames of an index, in order.
#[derive(Debug)]
pub struct IndexReader {
    file: BufReader<File>,
}

impl RepositoryDir {
    /// The index; `None` if there is none.
    ///
    /// # Errors
    /// It is there and cannot be opened.
    pub fn read_index(&self) -> Result<Option<IndexReader>> {
        let _ = unlinkat(&self.root, TEMPORARY, AtFlags::empty());
        let flags = OFlags::RDONLY | OFlags::NONBLOCK;
        match open_beneath(&self.root, NAME, flags, Mode::empty()) {
            Ok(descriptor) => Ok(Some(IndexReader {
                file: BufReader::with_capacity(BUFFER_BYTES, File::from(descriptor)),
            })),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(error).context("open index", || NAME.to_owned()),
        }
    }

    /// Replaces the index by one of these payloads.
    ///
    /// # Errors
    /// It cannot be written; the old one is still there.
    pub fn write_index(&self, kind: Kind, payloads: impl Iterator<Item = Vec<u8>>) -> Result<()> {
        let what = || NAME.to_owned();
        let _ = unlinkat(&self.root, TEMPORARY, AtFlags::empty());
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let descriptor =
            openat(&self.root, TEMPORARY, flags, Mode::from_raw_mode(0o600)).context("write index", what)?;
        let written = write_frames(File::from(descriptor), kind, payloads)
            .and_then(|()| Ok(renameat(&self.root, TEMPORARY, &self.root, NAME)?));
        written.context("write index", what).inspect_err(|_| {
            let _ = unlinkat(&self.root, TEMPORARY, AtFlags::empty());
        })
    }
}

fn write_frames(file: File, kind: Kind, payloads: impl Iterator<Item = Vec<u8>>) -> std::io::Result<()> {
    let mut writer = BufWriter::with_capacity(BUFFER_BYTES, file);
    for payload in payloads {
        let sealed = frame::seal(kind, &payload);
        let length = u32::try_from(sealed.len()).ok();
        let Some(length) = length.filter(|&length| length <= FRAME_LIMIT_BYTES) else {
            return Err(std::io::Error::from(std::io::ErrorKind::FileTooLarge));
        };
        writer.write_all(&length.to_le_bytes())?;
        writer.write_all(&sealed)?;
    }
    writer.flush()
}

impl IndexReader {
    /// The next frame as it lies there, to be [opened](frame::open) by whoever has a thread for it; `None` at the end, and at what
    /// cannot be read.
    pub fn next_frame(&mut self) -> Option<Vec<u8>> {
        let mut length = [0; 4];
        self.file.read_exact(&mut length).ok()?;
        let length = u32::from_le_bytes(length);
        if length > FRAME_LIMIT_BYTES {
            return None;
        }
        let mut sealed = Vec::new();
        self.file
            .by_ref()
            .take(u64::from(length))
            .read_to_end(&mut sealed)
            .ok()?;
        (sealed.len() as u64 == u64::from(length)).then_some(sealed)
    }
}
