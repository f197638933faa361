//! Files of a tree, by the paths that programs inside it would use.
//!
//! A tree was made by scripts that are not to be trusted: its links may lead anywhere. Inside [`Tree`] every path is resolved as by a process
//! whose root directory the tree is, so that an absolute link leads to a place in the tree.

use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::{Component, Path, PathBuf};

use rustix::fs::{AtFlags, FileType, Mode, OFlags, ResolveFlags, Stat};
use rustix::io::Errno;

/// How often a path walk that raced with a rename is tried again.
const RACE_RETRIES: u32 = 16;

/// An open directory that is everything there is.
#[derive(Debug)]
pub(crate) struct Tree {
    top: OwnedFd,
    /// How a path is resolved below it.
    resolve: ResolveFlags,
}

impl Tree {
    /// The tree of an image: absolute links lead to its top.
    pub(crate) fn image(path: &Path) -> io::Result<Self> {
        Self::open_top(path, ResolveFlags::IN_ROOT)
    }

    /// A manifest: links may lead to other places in it; those that lead out are errors.
    pub(crate) fn manifest(path: &Path) -> io::Result<Self> {
        Self::open_top(path, ResolveFlags::BENEATH)
    }

    fn open_top(path: &Path, resolve: ResolveFlags) -> io::Result<Self> {
        Ok(Self {
            top: rustix::fs::open(path, DIRECTORY, Mode::empty())?,
            resolve: resolve | ResolveFlags::NO_MAGICLINKS,
        })
    }

    /// Opens a path, following links in the tree.
    fn open(&self, path: &Path, flags: OFlags, mode: Mode) -> rustix::io::Result<OwnedFd> {
        let path = relative(path);
        let mut tries = 0;
        loop {
            match rustix::fs::openat2(&self.top, path, flags | OFlags::CLOEXEC, mode, self.resolve) {
                Err(Errno::AGAIN) if tries < RACE_RETRIES => tries += 1,
                other => return other,
            }
        }
    }

    /// Opens a directory.
    pub(crate) fn directory(&self, path: &Path) -> rustix::io::Result<OwnedFd> {
        self.open(path, DIRECTORY, Mode::empty())
    }

    /// Opens a regular file; nothing else is ever opened, so that a device node or a pipe in the tree does nothing. `None` if there is
    /// something else.
    pub(crate) fn regular_file(&self, path: &Path, flags: OFlags) -> io::Result<Option<std::fs::File>> {
        let place = self.open(path, OFlags::PATH, Mode::empty())?;
        if FileType::from_raw_mode(rustix::fs::fstat(&place)?.st_mode) != FileType::RegularFile {
            return Ok(None);
        }
        // What is known by a descriptor is opened by it: by its name it could be something else by now.
        let by_descriptor = format!("/proc/self/fd/{}", place.as_raw_fd());
        let file = rustix::fs::open(by_descriptor, flags | OFlags::CLOEXEC, Mode::empty())?;
        Ok(Some(file.into()))
    }

    /// Reads a regular file of at most so many bytes; `None` if there is nothing of that name.
    pub(crate) fn read(&self, path: &Path, most_bytes: u64) -> io::Result<Option<Vec<u8>>> {
        use io::Read;
        let file = match self.regular_file(path, OFlags::RDONLY) {
            Ok(Some(file)) => file,
            Ok(None) => return Err(io::Error::other("is not a regular file")),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut bytes = Vec::new();
        file.take(most_bytes + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > most_bytes {
            return Err(io::Error::other(format!("has more than {most_bytes} bytes")));
        }
        Ok(Some(bytes))
    }

    /// Makes a directory and those above it, 0755; what is there already stays as it is. Returns those it made, the outer ones
    /// first.
    pub(crate) fn make_directories(&self, path: &Path) -> rustix::io::Result<Vec<PathBuf>> {
        let mut made = Vec::new();
        let mut here = PathBuf::new();
        for part in relative(path).components() {
            let Component::Normal(name) = part else { continue };
            let parent = self.directory(&here)?;
            here.push(name);
            if make_directory(parent.as_fd(), name)? {
                made.push(here.clone());
            }
        }
        // That what is there is a directory, or a link to one.
        self.directory(&here)?;
        Ok(made)
    }

    /// The directory that holds a path, and the name in it.
    pub(crate) fn parent<'a>(&self, path: &'a Path) -> rustix::io::Result<(OwnedFd, &'a OsStr)> {
        let name = path.file_name().ok_or(Errno::INVAL)?;
        let parent = path.parent().unwrap_or(Path::new(""));
        Ok((self.directory(parent)?, name))
    }
}

impl AsFd for Tree {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.top.as_fd()
    }
}

/// How directories are opened.
pub(crate) const DIRECTORY: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);
/// Mode of every directory made.
const DIRECTORY_MODE: Mode = Mode::from_raw_mode(0o755);

/// Makes a directory; whether it was not there before.
pub(crate) fn make_directory(parent: BorrowedFd<'_>, name: &OsStr) -> rustix::io::Result<bool> {
    match rustix::fs::mkdirat(parent, name, DIRECTORY_MODE) {
        Ok(()) => Ok(true),
        Err(Errno::EXIST) => Ok(false),
        Err(error) => Err(error),
    }
}

/// What is at a name, itself, not what it leads to.
pub(crate) fn look(parent: BorrowedFd<'_>, name: &OsStr) -> rustix::io::Result<(FileType, Stat)> {
    let stat = rustix::fs::statat(parent, name, AtFlags::SYMLINK_NOFOLLOW)?;
    Ok((FileType::from_raw_mode(stat.st_mode), stat))
}

/// The names in a directory, in byte order.
pub(crate) fn names(directory: impl AsFd) -> rustix::io::Result<Vec<std::ffi::OsString>> {
    use std::os::unix::ffi::OsStrExt;
    let mut names = Vec::new();
    for entry in rustix::fs::Dir::read_from(directory)? {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        if name != b"." && name != b".." {
            names.push(OsStr::from_bytes(name).to_owned());
        }
    }
    names.sort();
    Ok(names)
}

fn relative(path: &Path) -> &Path {
    let path = path.strip_prefix("/").unwrap_or(path);
    if path.as_os_str().is_empty() {
        Path::new(".")
    } else {
        path
    }
}
