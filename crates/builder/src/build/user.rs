//! A user stream: a source image and a manifest (`imaginator.md §11`).

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use image::Image;
use recipe::{Cache, Manifest, UserStream};
use sandbox::Bind;

use super::Build;
use super::failure::{Doing, Failure};
use super::kept_directory::KeptDirectory;
use super::pack::Packing;
use super::source::Source;
use super::work_tree::WorkTree;
use crate::in_root::Tree;
use crate::manifest::{Fetched, SideFiles};
use crate::order::Built;
use crate::sandbox_run::read_only;
use crate::{Phase, Watcher, manifest, process, trees};

/// Bytes of the file `manifest`, at most.
const MANIFEST_MOST_BYTES: u64 = 4 << 20;

impl Build<'_> {
    pub(crate) fn user(
        &self,
        stream: &UserStream,
        bind_mounts: &[String],
        mtimes_filter: &[String],
        cache: Option<&Cache>,
    ) -> Result<Built, Failure> {
        self.overseer.phase(Phase::FetchManifest);
        let watcher = self.watcher();
        let fetched = manifest::fetch(self.order, stream, &watcher, &self.shop.directory)?;
        let mut side_files = SideFiles::load(fetched.directory(), &*watcher)?;
        let mut root = self.work_tree(".root")?;
        let variables = recipe::environment(
            &self.order.stream,
            stream,
            &self.order.variables,
            fetched.commit.as_deref(),
            &self.order.branch,
        );
        let manifest = read_manifest(fetched.directory())?.expanded(&variables);
        // What is wrong with these is told before the hour of work, not after it.
        self.compiled(manifest.filter_lines.as_deref().unwrap_or_default())?;
        let mtimes_filter = manifest.mtimes_copy_filter(mtimes_filter);
        self.compiled(&mtimes_filter)?;

        let (name, image) = self.unpack_source(&manifest, &mut root)?;
        let kept = kept_directory(cache, &self.order.stream)?;
        let room = self
            .room(root.path())
            .with_binds(binds(bind_mounts, kept.as_ref()));
        let watch = self.watch_disk(root.path(), kept.as_ref().map(KeptDirectory::path));
        let began = Instant::now();
        process::process_manifest(&room, fetched.directory(), &variables)
            .doing("error processing manifest")?;
        self.overseer.say(format!(
            "Processed manifest in {}",
            human::duration(began.elapsed())
        ));
        self.shop.tick.wait();
        trees::copy_tests(fetched.directory(), &self.order.stream, root.path(), &*watcher)?;
        let (tree, known) = root.unpacked().unwrap_or_default();
        let inherited = image::computed_files::list(&tree);
        side_files.join(image.filter.as_ref(), image.triggers.as_ref(), &inherited);
        let mut packing = Packing {
            left_out: manifest.filter_lines.unwrap_or_default(),
            mtimes_filter,
            // Where nothing is known the server is asked what it lacks.
            known: Some(known).filter(|known| !known.is_empty()),
            variables,
            source_image: name,
            ..Packing::default()
        };
        beside_the_tree(&mut packing, side_files, &fetched);
        let built = self.finish(&room.without_binds(), &mut root, packing)?;
        drop(watch);
        root.keep_for(self.shop, &self.order.stream, &built.source_image);
        Ok(built)
    }
}

impl Build<'_> {
    /// Finds the source image and unpacks it; returns its name, and itself without its tree.
    pub(super) fn unpack_source(
        &self,
        manifest: &Manifest,
        root: &mut WorkTree,
    ) -> Result<(String, Image), Failure> {
        self.overseer.phase(Phase::FindSource);
        let source = self.find_source(manifest).doing("error unpacking image")?;
        self.overseer.phase(Phase::Unpack);
        let Source { name, mut image } = source;
        let tree = Arc::new(image.file_system.take().unwrap_or_default());
        self.overseer.say(format!("Source image: {name}"));
        let known = match self.reuse(&name, &tree, root) {
            Some(known) => known,
            None => self.unpack(&tree, root.path()).doing("error unpacking image")?,
        };
        root.was_unpacked(tree, Arc::new(known));
        Ok((name, image))
    }
}

fn beside_the_tree(packing: &mut Packing, side_files: SideFiles, fetched: &Fetched) {
    packing.filter = side_files.filter.map(|(filter, _)| filter);
    packing.triggers = side_files.triggers.map(|(triggers, _)| triggers);
    packing.computed_files = side_files.computed_files.0;
    packing.tags = side_files.tags;
    packing.owners = side_files.owners;
    if let Some(commit) = &fetched.commit {
        packing.build_commit_id = commit.clone();
        packing.build_branch = fetched.branch.clone();
        packing.build_git_url = fetched.url_unexpanded.clone();
    }
}

pub(super) fn read_manifest(directory: &Path) -> Result<Manifest, Failure> {
    let text =
        Tree::manifest(directory).and_then(|tree| tree.read(Path::new("manifest"), MANIFEST_MOST_BYTES));
    let parsed = match text {
        Ok(Some(text)) => Manifest::parse(&text).map_err(|e| Failure::new(e.to_string())),
        Ok(None) => Err(Failure::new("there is no file manifest")),
        Err(error) => Err(Failure::new(tree_io::os_text(&error))),
    };
    parsed.doing("error reading manifest file")
}

fn kept_directory(cache: Option<&Cache>, stream: &str) -> Result<Option<KeptDirectory>, Failure> {
    let made = cache
        .filter(|cache| !cache.base_directory.is_empty() && !cache.mount_point.is_empty())
        .map(|cache| KeptDirectory::make(cache, stream));
    made.transpose()
        .map_err(|e| Failure::new(tree_io::os_text(&e)))
        .doing("error making cache directory")
}

/// Directories of the host at their own paths, read-only, and the kept one.
pub(super) fn binds(bind_mounts: &[String], kept: Option<&KeptDirectory>) -> Vec<Bind> {
    let mut binds = read_only(bind_mounts);
    binds.extend(kept.map(KeptDirectory::bind));
    binds
}
