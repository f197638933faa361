//! Owners and modes of directories, when nothing more is to be made in them.

use std::fs::File;
use std::io::Write;

use rustix::fs::{Gid, Mode, OFlags, Uid, fchmod, fchown};
use rustix::io::Errno;

use super::plan::Plan;
use super::rollback::Rollback;
use super::stage::permissions;
use crate::beneath::Root;
use crate::error::Error;

/// Where a machine finds out which image it was made from.
const INITIAL_IMAGE: &str = "var/lib/initial-image";

/// Deepest first, so that a directory that shuts us out does so last.
pub(super) fn finish(plan: &Plan<'_>, root: &Root) -> Result<(), Error> {
    for (path, inode) in plan.directories.iter().rev() {
        if inode.uid == u32::MAX || inode.gid == u32::MAX {
            let why = "owner or group is not a valid number";
            return Err(Error::BadTree {
                path: path.clone(),
                why,
            });
        }
        let fd = root.directory(path).map_err(|e| Error::io("open", path, e))?;
        fchown(
            &fd,
            Some(Uid::from_raw(inode.uid)),
            Some(Gid::from_raw(inode.gid)),
        )
        .map_err(|e| Error::io("chown", path, e))?;
        fchmod(&fd, permissions(inode.mode)).map_err(|e| Error::io("chmod", path, e))?;
    }
    Ok(())
}

/// Resolved as the machine itself will, links and all, without leaving the target. Missing directories are made.
pub(super) fn initial_image(root: &Root, name: &str, rollback: &mut Rollback<'_>) -> Result<(), Error> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC | OFlags::CLOEXEC;
    let mode = Mode::from_raw_mode(0o644);
    let fd = match root.open_in_root(INITIAL_IMAGE.as_bytes(), flags, mode) {
        Err(Errno::NOENT) => {
            for directory in ["var", "var/lib"] {
                match rustix::fs::mkdirat(root, directory, Mode::from_raw_mode(0o755)) {
                    Ok(()) => rollback.made_directory(format!("/{directory}").into()),
                    Err(Errno::EXIST) => {}
                    Err(e) => return Err(Error::io("mkdir", format!("/{directory}"), e)),
                }
            }
            root.open_in_root(INITIAL_IMAGE.as_bytes(), flags, mode)
        }
        other => other,
    };
    let path = format!("/{INITIAL_IMAGE}");
    let mut file = fd.map(File::from).map_err(|e| Error::io("create", &path, e))?;
    fchmod(&file, mode).map_err(|e| Error::io("chmod", &path, e))?;
    writeln!(file, "{name}").map_err(|e| Error::io("write", &path, e))
}
