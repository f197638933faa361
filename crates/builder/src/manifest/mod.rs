//! Obtaining the manifest of a stream, and what it says (`imaginator.md §11.1, §11.2`).

mod side_files;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use recipe::UserStream;

pub use side_files::SideFiles;

use crate::step_error::StepError;
use crate::{Order, Watcher};

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
    let _ = (order, stream, watcher, temporary);
    Err(StepError::wrong("manifests cannot be fetched yet"))
}
/// A directory that goes, however deep what is in it.
#[derive(Debug)]
struct TemporaryDirectory(PathBuf);

impl Drop for TemporaryDirectory {
    fn drop(&mut self) {
        if let Err(error) = crate::delete::delete_tree(&self.0) {
            tracing::warn!("cannot remove {}: {}", self.0.display(), tree_io::os_text(&error));
        }
    }
}
