//! The files named `manifest` of many streams, to see which stream is built on which (`imaginator.md §17`).

use std::any::Any;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use recipe::{ManifestLocation, Secrets};

use super::bounds::FILE_MOST_BYTES;
use super::{FILES, TemporaryDirectory, git, inside};
use crate::in_root::Tree;
use crate::step_error::{At, StepError};
use crate::{Phase, Watcher};

/// The file in a manifest's directory that names the source.
const MANIFEST: &str = "manifest";
/// Bytes of such a file.
const MANIFEST_MOST_BYTES: u64 = 1 << 20;

/// What to fetch.
pub struct ManyManifests<'a> {
    /// Repository or `dir://` tree, with secrets in it.
    pub url: &'a str,
    /// The same as it is written in the streams file.
    pub shown_url: &'a str,
    /// Directories in it; empty for its top.
    pub directories: &'a BTreeSet<String>,
    /// The variables file.
    pub secrets: &'a Secrets,
    /// Where a repository is put meanwhile.
    pub temporary: &'a Path,
    /// The longest it may take.
    pub time: Duration,
}

/// Brings the files named `manifest` in these directories: from a shallow clone of the default branch with nothing else in it, or
/// from a tree of this host where it is. Directories without such a file are not in the result. What git says goes to `log`, without
/// secrets. Blocks.
///
/// # Errors
/// The repository cannot be had, or a file cannot be read.
pub fn fetch_manifests(
    many: &ManyManifests<'_>,
    log: &mut Vec<u8>,
) -> Result<BTreeMap<String, Vec<u8>>, StepError> {
    let wrong = |text: String| StepError::wrong(many.secrets.redact_text(&text));
    let location = ManifestLocation {
        url: many.url.to_owned(),
        directory: String::new(),
    };
    if let Some(top) = location.local_tree().map_err(|error| wrong(error.to_string()))? {
        return read_all(many, &top);
    }
    let guard = TemporaryDirectory::make(many.temporary, "imaginator.manifests")?;
    let files = guard.0.join(FILES);
    let said = Arc::new(Said::default());
    let watcher: Arc<dyn Watcher> = said.clone();
    let paths: Vec<PathBuf> = many
        .directories
        .iter()
        .filter_map(|directory| Some(inside(directory)?.join(MANIFEST)))
        .collect();
    let fetched = git::Clone {
        url: many.url,
        shown_url: many.shown_url,
        paths: &paths,
        wanted: "",
        secrets: many.secrets,
        time: many.time,
        most_bytes: FILE_MOST_BYTES,
        watcher: &watcher,
    }
    .into_directory(&guard.0, &files);
    log.append(&mut said.0.lock().unwrap_or_else(PoisonError::into_inner));
    fetched?;
    read_all(many, &files)
}

/// No link leads out of the tree.
fn read_all(many: &ManyManifests<'_>, top: &Path) -> Result<BTreeMap<String, Vec<u8>>, StepError> {
    let tree = Tree::manifest(top).at(top)?;
    let mut manifests = BTreeMap::new();
    for name in many.directories {
        let Some(directory) = inside(name) else { continue };
        let path = directory.join(MANIFEST);
        if let Some(text) = tree.read(&path, MANIFEST_MOST_BYTES).at(&path)? {
            manifests.insert(name.clone(), text);
        }
    }
    Ok(manifests)
}

/// Keeps what is said, which has a bound where it comes from; nobody cancels.
#[derive(Default)]
struct Said(Mutex<Vec<u8>>);

impl Watcher for Said {
    fn log(&self, bytes: &[u8]) {
        let mut said = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        said.extend_from_slice(bytes);
    }

    fn phase(&self, _: Phase) {}

    fn log_so_far(&self) -> Vec<u8> {
        Vec::new()
    }

    fn is_cancelled(&self) -> bool {
        false
    }

    fn on_cancel(&self, _: Box<dyn Fn() + Send + Sync>) -> Box<dyn Any + Send> {
        Box::new(())
    }
}
