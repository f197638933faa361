//! The directory a build has its tree in; gone when the build is, however it ended.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use image::FileSystem;
use tree_io::Known;

use crate::delete::delete_tree;
use crate::kept_tree::KeptTree;
use crate::object_cache::ObjectCache;
use crate::workshop::Shop;

/// The mode of a new root directory.
const ROOT_MODE: u32 = 0o755;

/// The mode of a directory that nobody else of the host may enter.
const CLOSED_MODE: u32 = 0o700;

/// A directory with what may be kept of it in the object cache.
pub(crate) struct WorkTree {
    path: PathBuf,
    cache: Option<Arc<ObjectCache>>,
    unpacked: Option<(Arc<FileSystem>, Arc<Known>)>,
    packed: Option<FileSystem>,
    kept_for: Option<(Arc<Shop>, String, String)>,
}

impl WorkTree {
    /// Makes one below `directory`; `prefix` begins its name.
    pub(crate) fn make(
        directory: &Path,
        prefix: &str,
        cache: Option<Arc<ObjectCache>>,
    ) -> std::io::Result<WorkTree> {
        let path = tempfile::Builder::new()
            .prefix(prefix)
            .permissions(std::fs::Permissions::from_mode(ROOT_MODE))
            .tempdir_in(directory)?
            .keep();
        Ok(WorkTree {
            path,
            cache,
            unpacked: None,
            packed: None,
            kept_for: None,
        })
    }

    /// The directory.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// What it was unpacked from, and what is known of its files.
    pub(crate) fn unpacked(&self) -> Option<(Arc<FileSystem>, Arc<Known>)> {
        self.unpacked.clone()
    }

    /// Gives the tree away: it becomes `root` in a new directory in `place`, whose name begins with `tree` and which stays closed to
    /// others, for whom its set-user-id programs would be programs of the host.
    pub(crate) fn give_to(mut self, place: &Path) -> std::io::Result<PathBuf> {
        let closed = tempfile::Builder::new()
            .prefix("tree")
            .permissions(std::fs::Permissions::from_mode(CLOSED_MODE))
            .tempdir_in(place)?;
        let to = closed.path().join("root");
        std::fs::rename(&self.path, &to)?;
        let _ = closed.keep();
        // There is nothing to keep or to delete any more.
        self.cache = None;
        Ok(to)
    }

    /// Its files that have not changed since it was unpacked go to the cache at the end.
    pub(crate) fn was_unpacked(&mut self, tree: Arc<FileSystem>, known: Arc<Known>) {
        self.unpacked = Some((tree, known));
    }

    /// The build ended well: the next one of the stream upon the same source image may have the tree.
    pub(crate) fn keep_for(&mut self, shop: &Arc<Shop>, stream: &str, source: &str) {
        if shop.kept.is_some() {
            self.kept_for = Some((Arc::clone(shop), stream.to_owned(), source.to_owned()));
        }
    }

    /// Puts a tree that was kept in the place of the empty directory.
    pub(crate) fn take_over(&self, kept: &KeptTree) -> std::io::Result<()> {
        std::fs::rename(&kept.path, &self.path)
    }

    /// Empties it.
    pub(crate) fn begin_again(&self) -> std::io::Result<()> {
        delete_tree(&self.path)?;
        std::fs::create_dir(&self.path)?;
        std::fs::set_permissions(&self.path, std::fs::Permissions::from_mode(ROOT_MODE))
    }

    /// So do those that were made since, now that their content has names.
    pub(crate) fn was_packed(&mut self, tree: &FileSystem) {
        if self.cache.is_some() {
            self.packed = Some(tree.clone());
        }
    }
}

impl Drop for WorkTree {
    fn drop(&mut self) {
        let kept = self.kept_for.take().zip(self.unpacked.clone());
        if let Some(cache) = &self.cache {
            if let Some((tree, known)) = &self.unpacked {
                cache.adopt(tree, &self.path, Some(known));
            }
            if let Some(tree) = &self.packed {
                cache.adopt(tree, &self.path, None);
            }
        }
        let gone = match kept {
            Some(((shop, stream, source), (tree, known))) => shop.kept.as_ref().map_or(Ok(()), |trees| {
                let path = self.path.clone();
                let kept = KeptTree {
                    path,
                    stream,
                    source,
                    tree,
                    known,
                };
                trees.put(&self.path, kept)
            }),
            None => delete_tree(&self.path),
        };
        if let Err(error) = gone.or_else(|_| delete_tree(&self.path)) {
            tracing::warn!("cannot delete {}: {error}", self.path.display());
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_that_is_given_away_stays_closed_to_others_of_the_host() {
        let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let tree = WorkTree::make(from.path(), "x.root", None).unwrap();
        std::fs::write(tree.path().join("su"), "").unwrap();
        let given = tree.give_to(to.path()).unwrap();
        assert!(given.join("su").exists());
        let above = given.parent().unwrap();
        assert!(above.file_name().unwrap().to_str().unwrap().starts_with("tree"));
        assert_eq!(above.parent(), Some(to.path()));
        assert_eq!(
            std::fs::metadata(above).unwrap().permissions().mode() & 0o777,
            0o700
        );
        // The tree itself is as images have it.
        assert_eq!(
            std::fs::metadata(&given).unwrap().permissions().mode() & 0o777,
            0o755
        );
    }
}
