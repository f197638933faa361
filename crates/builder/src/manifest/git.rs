//! A repository's directory at a branch, tag or commit, by the git program (`imaginator.md §11.1`).
//!
//! The URL may hold a password: it is in no file and among no arguments (`git_url`), and whatever git says is written to the log with
//! secrets taken out.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use recipe::Secrets;
use rustix::fs::{Mode, ResolveFlags};
use rustix::io::Errno;

use super::git_program::{FETCHED, Git, GitBounds};
use super::ref_name::{candidates, is_name};
use super::{DEFAULT_BRANCH, size};
use crate::Watcher;
use crate::delete::delete_tree;
use crate::in_root::DIRECTORY;
use crate::sandbox_run::say;
use crate::step_error::{At, StepError};

/// The longest that fetching a manifest may take.
const MOST_TIME: Duration = Duration::from_secs(30 * 60);
/// Digits of a full commit id, by the hash of the repository.
const COMMIT_DIGITS: [usize; 2] = [40, 64];

/// What to fetch.
pub(super) struct Clone<'a> {
    /// With secrets in it.
    pub(super) url: &'a str,
    /// As it is written in the streams file.
    pub(super) shown_url: &'a str,
    /// Directories and files in the repository; none for all of it.
    pub(super) paths: &'a [PathBuf],
    /// Branch, tag or full commit id; empty for the default branch.
    pub(super) wanted: &'a str,
    pub(super) secrets: &'a Secrets,
    pub(super) time: Duration,
    /// On the disk.
    pub(super) most_bytes: u64,
    pub(super) watcher: &'a Arc<dyn Watcher>,
}

/// What a name stands for in the repository.
struct Found {
    /// What is fetched: a ref's full name, or a commit id.
    fetched: String,
    /// What is recorded as the branch.
    branch: String,
    is_commit: bool,
}

