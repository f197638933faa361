//! Appending the files of a tree to those of another (`image-manifest.md §4.1`).

use std::path::{Path, PathBuf};

use rustix::fs::{FileType, OFlags};
use rustix::io::Errno;

use super::place;
use crate::Watcher;
use crate::in_root::{Tree, look, names};
use crate::step_error::{At, StepError};

/// Appends everything below a directory of the manifest; whether there is that directory.
pub(super) fn run(
    from: &Tree,
    directory: &Path,
    to: &Tree,
    watcher: &dyn Watcher,
) -> Result<bool, StepError> {
    match from.directory(directory) {
        Err(Errno::NOENT) => return Ok(false),
        other => drop(other.at(directory)?),
    }
    // Paths below the directory, the next one last. A list, not recursion: their depth is the manifest's choice.
    let mut left = vec![PathBuf::new()];
    while let Some(path) = left.pop() {
        if watcher.is_cancelled() {
            return Err(StepError::Cancelled);
        }
        let source = directory.join(&path);
        let (parent, name) = from.parent(&source).at(&source)?;
        let kind = if path.as_os_str().is_empty() {
            FileType::Directory
        } else {
            look(rustix::fd::AsFd::as_fd(&parent), name).at(&source)?.0
        };
        match kind {
            FileType::Directory => {
                let in_image = Path::new("/").join(&path);
                to.make_directories(&path).at(in_image)?;
                let inside = from.directory(&source).at(&source)?;
                let below = names(inside).at(&source)?;
                left.extend(below.into_iter().rev().map(|name| path.join(name)));
            }
            FileType::RegularFile => append_file(from, &source, to, &path)?,
            FileType::Symlink => return Err(StepError::wrong("symlinks are not supported")),
            _ => {
                return Err(StepError::wrong(format!(
                    "unsupported file type: {}",
                    source.display()
                )));
            }
        }
    }
    Ok(true)
}

fn append_file(from: &Tree, source: &Path, to: &Tree, place: &Path) -> Result<(), StepError> {
    let content = from.regular_file(source, OFlags::RDONLY).at(source)?;
    let mut content = content.ok_or_else(|| StepError::wrong(format!("{} changed", source.display())))?;
    let in_image = Path::new("/").join(place);
    match to.regular_file(place, OFlags::WRONLY | OFlags::APPEND) {
        Ok(Some(mut file)) => {
            std::io::copy(&mut content, &mut file).at(in_image)?;
            Ok(())
        }
        Ok(None) => Err(StepError::wrong(format!(
            "{} is not a regular file",
            in_image.display()
        ))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            use std::os::unix::fs::PermissionsExt;
            let mode = content.metadata().at(source)?.permissions().mode();
            place::replace(to, place, content, mode).at(in_image)
        }
        Err(error) => Err(error).at(in_image),
    }
}
