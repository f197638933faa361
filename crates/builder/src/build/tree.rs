//! A tree and nothing more, for the tool's local builds (`builder-tool.md §2.2`, `build-tree-from-manifest`).

use std::path::{Path, PathBuf};
use std::time::Instant;

use recipe::UserStream;

use super::Build;
use super::failure::{Doing, Failure};
use super::user::{binds, read_manifest};
use crate::delete::delete_matching;
use crate::{Phase, Watcher, manifest, process};

impl Build<'_> {
    pub(super) fn tree(
        &self,
        stream: &UserStream,
        bind_mounts: &[String],
        place: &Path,
    ) -> Result<PathBuf, Failure> {
        self.overseer.phase(Phase::FetchManifest);
        let watcher = self.watcher();
        let fetched = manifest::fetch(self.order, stream, &watcher, &self.shop.directory)?;
        let mut root = self.work_tree(".root")?;
        let variables = &self.order.variables;
        let manifest = read_manifest(fetched.directory())?.expanded(variables);
        let left_out = manifest.filter_lines.clone().unwrap_or_default();
        // What is wrong with them is told before the work.
        self.compiled(&left_out)?;
        self.unpack_source(&manifest, &mut root)?;
        let room = self.room(root.path()).with_binds(binds(bind_mounts, None));
        let watch = self.watch_disk(root.path(), None);
        let began = Instant::now();
        process::process_manifest(&room, fetched.directory(), variables)?;
        drop(watch);
        let left_out = self.compiled(&left_out)?;
        delete_matching(root.path(), &left_out.filter, &|| self.overseer.is_cancelled())
            .map_err(|e| Failure::new(tree_io::os_text(&e)))
            .doing("error deleting what FilterLines match")?;
        let took = human::duration(began.elapsed());
        self.overseer.say(format!("Processed manifest in {took}"));
        self.overseer.check()?;
        root.give_to(place)
            .map_err(|e| Failure::new(tree_io::os_text(&e)))
            .doing("error moving the tree")
    }
}
