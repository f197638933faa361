//! A tree becomes a directory (`imagetool.md §6.3`).
//!
//! Everything but directories is first made in `TARGET/.inodes`, a private directory, with content, owner, mode and time;
//! only when all of it is there are names given out, by rename and hard link. So whatever goes wrong while data arrive
//! leaves the target as it was, and no half-written file is ever seen under its name. Names that exist already are replaced, what is
//! not in the image stays.
//!
//! Cost: one create, write, chown, chmod, utime, rename per file, spread over the cores, while the next
//! objects arrive; nothing is flushed (an interrupted `get` is done again).

mod directories;
mod place;
mod plan;
mod receive;
mod rollback;
mod stage;

use std::path::Path;

use hash::Hash;
use image::FileSystem;
use rustix::fs::{AtFlags, Mode, mkdirat, statat};

use crate::beneath::Root;
use crate::error::Error;
use crate::source::{NearObjects, ObjectSource};
use crate::{Cancel, Progress};

use plan::Plan;
use rollback::Rollback;
use stage::Stage;

/// The staging directory; an image with this name at its top cannot be unpacked.
pub const STAGING: &str = ".inodes";

/// How to unpack.
#[derive(Clone, Default)]
pub struct UnpackOptions<'a> {
    /// Written, with a line end, to `var/lib/initial-image` below the target.
    pub initial_image: Option<&'a str>,
    /// Objects that need not be asked for.
    pub near: Option<&'a dyn NearObjects>,
    /// Threads that write files; the number of cores if not given.
    pub threads: Option<std::num::NonZeroUsize>,
    /// Stops it, leaving nothing half done.
    pub cancel: Cancel,
    /// Counts files and bytes.
    pub progress: Progress,
}

/// The objects [`unpack`] will take, in its order, each once. Of these it takes only what is not near.
///
/// # Errors
/// A tree that is malformed or claims two sizes for one object.
pub fn wanted(tree: &FileSystem) -> Result<Vec<(Hash, u64)>, Error> {
    Ok(Plan::new(tree)?
        .objects
        .iter()
        .map(|object| (object.hash, object.size))
        .collect())
}

/// Unpacks `tree` into `target`, which is made (mode 0700, then the root's metadata) if it does not exist.
///
/// # Errors
/// Owners need privilege: without it the first foreign one fails. After an error what was made is gone; names
/// that existed before and had been replaced already (only possible once all data are here) stay replaced.
pub fn unpack(
    tree: &FileSystem,
    target: &Path,
    objects: &mut dyn ObjectSource,
    options: &UnpackOptions<'_>,
) -> Result<(), Error> {
    let plan = Plan::new(tree)?;
    options.cancel.check()?;
    let mut rollback = Rollback::new(target);
    let result = run(&plan, target, objects, options, &mut rollback);
    if result.is_err() {
        rollback.undo();
    }
    result
}

fn run(
    plan: &Plan<'_>,
    target: &Path,
    objects: &mut dyn ObjectSource,
    options: &UnpackOptions<'_>,
    rollback: &mut Rollback<'_>,
) -> Result<(), Error> {
    let shown = target.as_os_str().as_encoded_bytes();
    match rustix::fs::mkdir(target, Mode::RWXU) {
        Ok(()) => rollback.made_target(),
        Err(rustix::io::Errno::EXIST) => {}
        Err(e) => return Err(Error::io("mkdir", shown, e)),
    }
    let root = Root::open(target).map_err(|e| Error::io("open", shown, e))?;
    check_space(plan, &root)?;
    mkdirat(&root, STAGING, Mode::RWXU)
        .map_err(|e| Error::io("mkdir", target.join(STAGING).as_os_str().as_encoded_bytes(), e))?;
    rollback.made_staging();
    if is_all_new(plan, &root)? {
        rollback.everything_is_new();
        let stage = Stage {
            root: &root,
            names: Some(&plan.first_names),
        };
        place::directories(plan, &root, rollback)?;
        for name in plan.top_level_files() {
            rollback.made_entry(name);
        }
        receive::receive(plan, stage, objects, options)?;
        place::further_names(plan, &root, stage)?;
    } else {
        receive::receive(
            plan,
            Stage {
                root: &root,
                names: None,
            },
            objects,
            options,
        )?;
        options.cancel.check()?;
        let staging = root
            .directory(STAGING.as_bytes())
            .map_err(|e| Error::io("open", STAGING, e))?;
        place::directories(plan, &root, rollback)?;
        place::staged(plan, &root, &staging, rollback)?;
    }
    directories::finish(plan, &root)?;
    if let Some(name) = options.initial_image {
        directories::initial_image(&root, name, rollback)?;
    }
    rustix::fs::unlinkat(&root, STAGING, AtFlags::REMOVEDIR).map_err(|e| Error::io("rmdir", STAGING, e))
}

/// Whether no top-level name of the image exists in the target, so that nothing can be replaced.
fn is_all_new(plan: &Plan<'_>, root: &Root) -> Result<bool, Error> {
    let Some((_, top)) = plan.directories.first() else {
        return Ok(true);
    };
    for entry in &top.entry_list {
        match statat(root, entry.name.as_slice(), AtFlags::SYMLINK_NOFOLLOW) {
            Err(rustix::io::Errno::NOENT) => {}
            Ok(_) => return Ok(false),
            Err(e) => return Err(Error::io("stat", &entry.name, e)),
        }
    }
    Ok(true)
}

/// An estimate, as the server's (`imageserver.md §2.5`): whole blocks for files and directories, 64 bytes for links.
fn check_space(plan: &Plan<'_>, root: &Root) -> Result<(), Error> {
    let space = rustix::fs::fstatvfs(root).map_err(|e| Error::io("stat", "file-system", e))?;
    if plan.usage > space.f_bavail.saturating_mul(space.f_frsize) {
        Err(Error::WillNotFit)
    } else {
        Ok(())
    }
}
