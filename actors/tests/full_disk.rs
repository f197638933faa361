//! A full disk fails the request that does not fit, with its cause, and nothing else.

// Helpers of tests are tests.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use actors::Config;
use common::{Directories, add, image, names, store};
use std::io::Write;
use std::path::PathBuf;
use std::process::Command;

/// A file system of a few MiB of its own, unmounted when dropped.
struct SmallDisk {
    path: PathBuf,
    _directory: tempfile::TempDir,
}

impl SmallDisk {
    fn mount(size: &str) -> Option<SmallDisk> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().to_owned();
        let options = format!("size={size}");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(&path);
        if mount.status().is_ok_and(|status| status.success()) {
            return Some(SmallDisk {
                path,
                _directory: directory,
            });
        }
        let line = "SKIPPED: full_disk: mounting a tmpfs needs root\n";
        let _ = std::io::stderr().write_all(line.as_bytes());
        if let Some(log) = std::env::var_os("IMAGEWRIGHT_SKIP_LOG") {
            let log = std::fs::OpenOptions::new().append(true).create(true).open(log);
            log.and_then(|mut log| log.write_all(line.as_bytes()))
                .expect("an unwritten skip would pass for a test that ran");
        }
        None
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.path).status();
    }
}

#[tokio::test]
async fn objects_that_do_not_fit_are_refused_and_later_ones_are_stored() {
    let Some(disk) = SmallDisk::mount("2m") else {
        return;
    };
    let directories = Directories::new();
    let system = actors::start(Config {
        object_dir: disk.path.clone(),
        ..directories.config()
    })
    .unwrap();
    let kept = store(&system, &[b"kept"]).await[0];
    let lease = system.objects.lease();
    let mut stored = Vec::new();
    let error = loop {
        let data = vec![stored.len() as u8; 600 << 10];
        match system.objects.add(data.into(), &lease).await {
            Ok(object) => stored.push(object.hash),
            Err(error) => break error.to_string(),
        }
    };
    assert!(error.contains("No space left on device"), "{error}");
    assert!(
        !error.contains(disk.path.to_str().unwrap()),
        "no path of the server: {error}"
    );
    assert!(!stored.is_empty());
    assert_eq!(common::read(&system, &kept).await.unwrap(), b"kept");
    assert_eq!(common::read(&system, &stored[0]).await.unwrap().len(), 600 << 10);
    drop(lease);
    // Room is made, and adding works again.
    system.objects.delete_unreferenced(100, 0).await.unwrap();
    store(&system, &[&vec![9; 600 << 10]]).await;
}

#[tokio::test]
async fn an_image_that_does_not_fit_is_refused_and_its_name_stays_free() {
    let Some(disk) = SmallDisk::mount("256k") else {
        return;
    };
    let directories = Directories::new();
    let system = actors::start(Config {
        image_dir: disk.path.clone(),
        ..directories.config()
    })
    .unwrap();
    store(&system, &[b"content"]).await;
    add(&system, "small", image(&[("file", b"content")]))
        .await
        .unwrap();
    let long: Vec<String> = (0..20_000)
        .map(|number| format!("a-file-with-a-long-name-{number}"))
        .collect();
    let files: Vec<(&str, &[u8])> = long.iter().map(|name| (name.as_str(), &b"content"[..])).collect();
    let error = add(&system, "large", image(&files))
        .await
        .unwrap_err()
        .to_string();
    assert!(error.contains("No space left on device"), "{error}");
    assert_eq!(names(&system), ["small"]);
    assert_eq!(
        system.objects.statistics().references,
        1,
        "its references went back"
    );
    add(&system, "large", image(&[("file", b"content")]))
        .await
        .unwrap();
    assert!(system.images.image("large").await.unwrap().is_some());
}
