//! Trees of builds that are over, kept for the next build of the same stream upon the same source image.
//!
//! Making and deleting thousands of files is what an ordinary build costs, and a file system that has just deleted as many makes new
//! ones several times slower. A build changes few of them: what it changed is put right ([`restore`]), and the next one begins with what is
//! there. That this cannot be told from an unpacked image is made sure of each time: what the kernel says has changed since it was unpacked
//! is made anew, and the whole is then scanned and compared with the image.
//!
//! Only the same stream gets a tree again: should a script know how to change a file behind the kernel's back, it would have cheated
//! itself. Nothing is kept over a restart, of a build that failed, or while the disk is nearly full.

mod restore;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use image::FileSystem;
use parking_lot::Mutex;
use tree_io::Known;

use crate::delete::delete_tree;

pub(crate) use restore::{Restoring, expected, is_as_unpacked};

/// Where they are, below the directory of the trees.
pub(crate) const DIRECTORY: &str = ".kept";

/// Trees kept at a time; each takes what its image takes.
const MOST_TREES: usize = 4;

/// Of the disk has to be free for a tree to be kept: one part in so many, or [`FREE_BYTES`] if that is less.
const FREE_PART: u64 = 10;

/// See [`FREE_PART`].
const FREE_BYTES: u64 = 4 << 30;

/// A tree as a build left it.
pub(crate) struct KeptTree {
    pub(crate) path: PathBuf,
    pub(crate) stream: String,
    /// Full name of the image it was unpacked from.
    pub(crate) source: String,
    pub(crate) tree: Arc<FileSystem>,
    /// As it was unpacked.
    pub(crate) known: Arc<Known>,
}

/// All that are kept, those used last at the end.
pub(crate) struct KeptTrees {
    directory: PathBuf,
    next: AtomicU64,
    trees: Mutex<Vec<KeptTree>>,
}

impl KeptTrees {
    /// None yet. `directory` is that of the trees.
    pub(crate) fn new(directory: &Path) -> std::io::Result<KeptTrees> {
        let directory = directory.join(DIRECTORY);
        fs::create_dir(&directory)?;
        Ok(KeptTrees {
            directory,
            next: AtomicU64::new(0),
            trees: Mutex::default(),
        })
    }

    /// One that was unpacked from this image for a build of this stream. It is the caller's from now on, directory and all.
    pub(crate) fn take(&self, stream: &str, source: &str) -> Option<KeptTree> {
        let mut trees = self.trees.lock();
        let at = trees
            .iter()
            .position(|kept| kept.stream == stream && kept.source == source)?;
        Some(trees.remove(at))
    }

    /// Keeps the tree that is at `path`, if there is room for it; what is not kept any more is deleted.
    pub(crate) fn put(&self, path: &Path, kept: KeptTree) -> std::io::Result<()> {
        if !self.has_room(path) {
            return delete_tree(path);
        }
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let place = self.directory.join(number.to_string());
        fs::rename(path, &place)?;
        let mut trees = self.trees.lock();
        // An older source image is of no use once there is a newer one.
        let mut gone: Vec<PathBuf> = Vec::new();
        let is_older = |other: &KeptTree| other.stream == kept.stream && other.source != kept.source;
        trees.retain(|other| {
            if is_older(other) {
                gone.push(other.path.clone());
            }
            !is_older(other)
        });
        if trees.len() >= MOST_TREES {
            gone.push(trees.remove(0).path);
        }
        trees.push(KeptTree { path: place, ..kept });
        drop(trees);
        gone.iter().try_for_each(|path| delete_tree(path))
    }

    /// Gives up all of them, for their room.
    pub(crate) fn clear(&self) {
        let trees = std::mem::take(&mut *self.trees.lock());
        for kept in trees {
            if let Err(error) = delete_tree(&kept.path) {
                tracing::warn!("cannot delete {}: {error}", kept.path.display());
            }
        }
    }

    fn has_room(&self, path: &Path) -> bool {
        let Ok(space) = rustix::fs::statvfs(path) else {
            return false;
        };
        let free = space.f_bavail.saturating_mul(space.f_frsize);
        let whole = space.f_blocks.saturating_mul(space.f_frsize);
        Known::is_possible(path) && free >= FREE_BYTES.min(whole / FREE_PART)
    }
}

/// A process that ends orderly leaves nothing for the next one to remove.
impl Drop for KeptTrees {
    fn drop(&mut self) {
        self.clear();
    }
}