impl Clone<'_> {
    /// Puts the files into a directory of `temporary`; returns the commit, and the branch it was fetched by.
    pub(super) fn into_directory(
        self,
        temporary: &Path,
        files: &Path,
    ) -> Result<(String, String), StepError> {
        let began = Instant::now();
        let shown_branch = if self.wanted.is_empty() {
            DEFAULT_BRANCH
        } else {
            self.wanted
        };
        if !is_name(shown_branch) {
            return Err(no_such(shown_branch));
        }
        let git = Git::new(
            temporary,
            files,
            self.url,
            self.secrets,
            GitBounds {
                watcher: &**self.watcher,
                until: began + self.time.min(MOST_TIME),
                most_bytes: self.most_bytes,
            },
        )?;
        let shown = git.redacted(self.shown_url);
        self.say(format!("Cloning repository: {shown} branch: {shown_branch}"));
        git.init(self.paths)?;
        let found = self.find(&git)?;
        if self.wanted.is_empty() && found.branch != DEFAULT_BRANCH {
            let branch = &found.branch;
            self.say(format!(
                "No branch {DEFAULT_BRANCH} in the repository: taking its default branch {branch}"
            ));
        }
        let checked_out = self.fetch(&git, &found)?;
        git.run(&["checkout", "--quiet", "--detach", &checked_out])?;
        let commit = git.output(&["rev-parse", "--verify", "HEAD"])?;
        let took = began.elapsed();
        let bytes = size::of_tree(temporary);
        let speed = (bytes as f64 / took.as_secs_f64().max(f64::EPSILON)) as u64;
        self.say(format!(
            "Downloaded partial repository in {}, size: {} ({}/s)",
            human::duration(took),
            human::bytes(bytes),
            human::bytes(speed)
        ));
        delete_tree(git.directory()).at(git.directory())?;
        Ok((commit.trim().to_owned(), found.branch))
    }

    fn say(&self, line: String) {
        say(&**self.watcher, line);
    }

    /// Finds what the wanted name is: a branch before a tag, as checking it out by hand would have it.
    fn find(&self, git: &Git<'_>) -> Result<Found, StepError> {
        let name = if self.wanted.is_empty() {
            DEFAULT_BRANCH
        } else {
            self.wanted
        };
        let candidates = candidates(name);
        let mut arguments = vec!["ls-remote", "--symref", "origin", "HEAD"];
        arguments.extend(candidates.iter().map(String::as_str));
        let listing = git.output(&arguments)?;
        let is_there = |name: &str| {
            listing
                .lines()
                .any(|line| line.split_once('\t').is_some_and(|(_, is)| is == name))
        };
        let found = |fetched: &str, branch: &str, is_commit| {
            Ok(Found {
                fetched: fetched.to_owned(),
                branch: branch.to_owned(),
                is_commit,
            })
        };
        if let Some(reference) = candidates.iter().find(|name| is_there(name)) {
            return found(reference, name, false);
        }
        if self.wanted.is_empty() {
            let head = listing.lines().find_map(|line| {
                let (head, is) = line.strip_prefix("ref: ")?.split_once('\t')?;
                (is == "HEAD").then_some(head)
            });
            // What the server says is no more to be believed than what a request does.
            let branch = head.and_then(|head| head.strip_prefix("refs/heads/").filter(|name| is_name(name)));
            return match (head, branch) {
                (Some(head), Some(branch)) if is_there("HEAD") => found(head, branch, false),
                _ if is_there("HEAD") => found("HEAD", "HEAD", false),
                _ => Err(StepError::wrong(format!(
                    "the repository has neither a branch {DEFAULT_BRANCH} nor a default branch: is it empty?"
                ))),
            };
        }
        if COMMIT_DIGITS.contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return found(name, name, true);
        }
        Err(no_such(name))
    }

    /// Fetches it; returns what can be checked out then.
    fn fetch(&self, git: &Git<'_>, found: &Found) -> Result<String, StepError> {
        let mut arguments = vec!["fetch", "--quiet", "--no-tags", "--no-write-fetch-head"];
        if !git.is_local() {
            // Contents of files come when they are checked out: those of the wanted directory only.
            arguments.push("--filter=blob:none");
        }
        let mut shallow = arguments.clone();
        let refspec = format!("+{}:{FETCHED}", found.fetched);
        shallow.extend(["--depth=1", "origin", &refspec]);
        match git.run(&shallow) {
            Ok(()) => return Ok(FETCHED.to_owned()),
            Err(StepError::Wrong(_)) if found.is_commit => {}
            Err(error) => return Err(error),
        }
        self.say("The server gives no single commit: fetching all branches and tags".to_owned());
        arguments.extend([
            "origin",
            "+refs/heads/*:refs/remotes/origin/*",
            "+refs/tags/*:refs/tags/*",
        ]);
        git.run(&arguments)?;
        Ok(found.fetched.clone())
    }
}

fn no_such(name: &str) -> StepError {
    StepError::wrong(format!(
        "no branch, tag or full commit id in the repository: {}",
        name.escape_debug()
    ))
}

/// The manifest's directory in what was checked out. No part of the way may be a link.
pub(super) fn manifest_directory(files: &Path, directory: &Path) -> Result<PathBuf, StepError> {
    if directory.as_os_str().is_empty() {
        return Ok(files.to_owned());
    }
    let top = rustix::fs::open(files, DIRECTORY, Mode::empty()).at(files)?;
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
    match rustix::fs::openat2(&top, directory, DIRECTORY, Mode::empty(), resolve) {
        Ok(_) => Ok(files.join(directory)),
        Err(Errno::NOENT) => Err(StepError::wrong(format!(
            "{} does not exist in repository",
            directory.display()
        ))),
        Err(Errno::NOTDIR | Errno::LOOP) => Err(StepError::wrong(format!(
            "{} exists in repository but is not a directory",
            directory.display()
        ))),
        Err(error) => Err(error).at(directory),
    }
}
