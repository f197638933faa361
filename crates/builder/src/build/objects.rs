//! The tree is scanned, and what the server lacks is sent (`imaginator.md §14.2`).

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use image::FileSystem;
use image::filter::CompiledFilter;
use image_client::add_queue::{AddOptions, AddQueue, Connections};
use image_client::flows::deliver;
use tree_io::{Known, ScanOptions, ScanReport};

use super::Build;
use super::failure::Failure;

/// A tree whose objects are with the server.
pub(crate) struct Sent {
    pub(crate) tree: FileSystem,
    /// The server protects what came over them as long as they last: keep them until the image is added.
    pub(crate) _connections: Connections,
}

impl Build<'_> {
    /// Scans `root` without what the filter matches, and without reading what is known.
    ///
    /// The server is asked what it lacks where nearly everything is new to us, after a bootstrap: our certificate need not allow
    /// asking (`imaginator.md §2.2`), then everything is sent. Of a build upon an image only what it made is sent.
    pub(crate) fn scan_and_send(
        &self,
        root: &Path,
        filter: Option<CompiledFilter>,
        known: Option<Arc<Known>>,
    ) -> Result<Sent, Failure> {
        let began = Instant::now();
        self.overseer.say("Scanning file-system and uploading objects");
        let known_files = known.as_ref().map_or(0, |known| known.len());
        let sending = self.link.connect()?.into_client();
        let asking = match known {
            Some(_) => None,
            None => Some(self.link.connect()?.into_client()),
        };
        let (root, cancel) = (root.to_owned(), self.link.cancel().clone());
        let sent = self.link.wait(async {
            let queue = AddQueue::start(sending, asking, AddOptions::default());
            deliver(queue, cancel.clone(), move |sink| {
                let options = ScanOptions {
                    filter: filter.as_ref(),
                    known: known.as_deref(),
                    cancel,
                    ..ScanOptions::default()
                };
                tree_io::scan(&root, &options, sink)
            })
            .await
        });
        let ((tree, report), added, connections) = sent?;
        let took = human::duration(began.elapsed());
        self.overseer.say(format!(
            "Scanned {} files ({}) in {took}: read {} of them, sent {} objects ({})",
            tree.num_regular_inodes,
            human::bytes(tree.total_data_bytes),
            added.objects,
            added.sent_objects,
            human::bytes(added.sent_bytes),
        ));
        tracing::debug!("{known_files} files were known");
        self.tell_what_is_lost(&report);
        Ok(Sent {
            tree,
            _connections: connections,
        })
    }

    /// What an image cannot hold is told: a program that lost its privilege fails far from here.
    fn tell_what_is_lost(&self, report: &ScanReport) {
        let lost = [
            ("file capabilities", &report.attributes.capabilities),
            ("access control lists", &report.attributes.access_lists),
        ];
        for (what, seen) in lost {
            if let Some(first) = seen.paths.first() {
                self.overseer.say(format!(
                    "Note: an image cannot hold {what}; {} files have some, the first is {first}",
                    seen.count
                ));
            }
        }
    }
}
