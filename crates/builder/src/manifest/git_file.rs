//! One file of a repository, for configurations that lie in git (`imaginator.md §7`).

use std::path::Path;
use std::time::{Duration, Instant};

use recipe::Secrets;

use super::TemporaryDirectory;
use super::bounds::FILE_MOST_BYTES;
use super::git_program::{FETCHED, Git, GitBounds};
use crate::silent::Silent;
use crate::step_error::StepError;

/// What a repository's default branch has at a path, by a shallow clone that brings this file alone where the server can do that. The URL
/// may hold secrets: what stands before its host is in no argument, and nothing of them in a file or an error. The clone is put into
/// `temporary` meanwhile. Blocks.
///
/// # Errors
/// It cannot be had in that time, or has more than `most_bytes`; what git said last is in it.
pub fn fetch_file(
    url: &str,
    path: &str,
    secrets: &Secrets,
    temporary: &Path,
    time: Duration,
    most_bytes: usize,
) -> Result<Vec<u8>, StepError> {
    let guard = TemporaryDirectory::make(temporary, "imaginator.configuration")?;
    let files = guard.0.join("files");
    let bounds = GitBounds {
        watcher: &Silent,
        until: Instant::now() + time,
        most_bytes: FILE_MOST_BYTES,
    };
    let git = Git::new(&guard.0, &files, url, secrets, bounds)?;
    git.init(&[])?;
    let mut arguments = vec![
        "fetch",
        "--quiet",
        "--no-tags",
        "--no-write-fetch-head",
        "--depth=1",
    ];
    if !git.is_local() {
        // The file's content comes when it is printed, and no other's.
        arguments.push("--filter=blob:none");
    }
    let refspec = format!("+HEAD:{FETCHED}");
    arguments.extend(["origin", &refspec]);
    git.run(&arguments)?;
    let object = format!("{FETCHED}:{path}");
    let content = git.bytes(&["cat-file", "blob", &object], most_bytes + 1)?;
    if content.len() > most_bytes {
        return Err(StepError::wrong(format!(
            "{path} in the repository has more than {most_bytes} bytes"
        )));
    }
    Ok(content)
}
