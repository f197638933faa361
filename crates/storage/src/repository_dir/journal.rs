//! What is about to be done, so that it is done whole.
//!
//! A change of several names (a file and the record that tells of it) is written here first; who finds it at the start carries
//! it out again. The file has its room beforehand and is written in place, so that images can be deleted on a full disk.

use super::RepositoryDir;
use crate::Result;
use crate::error::IoContext;
use crate::frame::{self, Kind};
use crate::resolve::open_beneath;
use rustix::fs::{FallocateFlags, Mode, OFlags, fallocate, fdatasync, fsync};
use rustix::io::Errno;
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::FileExt;

const NAME: &str = ".imgapi.journal";

const KIND: Kind = Kind {
    tag: *b"imgJ",
    version: 1,
};

/// Room the file has beforehand, bytes: deletions of some thousand images.
const ROOM_BYTES: u64 = 256 << 10;

/// Longest entry that is read, bytes.
const LIMIT_BYTES: u64 = 256 << 20;

/// Before the frame: its length.
const PREFIX_BYTES: usize = 8;

impl RepositoryDir {
    /// Notes what is about to be done. It is on stable storage then.
    ///
    /// # Errors
    /// It cannot be written: nothing may be done.
    pub fn write_journal(&self, entry: &[u8]) -> Result<()> {
        let what = || NAME.to_owned();
        let sealed = frame::seal(KIND, entry);
        let mut bytes = (sealed.len() as u64).to_le_bytes().to_vec();
        bytes.extend_from_slice(&sealed);
        let file = self.journal()?;
        file.write_all_at(&bytes, 0).context("write", what)?;
        fdatasync(&file).context("flush", what)
    }

    /// Notes that it was done, or that nothing of it was.
    ///
    /// # Errors
    /// It cannot be written: the next start does it again.
    pub fn clear_journal(&self) -> Result<()> {
        let what = || NAME.to_owned();
        let file = self.journal()?;
        // Nothing was ever written, and on a full disk there may be no room for it.
        if file.metadata().context("look at", what)?.len() == 0 {
            return Ok(());
        }
        file.write_all_at(&[0; PREFIX_BYTES], 0).context("write", what)?;
        fdatasync(&file).context("flush", what)
    }

    /// What was about to be done; `None` if nothing was, or its note was not yet written whole, so that nothing had begun.
    ///
    /// # Errors
    /// It cannot be read, or another version of this program wrote it.
    pub fn read_journal(&self) -> Result<Option<Vec<u8>>> {
        let what = || NAME.to_owned();
        let mut file = self.journal()?;
        let mut prefix = [0; PREFIX_BYTES];
        match file.read_exact(&mut prefix) {
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => return Ok(None),
            other => other.context("read", what)?,
        }
        let length = u64::from_le_bytes(prefix);
        if length == 0 || length > LIMIT_BYTES {
            return Ok(None);
        }
        let mut sealed = Vec::new();
        file.take(length).read_to_end(&mut sealed).context("read", what)?;
        match frame::open(KIND, &sealed) {
            Ok(entry) => Ok(Some(entry.to_vec())),
            Err(refused @ frame::Refused::Version { .. }) => {
                Err(std::io::Error::other(refused.to_string())).context("read", what)
            }
            Err(_) => Ok(None),
        }
    }

    fn journal(&self) -> Result<File> {
        let what = || NAME.to_owned();
        match open_beneath(&self.root, NAME, OFlags::RDWR, Mode::empty()) {
            Ok(descriptor) => return Ok(File::from(descriptor)),
            Err(Errno::NOENT) => {}
            Err(error) => return Err(error).context("open", what),
        }
        let mode = Mode::from_raw_mode(0o600);
        let descriptor =
            open_beneath(&self.root, NAME, OFlags::RDWR | OFlags::CREATE, mode).context("make", what)?;
        // Where there is no room, or no such call, it grows when it is written; a full disk is told then.
        let _ = fallocate(&descriptor, FallocateFlags::empty(), 0, ROOM_BYTES);
        fsync(&descriptor)
            .and_then(|()| fsync(&self.root))
            .context("flush", what)?;
        Ok(File::from(descriptor))
    }
}
