//! A tree becomes an image (`imaginator.md §14`).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use image::{Annotation, ComputedFile, FileSystem, Filter, Image, Triggers};
use image_client::Selection;
use recipe::Owners;
use recipe::manifest::expanded_tags;
use tree_io::Known;

use super::Build;
use super::failure::{Doing, Failure};
use super::objects::Sent;
use super::work_tree::WorkTree;
use crate::delete::delete_matching;
use crate::filters::{self, Held};
use crate::sandbox_run::Room;
use crate::step_error::StepError;
use crate::{Phase, Watcher, packages, tests};

/// What is left out of every image: all below `/tmp`, which itself stays.
const SCRATCH: &str = "/tmp/.*";

/// What an image gets beside its tree.
#[derive(Default)]
pub(crate) struct Packing {
    /// Paths that are left out; expressions as in a filter.
    pub(crate) left_out: Vec<String>,
    /// Files whose content is computed per machine.
    pub(crate) computed_files: Vec<ComputedFile>,
    /// Paths whose modification times are not copied.
    pub(crate) mtimes_filter: Vec<String>,
    /// Of the unpacked source image.
    pub(crate) known: Option<Arc<Known>>,
    pub(crate) filter: Option<Filter>,
    pub(crate) triggers: Option<Triggers>,
    /// Not expanded.
    pub(crate) tags: BTreeMap<String, String>,
    /// For the tags.
    pub(crate) variables: BTreeMap<String, String>,
    pub(crate) owners: Owners,
    pub(crate) source_image: String,
    pub(crate) build_branch: String,
    pub(crate) build_commit_id: String,
    pub(crate) build_git_url: String,
}

/// An image that is ready to be added.
pub(crate) struct Packed {
    pub(crate) image: Image,
    /// Keeps its objects at the server.
    pub(crate) _sent: image_client::add_queue::Connections,
}

impl Build<'_> {
    /// In exactly this order (`§14.1`).
    pub(crate) fn pack(
        &self,
        room: &Room,
        root: &mut WorkTree,
        packing: &Packing,
    ) -> Result<Packed, Failure> {
        self.overseer.phase(Phase::Pack);
        let packages = packages::list(room)?;
        let scratch = self.compiled(&[SCRATCH.to_owned()])?;
        delete_matching(root.path(), &scratch.filter, &|| self.overseer.is_cancelled())
            .map_err(|e| Failure::new(tree_io::os_text(&e)))
            .doing("error deleting temporary files")?;
        self.shop.tick.wait();
        drop(scratch);
        let filter = match packing.left_out.is_empty() {
            true => None,
            false => Some(self.compiled(&packing.left_out)?),
        };
        let (filter, part) = filter.map(|held| (held.filter, held.part)).unzip();
        let Sent {
            mut tree,
            _connections,
        } = self
            .scan_and_send(root.path(), filter, packing.known.clone())
            .doing("error building file-system")?;
        drop(part);
        root.was_packed(&tree);
        image::computed_files::splice(&mut tree, &packing.computed_files)
            .map_err(|e| Failure::new(e.to_string()))
            .doing("error splicing computed files")?;
        self.copy_mtimes(&mut tree, &packing.mtimes_filter)
            .doing("error copying mtimes")?;
        self.overseer.phase(Phase::Tests);
        tests::run(room)?;
        self.overseer.phase(Phase::Publish);
        let image = self.assemble(tree, packages, packing)?;
        Ok(Packed {
            image,
            _sent: _connections,
        })
    }

    /// Files that only look new because they were made anew get the time they had (`§14.3`): updates of machines stay small.
    fn copy_mtimes(&self, tree: &mut FileSystem, filter: &[String]) -> Result<(), Failure> {
        let began = Instant::now();
        let held = self.compiled(filter)?;
        let selection = Selection {
            directory: self.order.stream.clone(),
            ..Selection::default()
        };
        let Some((name, newest)) = self.newest(&selection)? else {
            return Ok(());
        };
        if let Some(theirs) = &newest.file_system {
            let copied = tree.copy_mtimes_where(theirs, |path| !held.filter.matches(path));
            let took = human::duration(began.elapsed());
            self.overseer
                .say(format!("Copied {copied} mtimes from {name} in {took}"));
        }
        Ok(())
    }

    fn assemble(
        &self,
        tree: FileSystem,
        packages: Vec<image::Package>,
        packing: &Packing,
    ) -> Result<Image, Failure> {
        image::verify::tree(&tree).map_err(|e| Failure::new(e.to_string()))?;
        let log = self.overseer.log_so_far();
        // None should be in it; that a log stays with an image for ever is reason enough to look again.
        let log = self.order.secrets.redact(&log);
        let build_log = match log.is_empty() {
            true => None,
            false => Some(Annotation {
                object: Some(
                    self.link
                        .call(async |server| server.add_object(&log).await)
                        .doing("error uploading build log")?,
                ),
                url: String::new(),
            }),
        };
        Ok(Image {
            build_branch: packing.build_branch.clone(),
            build_commit_id: packing.build_commit_id.clone(),
            build_git_url: packing.build_git_url.clone(),
            created_for: self.order.created_for.clone(),
            filter: packing.filter.clone(),
            file_system: Some(tree),
            triggers: packing.triggers.clone(),
            build_log,
            owner_groups: packing.owners.groups.clone(),
            owner_users: packing.owners.users.clone(),
            packages,
            source_image: packing.source_image.clone(),
            tags: expanded_tags(&packing.tags, &packing.variables),
            ..Image::default()
        })
    }
}

impl Build<'_> {
    /// Lines of a manifest or a configuration, ready to match.
    pub(super) fn compiled(&self, lines: &[String]) -> Result<Held, Failure> {
        let lines = lines.iter().map(String::as_str);
        filters::compiled(lines, &|| self.overseer.is_cancelled())
            .map_err(StepError::from)
            .doing("error compiling filter")
    }
}
