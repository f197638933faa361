//! Removing and renaming.

use super::RepositoryDir;
use crate::Result;
use crate::error::IoContext;
use rustix::fs::{AtFlags, fsync, renameat, unlinkat};
use rustix::io::Errno;

impl RepositoryDir {
    /// Removes a file, durably; false if there is none.
    ///
    /// # Errors
    /// It cannot be removed.
    pub fn remove(&self, name: &str) -> Result<bool> {
        self.unlink(name, AtFlags::empty())
    }

    /// Removes a directory if it is empty, durably; false if it is not, or not there.
    ///
    /// # Errors
    /// It cannot be removed.
    pub fn remove_empty_directory(&self, name: &str) -> Result<bool> {
        self.unlink(name, AtFlags::REMOVEDIR)
    }

    fn unlink(&self, name: &str, flags: AtFlags) -> Result<bool> {
        let Some((parent, last)) = self.parent(name)? else {
            return Ok(false);
        };
        match unlinkat(&parent, last, flags) {
            Ok(()) => {}
            Err(Errno::NOENT) => return Ok(false),
            Err(Errno::NOTEMPTY | Errno::EXIST) if flags.contains(AtFlags::REMOVEDIR) => return Ok(false),
            Err(error) => return Err(error).context("remove", || name.to_owned()),
        }
        fsync(&parent).context("flush the directory of", || name.to_owned())?;
        Ok(true)
    }

    /// Gives a file or directory another name in the same area, durably; an empty directory or a file there is replaced.
    /// False if there is none.
    ///
    /// # Errors
    /// It cannot be renamed.
    pub fn rename(&self, from: &str, to: &str) -> Result<bool> {
        let Some((old, last)) = self.parent(from)? else {
            return Ok(false);
        };
        let (new, new_last) = self.made_parent(to)?;
        match renameat(&old, last, &new, new_last) {
            Ok(()) => {}
            Err(Errno::NOENT) => return Ok(false),
            Err(error) => return Err(error).context("rename", || from.to_owned()),
        }
        fsync(&new)
            .and_then(|()| fsync(&old))
            .context("flush the directories of", || from.to_owned())?;
        Ok(true)
    }

    /// Removes what writes that never ended left in a directory: `.NAME.N~`. Gives how many there were.
    ///
    /// # Errors
    /// The directory cannot be read.
    pub fn remove_temporaries(&self, directory: &str) -> Result<usize> {
        let found = self.list(directory)?;
        let temporaries = found
            .iter()
            .filter(|found| found.name.starts_with('.') && found.name.ends_with('~'));
        let mut count = 0;
        for temporary in temporaries {
            count += usize::from(self.remove(&format!("{directory}/{}", temporary.name))?);
        }
        Ok(count)
    }
}
