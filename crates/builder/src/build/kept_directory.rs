//! A directory that the builds of a stream keep from one to the next (`imaginator.md §11.8`).

use std::ffi::CString;
use std::fs;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use recipe::Cache;
use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, openat, statat, unlinkat};
use sandbox::Bind;

/// Directories inside each other that are looked into; builds make them, so there has to be an end.
const MOST_DEPTH: usize = 128;

/// The directory of one stream.
pub(crate) struct KeptDirectory {
    path: PathBuf,
    mount_point: PathBuf,
    size_limit: u64,
}

/// A regular file in it.
struct Kept {
    changed: (i64, u64),
    bytes: u64,
    path: Vec<CString>,
}

impl KeptDirectory {
    /// Makes it if it is not there.
    pub(crate) fn make(cache: &Cache, stream: &str) -> io::Result<KeptDirectory> {
        let path = Path::new(&cache.base_directory).join(stream);
        fs::create_dir_all(&path)?;
        Ok(KeptDirectory {
            path,
            mount_point: PathBuf::from(&cache.mount_point),
            size_limit: cache.size_limit,
        })
    }

    /// As builds see it.
    pub(crate) fn bind(&self) -> Bind {
        Bind {
            source: self.path.clone(),
            target: self.mount_point.clone(),
            writable: true,
        }
    }

    /// Deletes the files that were changed longest ago, until there is less than may be kept. Another build of the stream may be at
    /// work in it: what it takes away or puts in meanwhile is no error, and no link leads anywhere else.
    pub(crate) fn trim(&self) -> io::Result<()> {
        if self.size_limit == 0 {
            return Ok(());
        }
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let top = rustix::fs::open(&self.path, flags, Mode::empty())?;
        let mut files = Vec::new();
        let mut pending: Vec<Vec<CString>> = vec![Vec::new()];
        while let Some(path) = pending.pop() {
            if let Some(directory) = below(&top, &path) {
                list(&directory, path, &mut files, &mut pending)?;
            }
        }
        files.sort_by_key(|file| file.changed);
        let mut total: u64 = files.iter().map(|file| file.bytes).sum();
        for mut file in files {
            if total < self.size_limit {
                break;
            }
            let name = file.path.pop().unwrap_or_default();
            if let Some(directory) = below(&top, &file.path) {
                let _ = unlinkat(&directory, name, AtFlags::empty());
            }
            total = total.saturating_sub(file.bytes);
        }
        Ok(())
    }
}

/// A directory below another one; nothing if it is gone, or a link by now.
fn below(top: &OwnedFd, path: &[CString]) -> Option<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mut here = openat(top, ".", flags, Mode::empty()).ok()?;
    for name in path {
        here = openat(&here, name, flags, Mode::empty()).ok()?;
    }
    Some(here)
}

fn list(
    directory: &OwnedFd,
    path: Vec<CString>,
    files: &mut Vec<Kept>,
    pending: &mut Vec<Vec<CString>>,
) -> io::Result<()> {
    for entry in Dir::read_from(directory.as_fd())? {
        let entry = entry?;
        let name = entry.file_name();
        if matches!(name.to_bytes(), b"." | b"..") {
            continue;
        }
        let Ok(stat) = statat(directory, name, AtFlags::SYMLINK_NOFOLLOW) else {
            continue;
        };
        let mut child = path.clone();
        child.push(name.to_owned());
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::Directory if child.len() < MOST_DEPTH => pending.push(child),
            FileType::RegularFile => files.push(Kept {
                changed: (stat.st_mtime, stat.st_mtime_nsec),
                bytes: u64::try_from(stat.st_size).unwrap_or(0),
                path: child,
            }),
            _ => {}
        }
    }
    Ok(())
}
