//! Giving the finished inodes their names.

use std::collections::HashMap;
use std::os::fd::OwnedFd;

use bstr::{BString, ByteSlice};
use image::Inode;
use rustix::fs::{AtFlags, FileType, Mode, linkat, mkdirat, renameat, statat, unlinkat};
use rustix::io::Errno;

use super::plan::Plan;
use super::rollback::Rollback;
use super::stage::Stage;
use crate::beneath::Root;
use crate::error::Error;

/// Name in the staging directory for a link that is about to replace something.
const REPLACEMENT: &str = "link";

/// Makes all directories, private for the time being.
pub(super) fn directories(plan: &Plan<'_>, root: &Root, rollback: &mut Rollback<'_>) -> Result<(), Error> {
    for (path, directory) in &plan.directories {
        let fd = root.directory(path).map_err(|e| Error::io("open", path, e))?;
        for entry in &directory.entry_list {
            if let Inode::Directory(_) = plan.inode(entry.inode_number, path)? {
                make_directory(&fd, entry.name.as_bytes(), &|| join(path, &entry.name), rollback)?;
            }
        }
    }
    Ok(())
}

/// Gives inodes from the staging directory all their names; a rename is the last.
pub(super) fn staged(
    plan: &Plan<'_>,
    root: &Root,
    staging: &OwnedFd,
    rollback: &mut Rollback<'_>,
) -> Result<(), Error> {
    let mut left: HashMap<u64, u64> = plan.links.clone();
    for (path, directory) in &plan.directories {
        let fd = root.directory(path).map_err(|e| Error::io("open", path, e))?;
        for entry in &directory.entry_list {
            if let Inode::Directory(_) = plan.inode(entry.inode_number, path)? {
                continue;
            }
            let name = entry.name.as_bytes();
            // Replacing is silent in what follows; to undo it all only what is new may be removed.
            let is_new = statat(&fd, name, AtFlags::SYMLINK_NOFOLLOW).err() == Some(Errno::NOENT);
            let links = left.entry(entry.inode_number).or_default();
            let staged = entry.inode_number.to_string();
            let (doing, result) = if *links > 1 {
                ("link", link(staging, &staged, &fd, name))
            } else {
                ("rename", renameat(staging, staged.as_str(), &fd, name))
            };
            result.map_err(|e| Error::io(doing, join(path, &entry.name), e))?;
            *links = links.saturating_sub(1);
            if is_new {
                rollback.made_entry(join(path, &entry.name));
            }
        }
    }
    Ok(())
}

/// Inodes made under their first names get the others.
pub(super) fn further_names(plan: &Plan<'_>, root: &Root, stage: Stage<'_>) -> Result<(), Error> {
    for (path, directory) in &plan.directories {
        let mut fd = None;
        for entry in &directory.entry_list {
            if plan.links.get(&entry.inode_number).is_none_or(|links| *links < 2) {
                continue;
            }
            let here = join(path, &entry.name);
            if stage.path(entry.inode_number) == here {
                continue;
            }
            let (from, name) = stage.place(entry.inode_number)?;
            let to = match fd.take() {
                Some(to) => to,
                None => root.directory(path).map_err(|e| Error::io("open", path, e))?,
            };
            linkat(
                &from,
                name.as_bytes(),
                &to,
                entry.name.as_bytes(),
                AtFlags::empty(),
            )
            .map_err(|e| Error::io("link", here, e))?;
            fd = Some(to);
        }
    }
    Ok(())
}

fn join(directory: &BString, name: &BString) -> BString {
    let mut path = directory.clone();
    if !path.ends_with(b"/") {
        path.push(b'/');
    }
    path.extend_from_slice(name);
    path
}

fn make_directory(
    parent: &OwnedFd,
    name: &[u8],
    path: &dyn Fn() -> BString,
    rollback: &mut Rollback<'_>,
) -> Result<(), Error> {
    match mkdirat(parent, name, Mode::RWXU) {
        Ok(()) => {
            rollback.made_directory(path());
            Ok(())
        }
        Err(Errno::EXIST) => {
            let stat =
                statat(parent, name, AtFlags::SYMLINK_NOFOLLOW).map_err(|e| Error::io("stat", path(), e))?;
            if FileType::from_raw_mode(stat.st_mode) == FileType::Directory {
                return Ok(());
            }
            Err(Error::io("mkdir", path(), Errno::EXIST))
        }
        Err(e) => Err(Error::io("mkdir", path(), e)),
    }
}

/// A further name; unlike a rename, linking does not replace, so that goes through a name of our own.
fn link(staging: &OwnedFd, staged: &str, directory: &OwnedFd, name: &[u8]) -> rustix::io::Result<()> {
    match linkat(staging, staged, directory, name, AtFlags::empty()) {
        Err(Errno::EXIST) => {
            linkat(staging, staged, staging, REPLACEMENT, AtFlags::empty())?;
            renameat(staging, REPLACEMENT, directory, name).inspect_err(|_| {
                let _ = unlinkat(staging, REPLACEMENT, AtFlags::empty());
            })
        }
        other => other,
    }
}
