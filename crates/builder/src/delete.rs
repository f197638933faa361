//! Deleting in trees: never through a link, whatever depth.

use std::ffi::OsStr;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use image::filter::CompiledFilter;
use rustix::fs::{AtFlags, Mode};
use rustix::io::Errno;

use crate::cursor::{Cursor, open_below};
use crate::in_root::DIRECTORY;

/// Deletes what a filter matches, whole directories with all that is in them (`image-manifest.md §6`). The top stays.
///
/// # Errors
/// What cannot be read or deleted; cancelled, which is asked before every name: expressions of strangers may take their time.
pub fn delete_matching(
    root: &Path,
    filter: &CompiledFilter,
    is_cancelled: &dyn Fn() -> bool,
) -> std::io::Result<()> {
    let mut cursor = Cursor::at(root)?;
    let mut path = Vec::new();
    loop {
        let Some(name) = cursor.next() else {
            if cursor.depth() == 1 {
                return Ok(());
            }
            let left = cursor.leave()?;
            path.truncate(path.len() - left.len() - 1);
            continue;
        };
        if is_cancelled() {
            return Err(std::io::Error::other("cancelled"));
        }
        path.push(b'/');
        path.extend_from_slice(name.as_bytes());
        if filter.matches(&path) {
            delete_below(&cursor.here, &name)?;
        } else if cursor.is_directory(&name)? {
            // The name comes off the path when the directory is left.
            cursor.enter(&name)?;
            continue;
        }
        path.truncate(path.len() - name.len() - 1);
    }
}

/// Deletes a directory and everything in it. It is no error if there is none.
///
/// # Errors
/// What cannot be read or deleted.
pub fn delete_tree(path: &Path) -> std::io::Result<()> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let parent = parent.unwrap_or(Path::new("."));
    let Some(name) = path.file_name() else {
        return Err(Errno::INVAL.into());
    };
    let parent = match rustix::fs::open(parent, DIRECTORY, Mode::empty()) {
        Err(Errno::NOENT) => return Ok(()),
        other => other?,
    };
    Ok(delete_below(&parent, name)?)
}

/// Deletes what has this name in a directory.
pub(crate) fn delete_below(parent: impl AsFd, name: &OsStr) -> rustix::io::Result<()> {
    match rustix::fs::unlinkat(&parent, name, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => return Ok(()),
        Err(Errno::ISDIR | Errno::PERM) => {}
        Err(error) => return Err(error),
    }
    let mut cursor = Cursor::of(open_below(&parent, name)?)?;
    loop {
        if let Some(name) = cursor.next() {
            match rustix::fs::unlinkat(&cursor.here, &name, AtFlags::empty()) {
                Ok(()) | Err(Errno::NOENT) => {}
                Err(Errno::ISDIR | Errno::PERM) => cursor.enter(&name)?,
                Err(error) => return Err(error),
            }
        } else if cursor.depth() > 1 {
            let left = cursor.leave()?;
            rustix::fs::unlinkat(&cursor.here, &left, AtFlags::REMOVEDIR)?;
        } else {
            return rustix::fs::unlinkat(&parent, name, AtFlags::REMOVEDIR);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_build_that_is_cancelled_looks_for_nothing_more_to_delete() {
        let root = tempfile::tempdir().unwrap();
        for name in ["a", "b", "c"] {
            std::fs::write(root.path().join(name), "").unwrap();
        }
        let filter = CompiledFilter::from_lines(["/"]).unwrap();
        let asked = std::cell::Cell::new(0);
        let is_cancelled = || asked.replace(asked.get() + 1) == 1;
        delete_matching(root.path(), &filter, &is_cancelled).unwrap_err();
        assert_eq!(std::fs::read_dir(root.path()).unwrap().count(), 2);
        delete_matching(root.path(), &filter, &|| false).unwrap();
        assert_eq!(std::fs::read_dir(root.path()).unwrap().count(), 0);
    }
}
