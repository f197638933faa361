//! A full disk, a disk without inodes, and a process that may open few files: what does not fit is refused in plain
//! words, the rest goes on, and when there is room again so does the refused.

// Helpers of tests are tests.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use anyhow::{Result, ensure};
use gob::Time;
use integration::images::{names, put};
use integration::random::Random;
use integration::server::{Home, INSECURE, ImageServer};
use integration::small_disk::{SmallDisk, obstacle};
use integration::told::add_whole;
use integration::tool::{Outcome, Tool};
use integration::whole::{self, Contents, check_images_on_disk, check_objects_on_disk};
use std::path::{Path, PathBuf};

const NO_SPACE: &str = "No space left on device";
const KEPT: (&str, &[u8]) = ("file", b"kept");

/// A server with an image that fits, and a tree that does not.
struct Stage {
    // In the order in which they must go: the server, the disk, its mount point.
    server: ImageServer,
    disk: SmallDisk,
    home: Home,
    tree: tempfile::TempDir,
    contents: Contents,
}

impl Stage {
    fn new(mount_point: fn(&Home) -> PathBuf, options: &str, contents: Contents) -> Result<Self> {
        let home = Home::new()?;
        let disk = SmallDisk::mount(&mount_point(&home), options)?;
        // A disk as full as this one is would be emptied by the collector.
        let server = home.start(INSECURE)?;
        put(&server, "kept", &[KEPT])?;
        let tree = tempfile::tempdir()?;
        for (path, content) in &contents {
            std::fs::write(tree.path().join(path), content)?;
        }
        Ok(Self {
            server,
            disk,
            home,
            tree,
            contents,
        })
    }

    fn add(&self, name: &str) -> Result<Outcome> {
        let tool = Tool::new(&self.server, Path::new("/nonexistent"), self.home.path());
        let source = self.tree.path().display().to_string();
        tool.run(&["add", name, &source, "", ""])
    }

    /// The tree is refused for want of room, and added when there is some.
    fn fill_and_make_room(self, options: &str) -> Result<()> {
        for attempt in 1..=2 {
            let refused = self.add("large")?;
            ensure!(refused.code == 1, "{refused:?}");
            ensure!(refused.err.contains(NO_SPACE), "{refused:?}");
            ensure!(refused.err.lines().count() == 1, "{refused:?}");
            ensure!(
                !refused.err.contains(&self.home.path().display().to_string()),
                "a path of the server: {refused:?}"
            );
            ensure!(self.server.logs(NO_SPACE, attempt), "{}", self.server.log_text());
            let kept = whole::fetch(&self.server, "kept")?;
            ensure!(
                kept == Some(Contents::from([(KEPT.0.to_owned(), KEPT.1.to_vec())])),
                "reads do not go on"
            );
            ensure!(names(&self.server)? == ["kept"], "half an image is there");
        }
        check_objects_on_disk(&self.home.objects())?;
        check_images_on_disk(&self.home.images())?;
        self.disk.change(options)?;
        let added = self.add("large")?;
        ensure!(added.code == 0, "there is room now: {added:?}");
        ensure!(
            whole::fetch(&self.server, "large")?.as_ref() == Some(&self.contents),
            "it is not whole"
        );
        // All of that outlives the process.
        self.server.kill()?;
        let server = self.home.start(INSECURE)?;
        ensure!(
            whole::fetch(&server, "large")?.as_ref() == Some(&self.contents),
            "it is not whole"
        );
        check_objects_on_disk(&self.home.objects())?;
        Ok(())
    }
}

fn many(count: usize, length: usize) -> Contents {
    let mut random = Random::new(1);
    (0..count)
        .map(|number| (format!("a-file-with-a-long-name-{number}"), random.bytes(length)))
        .collect()
}

#[test]
fn small_objects_that_do_not_fit_are_refused_until_there_is_room() {
    const NAME: &str = "small_objects_that_do_not_fit_are_refused_until_there_is_room";
    if let Some(obstacle) = obstacle() {
        return integration::skip(NAME, obstacle);
    }
    let stage = Stage::new(Home::objects, "size=2m", many(100, 40_000)).unwrap();
    stage.fill_and_make_room("size=64m").unwrap();
}

#[test]
fn a_large_object_that_does_not_fit_is_refused_until_there_is_room() {
    const NAME: &str = "a_large_object_that_does_not_fit_is_refused_until_there_is_room";
    if let Some(obstacle) = obstacle() {
        return integration::skip(NAME, obstacle);
    }
    let stage = Stage::new(Home::objects, "size=4m", many(1, 9 << 20)).unwrap();
    stage.fill_and_make_room("size=64m").unwrap();
}

#[test]
fn an_image_file_that_does_not_fit_is_refused_until_there_is_room() {
    const NAME: &str = "an_image_file_that_does_not_fit_is_refused_until_there_is_room";
    if let Some(obstacle) = obstacle() {
        return integration::skip(NAME, obstacle);
    }
    let stage = Stage::new(Home::images, "size=96k", many(1200, 10)).unwrap();
    stage.fill_and_make_room("size=64m").unwrap();
}

#[test]
fn without_inodes_objects_are_refused_until_there_are_some() {
    const NAME: &str = "without_inodes_objects_are_refused_until_there_are_some";
    if let Some(obstacle) = obstacle() {
        return integration::skip(NAME, obstacle);
    }
    let stage = Stage::new(Home::objects, "size=64m,nr_inodes=60", many(100, 10)).unwrap();
    stage.fill_and_make_room("nr_inodes=10000").unwrap();
}

#[test]
fn few_open_files_make_an_add_slower_and_nothing_else() {
    const NAME: &str = "few_open_files_make_an_add_slower_and_nothing_else";
    if !rustix::process::geteuid().is_root() {
        return integration::skip(NAME, "needs root, to set the limit of another user's process");
    }
    // More files than are staged at a time where there are plenty: 512.
    for (limit, files, clients) in [(64, 150, 1), (128, 600, 1), (256, 600, 4)] {
        let home = Home::with_open_files(limit).unwrap();
        let server = home.start(INSECURE).unwrap();
        std::thread::scope(|scope| {
            for client in 0..clients {
                let server = &server;
                scope.spawn(move || {
                    let mut random = Random::new(client);
                    let contents: Contents = (0..files)
                        .map(|number| (format!("file{number}"), random.bytes(20)))
                        .collect();
                    let name = format!("client{client}");
                    add_whole(server, &name, &contents, Time::ZERO)
                        .unwrap_or_else(|error| panic!("{limit} open files: {error:#}"));
                    assert_eq!(whole::fetch(server, &name).unwrap().unwrap(), contents);
                });
            }
        });
        assert_eq!(names(&server).unwrap().len() as u64, clients);
    }
}
