//! Obtaining the manifest of a stream, and what it says (`imaginator.md §11.1, §11.2`).

mod bounds;
mod git;
mod git_file;
mod git_manifests;
mod git_program;
mod git_url;
mod host_command;
mod ref_name;
mod side_files;
mod size;

use std::ffi::OsString;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use recipe::{ManifestLocation, UserStream};

pub use git_file::fetch_file;
pub use git_manifests::{ManyManifests, fetch_manifests};
pub use side_files::SideFiles;

use crate::sandbox_run::say;
use crate::step_error::{At, StepError};
use crate::{Order, Watcher, trees};

/// The branch of a manifest if none was asked for.
const DEFAULT_BRANCH: &str = "master";
/// Where in the temporary directory the manifest's files are.
const FILES: &str = "files";

/// A manifest that was fetched. Its directory goes with it.
#[derive(Debug)]
pub struct Fetched {
    guard: TemporaryDirectory,
    directory: PathBuf,
    /// The commit, if it is from git.
    pub commit: Option<String>,
    /// The branch, tag or commit it was fetched by; empty if it is not from git.
    pub branch: String,
    /// The repository as it is written in the streams file, variables and all; empty if it is not from git.
    pub url_unexpanded: String,
}

impl Fetched {
    /// The top of the manifest. Links in it may lead anywhere: nothing but the functions of this crate may follow them.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// What is in a file of it, at most so many bytes; `None` if there is no regular file of this name. No link leads out.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn read(&self, path: &Path, most_bytes: u64) -> std::io::Result<Option<Vec<u8>>> {
        crate::in_root::Tree::manifest(&self.directory)?.read(path, most_bytes)
    }

    /// The directory that is removed with this.
    pub fn temporary(&self) -> &Path {
        &self.guard.0
    }
}

/// Fetches the manifest of a user stream into a directory of its own below `temporary`.
///
/// # Errors
/// It cannot be had; what git said is in the build log.
pub fn fetch(
    order: &Order,
    stream: &UserStream,
    watcher: &Arc<dyn Watcher>,
    temporary: &Path,
) -> Result<Fetched, StepError> {
    let location = ManifestLocation::with_secrets(&order.stream, stream, &order.variables, &order.secrets)
        .map_err(|error| StepError::wrong(error.to_string()))?;
    let wrong = |text: String| StepError::wrong(order.secrets.redact_text(&text));
    let directory = inside(&location.directory).ok_or_else(|| {
        wrong(format!(
            "manifest directory {}: leads out of the repository",
            location.directory
        ))
    })?;
    let guard = TemporaryDirectory::make(temporary, &format!("{}.manifest", order.stream.replace('/', "_")))?;
    let tree = location.local_tree().map_err(|error| wrong(error.to_string()))?;
    if let Some(tree) = tree {
        if !["", DEFAULT_BRANCH].contains(&order.branch.as_str()) {
            return Err(StepError::wrong(format!(
                "branch: {} is not {DEFAULT_BRANCH}",
                order.branch
            )));
        }
        let from = tree.join(directory);
        let shown = from.display().to_string();
        say(
            &**watcher,
            format!("Copying manifest tree: {}", order.secrets.redact_text(&shown)),
        );
        let directory = guard.0.join(FILES);
        std::fs::create_dir(&directory).at(&directory)?;
        trees::copy_manifest(&from, &directory, bounds::MANIFEST_MOST_BYTES, &**watcher)
            .map_err(|error| wrong_unless_cancelled(error, wrong))?;
        return Ok(Fetched {
            directory,
            guard,
            commit: None,
            branch: String::new(),
            url_unexpanded: String::new(),
        });
    }
    let files = guard.0.join(FILES);
    let paths: &[PathBuf] = if directory.as_os_str().is_empty() {
        &[]
    } else {
        std::slice::from_ref(&directory)
    };
    let (commit, branch) = git::Clone {
        url: &location.url,
        shown_url: &stream.manifest_url,
        paths,
        wanted: &order.branch,
        secrets: &order.secrets,
        time: order.deadline,
        most_bytes: bounds::MANIFEST_MOST_BYTES,
        watcher,
    }
    .into_directory(&guard.0, &files)?;
    let directory = git::manifest_directory(&files, &directory).map_err(|error| wrong(error.to_string()))?;
    Ok(Fetched {
        guard,
        directory,
        commit: Some(commit),
        branch,
        url_unexpanded: stream.manifest_url.clone(),
    })
}

fn wrong_unless_cancelled(error: StepError, wrong: impl Fn(String) -> StepError) -> StepError {
    match error {
        StepError::Cancelled => StepError::Cancelled,
        error => wrong(error.to_string()),
    }
}

/// The path as one below another; `None` if it leads out.
fn inside(path: &str) -> Option<PathBuf> {
    let mut inside = PathBuf::new();
    for part in Path::new(path).components() {
        match part {
            Component::Normal(name) => inside.push(name),
            Component::RootDir | Component::CurDir => {}
            Component::ParentDir | Component::Prefix(_) => return None,
        }
    }
    Some(inside)
}

/// A directory that goes, however deep what is in it, and that is closed to others: manifests may be nobody else's business.
#[derive(Debug)]
struct TemporaryDirectory(PathBuf);

impl TemporaryDirectory {
    fn make(parent: &Path, prefix: &str) -> Result<Self, StepError> {
        use std::os::unix::fs::PermissionsExt;
        let made = tempfile::Builder::new()
            .prefix(&OsString::from(prefix))
            .permissions(std::fs::Permissions::from_mode(0o700))
            .tempdir_in(parent)
            .at(parent)?;
        Ok(Self(made.keep()))
    }
}

impl Drop for TemporaryDirectory {
    fn drop(&mut self) {
        if let Err(error) = crate::delete::delete_tree(&self.0) {
            tracing::warn!("cannot remove {}: {}", self.0.display(), tree_io::os_text(&error));
        }
    }
}
