//! A repository of git to fetch from, and what was fetched.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use builder::manifest::{Fetched, fetch};
use builder::{Delivery, Order, Recipe, StepError};
use recipe::{Secrets, UserStream};

use crate::tree::{Place, write};

pub(super) const SECRET: &str = "hunter2-of-the-variables-file";

pub(super) fn git(directory: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .arg("-C")
        .arg(directory)
        .args(["-c", "user.name=n", "-c", "user.email=e@example.invalid"])
        .args(arguments)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// A repository with two commits on a branch, the first of which has a tag.
pub(super) struct Repository {
    pub(super) path: PathBuf,
    pub(super) first: String,
}

impl Repository {
    pub(super) fn new(place: &Place, branch: &str) -> Self {
        let path = place.path().join("repository");
        fs::create_dir(&path).unwrap();
        git(&path, &["init", "-q", "-b", branch]);
        write(&path.join("manifest"), "{}\n");
        write(&path.join("streams/one/manifest"), "{\"first\": 1}\n");
        write(&path.join("streams/one/scripts/run"), "#! /bin/sh\n");
        write(&path.join("other/large"), "not needed");
        symlink("/etc", path.join("streams/etc")).unwrap();
        git(&path, &["add", "."]);
        git(&path, &["commit", "-qm", "first"]);
        git(&path, &["tag", "-am", "annotated", "v1"]);
        let first = git(&path, &["rev-parse", "HEAD"]);
        write(&path.join("streams/one/manifest"), "{\"second\": 2}\n");
        git(&path, &["commit", "-qam", "second"]);
        Self { path, first }
    }

    pub(super) fn url(&self) -> String {
        format!("file://{}", self.path.display())
    }

    pub(super) fn head(&self) -> String {
        git(&self.path, &["rev-parse", "HEAD"])
    }
}

pub(super) fn fetched(place: &Place, url: &str, directory: &str, branch: &str) -> Result<Fetched, StepError> {
    let stream = UserStream {
        manifest_url: url.to_owned(),
        manifest_directory: directory.to_owned(),
        ..UserStream::default()
    };
    let secrets: BTreeMap<String, String> = [("PASSWORD".to_owned(), SECRET.to_owned())].into();
    let order = Order {
        number: 1,
        slot: 0,
        stream: "users/me/stream".to_owned(),
        recipe: Recipe::User {
            stream: Arc::new(stream.clone()),
            bind_mounts: Vec::new(),
            mtimes_copy_filter_lines: Vec::new(),
            cache: None,
        },
        variables: [("REQUESTED".to_owned(), "one".to_owned())].into(),
        branch: branch.to_owned(),
        max_source_age: None,
        expires_in: None,
        deadline: Duration::from_secs(120),
        created_for: String::new(),
        delivery: Delivery::Publish,
        secrets: Arc::new(Secrets::new(secrets)),
    };
    fetch(&order, &stream, &place.watcher(), place.path())
}

pub(super) fn left_behind(place: &Place) -> Vec<String> {
    let names = place.path().read_dir().unwrap().flatten();
    names
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| name.contains(".manifest"))
        .collect()
}

pub(super) fn files(directory: &Path) -> Vec<String> {
    let mut names: Vec<String> = directory
        .read_dir()
        .unwrap()
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}
