//! A second file of the same content.

use super::RepositoryDir;
use crate::Result;
use crate::error::IoContext;
use rustix::fs::{AtFlags, linkat, unlinkat};
use rustix::io::Errno;

impl RepositoryDir {
    /// Makes a second name of a file, in place of what is at that name, or a copy where the file system allows no link. Files
    /// are never written once they have their place, so that nobody can tell a link from a copy. False if there is none. Not
    /// flushed.
    ///
    /// # Errors
    /// It cannot be made; no part of it is left.
    pub fn duplicate(&self, from: &str, to: &str) -> Result<bool> {
        let Some((old, last)) = self.parent(from)? else {
            return Ok(false);
        };
        let (new, new_last) = self.made_parent(to)?;
        match unlinkat(&new, new_last, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => {}
            Err(error) => return Err(error).context("remove", || to.to_owned()),
        }
        match linkat(&old, last, &new, new_last, AtFlags::empty()) {
            Ok(()) => Ok(true),
            Err(Errno::NOENT) => Ok(false),
            // File systems without links, and files with too many.
            Err(Errno::PERM | Errno::OPNOTSUPP | Errno::MLINK | Errno::XDEV) => self.copy(from, to),
            Err(error) => Err(error).context("link", || to.to_owned()),
        }
    }

    fn copy(&self, from: &str, to: &str) -> Result<bool> {
        let Some((mut source, _)) = self.open_file(from)? else {
            return Ok(false);
        };
        let mut upload = self.begin_upload(to)?;
        upload.append_from(&mut source)?;
        upload.flush()?;
        upload.hold(true);
        Ok(true)
    }
}
