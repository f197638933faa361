//! A bootstrap stream, from an empty directory (`imaginator.md §8.2`).

use recipe::BootstrapStream;

use super::Build;
use super::failure::Failure;
use super::pack::Packing;
use crate::order::Built;
use crate::{Phase, Watcher};

impl Build<'_> {
    pub(crate) fn bootstrap(&self, stream: &BootstrapStream) -> Result<Built, Failure> {
        self.overseer.phase(Phase::Bootstrap);
        let mut root = self.work_tree("")?;
        let room = self.room(root.path());
        let watch = self.watch_disk(root.path(), None);
        crate::bootstrap::run(&room, stream, &self.order.variables)?;
        let mut variables = self.order.variables.clone();
        variables.insert("dir".to_owned(), root.path().display().to_string());
        let packing = Packing {
            left_out: stream.filter_lines.clone(),
            filter: stream.image_filter.clone(),
            triggers: stream.image_triggers.clone(),
            tags: stream.image_tags.clone(),
            variables,
            owners: stream.owners.clone(),
            ..Packing::default()
        };
        let built = self.finish(&room, &mut root, packing);
        drop(watch);
        built
    }
}
