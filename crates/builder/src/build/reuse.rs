//! The tree of an earlier build in place of a newly unpacked one.

use std::sync::Arc;
use std::time::Instant;

use hash::Hash;
use image::FileSystem;
use tree_io::Known;

use super::Build;
use super::failure::Failure;
use super::work_tree::WorkTree;
use crate::kept_tree::{KeptTree, Restoring, expected, is_as_unpacked};

impl Build<'_> {
    /// If a tree of the same stream upon this image was kept, puts it right and has it scanned; then it is in `root`. Nothing if there is
    /// none, or it could not be put right: then `root` is empty.
    pub(super) fn reuse(&self, source: &str, tree: &Arc<FileSystem>, root: &WorkTree) -> Option<Known> {
        let began = Instant::now();
        let kept = self.shop.kept.as_ref()?.take(&self.order.stream, source)?;
        match self.put_right(&kept, tree, root) {
            Ok(Some((known, files))) => {
                let took = human::duration(began.elapsed());
                self.overseer.say(format!(
                    "Took over the tree of the build before in {took}: made {files} files anew"
                ));
                return Some(known);
            }
            Ok(None) => tracing::debug!("{}: its kept tree is better unpacked anew", self.order.stream),
            Err(failure) => tracing::warn!("{}: its kept tree: {}", self.order.stream, failure.text()),
        }
        // Where it is now depends on how far it came.
        let gone = crate::delete::delete_tree(&kept.path).and_then(|()| root.begin_again());
        if let Err(error) = gone {
            tracing::warn!("{}: its kept tree: {error}", self.order.stream);
        }
        None
    }

    fn put_right(
        &self,
        kept: &KeptTree,
        tree: &Arc<FileSystem>,
        root: &WorkTree,
    ) -> Result<Option<(Known, u64)>, Failure> {
        if *kept.tree != **tree {
            return Ok(None);
        }
        let failed = |error: std::io::Error| Failure::new(tree_io::os_text(&error));
        root.take_over(kept).map_err(failed)?;
        let Some(part) = Restoring::run(tree, &kept.known, root.path()).map_err(failed)? else {
            return Ok(None);
        };
        let files = part.num_regular_inodes;
        let part = Arc::new(part);
        let wanted = tree_io::unpack::wanted(&part)?;
        let near = match &self.shop.cache {
            Some(cache) => Some(cache.near(&wanted, self.link.cancel())?),
            None => None,
        };
        let missing: Vec<(Hash, u64)> = wanted
            .into_iter()
            .filter(|(hash, _)| near.as_ref().is_none_or(|near| !near.has(hash)))
            .collect();
        self.fetch_and_unpack(&part, root.path(), missing, near)?;
        if !is_as_unpacked(&expected(tree), &kept.known, root.path(), self.link.cancel())? {
            return Ok(None);
        }
        let known = Known::of(tree, root.path())?;
        self.shop.tick.wait();
        Ok(Some((known, files)))
    }
}
