//! Directories in the image that directories of the host are mounted on (`image-manifest.md §3`, steps 1 and 15).

use std::path::{Path, PathBuf};

use rustix::fs::AtFlags;

use crate::in_root::Tree;
use crate::sandbox_run::Room;
use crate::step_error::{At, During, StepError};

/// Those that were made. They go, whatever happens.
pub(crate) struct MountPoints {
    tree: Tree,
    /// In the image; the outer ones first.
    made: Vec<PathBuf>,
}

impl MountPoints {
    /// Makes those that are not there.
    ///
    /// # Errors
    /// A file is in the way.
    pub(crate) fn make(room: &Room) -> Result<Self, StepError> {
        let tree = Tree::image(room.root()).at(room.root())?;
        let mut points = Self {
            tree,
            made: Vec::new(),
        };
        for bind in room.binds() {
            let made = points
                .tree
                .make_directories(&bind.target)
                .at(&bind.target)
                .during("error making bind mount point")?;
            for path in &made {
                let on_host = room.root().join(path);
                let is_last = Path::new("/").join(path) == bind.target;
                let what = if is_last {
                    "bind mount point"
                } else {
                    "intermediate directory for bind mount"
                };
                room.say(format!("Making {what}: {}", on_host.display()));
            }
            points.made.extend(made);
        }
        Ok(points)
    }

    /// Removes them.
    ///
    /// # Errors
    /// One is not empty.
    pub(crate) fn remove(mut self) -> Result<(), StepError> {
        while let Some(path) = self.made.pop() {
            self.remove_one(&path)
                .at(Path::new("/").join(&path))
                .during("error removing bind mount point")?;
        }
        Ok(())
    }

    fn remove_one(&self, path: &Path) -> rustix::io::Result<()> {
        let (parent, name) = self.tree.parent(path)?;
        rustix::fs::unlinkat(parent, name, AtFlags::REMOVEDIR)
    }
}

impl Drop for MountPoints {
    fn drop(&mut self) {
        while let Some(path) = self.made.pop() {
            // After an error, which is the one that matters.
            let _ = self.remove_one(&path);
        }
    }
}
