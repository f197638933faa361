//! The way to a directory of the host that a command is to read. It is shown with the rights of user 0, so who could lead the way elsewhere
//! could read everything: links on it count only where nobody but root could have made them (`/lib`, `/var/run`).

use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::path::{Component, Path};

use rustix::fs::{FileType, Mode, OFlags, Stat, fstat, open, openat, readlinkat};
use rustix::io::Errno;

use super::{During, Step};

/// Links on a way, as the kernel has it.
const MOST_LINKS: usize = 40;

/// What is at the path.
pub(super) fn open_by_trusted_way(path: &Path) -> Step<OwnedFd> {
    let mut here = top(path)?;
    let mut links = 0;
    // In reverse.
    let mut left = parts(path);
    while let Some(name) = left.pop() {
        let found = match open_directory(&here, &name) {
            // No directory: a link, or the file at the end.
            Err(Errno::NOTDIR) => {
                let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
                openat(&here, &name, flags, Mode::empty()).during(path.display())?
            }
            found => found.during(path.display())?,
        };
        let stat = fstat(&found).during(path.display())?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::Symlink {
            here = found;
            continue;
        }
        links += 1;
        if links > MOST_LINKS {
            return Err(format!(
                "{}: leads through too many symbolic links",
                path.display()
            ));
        }
        let holder = fstat(&here).during(path.display())?;
        if !is_of_root_alone(&holder) || stat.st_uid != 0 {
            return Err(format!(
                "{}: leads through a symbolic link that others than root may change; give the path without",
                path.display()
            ));
        }
        let target = readlinkat(&found, "", Vec::new()).during(path.display())?;
        let target = OsString::from_vec(target.into_bytes());
        let target = Path::new(&target);
        if target.is_absolute() {
            here = top(path)?;
        }
        left.extend(parts(target));
    }
    Ok(here)
}

/// Nobody else can put anything into this directory, or take it away.
fn is_of_root_alone(directory: &Stat) -> bool {
    directory.st_uid == 0 && directory.st_mode & 0o022 == 0
}

fn top(path: &Path) -> Step<OwnedFd> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    open("/", flags, Mode::empty()).during(path.display())
}

/// Asked for as a directory, what is mounted when it is needed is mounted.
fn open_directory(above: impl AsFd, name: &OsStr) -> rustix::io::Result<OwnedFd> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    openat(above, name, flags, Mode::empty())
}

/// The names in a path, the last first.
fn parts(path: &Path) -> Vec<OsString> {
    let names = path.components().filter_map(|part| match part {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some("..".into()),
        Component::RootDir | Component::CurDir | Component::Prefix(_) => None,
    });
    let mut names: Vec<OsString> = names.collect();
    names.reverse();
    names
}
