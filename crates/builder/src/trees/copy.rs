//! Copying a tree into another.

use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{FileType, OFlags};
use rustix::io::Errno;

use super::place;
use super::room::{Metered, Room};
use crate::Watcher;
use crate::in_root::{Tree, look, make_directory, names};
use crate::sandbox_run::say;
use crate::step_error::{At, StepError};

/// From where to where, and how.
pub(super) struct Copying<'a> {
    pub(super) from: Tree,
    pub(super) to: Tree,
    pub(super) watcher: &'a dyn Watcher,
    /// Whether a file that is there with the same content stays as it is.
    pub(super) keeps_same: bool,
    /// How much may be copied, where nothing else sees to that.
    pub(super) room: Option<Room>,
}

impl Copying<'_> {
    /// Copies what is in a directory of one tree to a directory of the other, which is there.
    pub(super) fn run(&self, source: &Path, place: &Path) -> Result<(), StepError> {
        match self.from.directory(source) {
            Err(Errno::NOENT) => return Ok(()),
            other => drop(other.at(source)?),
        }
        // Directories still to be copied. A list, not recursion: their depth is the manifest's choice.
        let mut left = vec![(source.to_owned(), place.to_owned())];
        while let Some((source, place)) = left.pop() {
            let first = left.len();
            self.copy_directory(&source, &place, &mut left)?;
            // In order, and everything below a directory before what follows it.
            left[first..].reverse();
        }
        Ok(())
    }

    fn copy_directory(
        &self,
        source: &Path,
        place: &Path,
        left: &mut Vec<(PathBuf, PathBuf)>,
    ) -> Result<(), StepError> {
        let from = self.from.directory(source).at(source)?;
        let to = self.to.directory(place).at(Path::new("/").join(place))?;
        for name in names(&from).at(source)? {
            if self.watcher.is_cancelled() {
                return Err(StepError::Cancelled);
            }
            let (source, place) = (source.join(&name), place.join(&name));
            let (kind, stat) = look(rustix::fd::AsFd::as_fd(&from), &name).at(&source)?;
            let in_image = Path::new("/").join(&place);
            if let Some(room) = &self.room {
                room.take_entry().at(&source)?;
            }
            match kind {
                FileType::Directory => {
                    make_directory(rustix::fd::AsFd::as_fd(&to), &name).at(in_image)?;
                    left.push((source, place));
                }
                FileType::RegularFile => self.copy_file(&source, &place, stat.st_mode)?,
                FileType::Symlink => {
                    let target = rustix::fs::readlinkat(&from, &name, Vec::new()).at(&source)?;
                    let target = std::ffi::OsStr::from_bytes(target.to_bytes());
                    place::link(&self.to, &place, target).at(in_image)?;
                }
                _ => {
                    return Err(StepError::wrong(format!(
                        "unsupported file type: {}",
                        source.display()
                    )));
                }
            }
        }
        Ok(())
    }

    fn copy_file(&self, source: &Path, place: &Path, mode: u32) -> Result<(), StepError> {
        let file = self.from.regular_file(source, OFlags::RDONLY).at(source)?;
        let file = file.ok_or_else(|| StepError::wrong(format!("{} changed", source.display())))?;
        let in_image = Path::new("/").join(place);
        if self.keeps_same && place::is_same(&self.to, place, &file).at(&in_image)? {
            say(self.watcher, format!("Same contents for: {}", source.display()));
            return Ok(());
        }
        let Some(room) = &self.room else {
            return place::replace(&self.to, place, file, mode).at(in_image);
        };
        let metered = Metered {
            content: file,
            room,
            watcher: self.watcher,
        };
        let copied = place::replace(&self.to, place, metered, mode);
        if self.watcher.is_cancelled() {
            return Err(StepError::Cancelled);
        }
        copied.at(in_image)
    }
}
