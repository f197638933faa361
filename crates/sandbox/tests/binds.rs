//! Directories of the host that are to be seen inside, where an earlier command changed what leads to them.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Tree, run};
use sandbox::{Bind, Command, Outcome, Spec};
use std::os::fd::AsRawFd;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

/// A command that writes a file into a directory of the host.
fn writes_into(tree: &Tree, source: PathBuf) -> Spec {
    let mut spec = tree.spec("echo written >/place/file");
    spec.binds.push(Bind {
        source,
        target: "/place".into(),
        writable: true,
    });
    spec
}

fn directory(tree: &Tree, name: &str) -> PathBuf {
    let path = tree.directory.path().join(name);
    std::fs::create_dir(&path).unwrap();
    path
}

fn is_empty(path: &Path) -> bool {
    path.read_dir().unwrap().next().is_none()
}

#[test]
fn no_link_on_the_way_to_a_writable_directory_is_followed() {
    let Some(tree) = Tree::new() else { return };
    let outside = directory(&tree, "outside");
    std::fs::create_dir(outside.join("below")).unwrap();
    let kept = directory(&tree, "kept");
    symlink(&outside, kept.join("link")).unwrap();
    let command = Command::by(env!("CARGO_BIN_EXE_sandbox-child"));
    for source in ["link", "link/below"] {
        let spec = writes_into(&tree, kept.join(source));
        let error = command.run(&spec, |_| {}).unwrap_err().to_string();
        assert!(error.contains("symbolic link"), "{error}");
    }
    assert!(is_empty(&outside.join("below")) && !outside.join("file").exists());
}

#[test]
fn a_directory_that_the_caller_has_open_is_bound_whatever_is_at_its_path() {
    let Some(tree) = Tree::new() else { return };
    let (outside, kept) = (directory(&tree, "outside"), directory(&tree, "kept"));
    let open = std::fs::File::open(&kept).unwrap();
    let moved = tree.directory.path().join("moved");
    std::fs::rename(&kept, &moved).unwrap();
    symlink(&outside, &kept).unwrap();
    let source = format!("/proc/{}/fd/{}", std::process::id(), open.as_raw_fd());
    let (outcome, output) = run(&writes_into(&tree, source.into()));
    assert_eq!(outcome, Outcome::Exited(0), "{output}");
    assert!(moved.join("file").exists() && is_empty(&outside));
}

#[test]
fn links_on_the_way_to_what_is_read_count_only_where_root_alone_can_make_them() {
    use std::os::unix::fs::{PermissionsExt, chown};
    let Some(tree) = Tree::new() else { return };
    let secret = directory(&tree, "secret");
    std::fs::create_dir(secret.join("below")).unwrap();
    std::fs::write(secret.join("below/file"), "seen\n").unwrap();
    let (own, theirs) = (directory(&tree, "own"), directory(&tree, "theirs"));
    for place in [&own, &theirs] {
        symlink("../secret", place.join("link")).unwrap();
        symlink(&secret, place.join("absolute")).unwrap();
    }
    let reads = |source: PathBuf| {
        let mut spec = tree.spec("cat /place/file");
        spec.binds.push(Bind {
            source,
            target: "/place".into(),
            writable: false,
        });
        Command::by(env!("CARGO_BIN_EXE_sandbox-child")).run(&spec, |_| {})
    };
    for way in ["link/below", "absolute/below"] {
        assert_eq!(reads(own.join(way)).unwrap(), Outcome::Exited(0), "{way}");
    }
    let refused = |way: &str| {
        let error = reads(theirs.join(way)).unwrap_err().to_string();
        assert!(error.contains("others than root"), "{error}");
    };
    std::fs::set_permissions(&theirs, std::fs::Permissions::from_mode(0o1777)).unwrap();
    refused("link/below");
    std::fs::set_permissions(&theirs, std::fs::Permissions::from_mode(0o755)).unwrap();
    chown(&theirs, Some(65534), Some(65534)).unwrap();
    refused("absolute/below");
}
