//! What an image directory promises: an image is there whole or not at all, and a deleted name stays deleted.

// Helpers of tests are tests.
#![allow(clippy::unwrap_used)]

mod common;

use common::files;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use storage::{ImageDir, StorageError};

fn open(path: &Path) -> ImageDir {
    ImageDir::open(path).unwrap()
}

fn visible(path: &Path) -> Vec<String> {
    files(path)
        .into_iter()
        .filter(|name| !name.starts_with('.'))
        .collect()
}

#[test]
fn an_image_is_written_under_its_name_and_leaves_no_temporary() {
    let directory = tempfile::tempdir().unwrap();
    let images = open(directory.path());
    images.make_directory("a").unwrap();
    images.make_directory("a/b").unwrap();
    let stamp = images.create_new("a/b/one", b"content").unwrap();
    assert_eq!(images.read("a/b/one").unwrap(), (b"content".to_vec(), stamp));
    assert_eq!(visible(directory.path()), ["a/b/one"]);
    let mode = |name: &str| {
        directory
            .path()
            .join(name)
            .metadata()
            .unwrap()
            .permissions()
            .mode()
            & 0o777
    };
    assert_eq!((mode("a/b/one"), mode("a/b")), (0o644, 0o755));
    assert_eq!(images.list(false).unwrap().images[0].stamp, stamp);
}

#[test]
fn an_existing_image_is_never_overwritten_by_a_new_one() {
    let directory = tempfile::tempdir().unwrap();
    let images = open(directory.path());
    images.create_new("one", b"first").unwrap();
    let error = images.create_new("one", b"second").unwrap_err();
    assert!(matches!(error, StorageError::Exists { .. }), "{error}");
    assert_eq!(images.read("one").unwrap().0, b"first");
    assert_eq!(visible(directory.path()), ["one"]);
}

#[test]
fn a_tombstone_blocks_the_name_until_it_is_replaced_or_removed() {
    let directory = tempfile::tempdir().unwrap();
    let images = open(directory.path());
    images.create_new("one", b"first").unwrap();
    images.tombstone("one").unwrap();
    assert_eq!(directory.path().join("one").metadata().unwrap().len(), 0);
    let error = images.create_new("one", b"second").unwrap_err();
    assert_eq!(error.to_string(), "cannot add previously deleted image: one");
    assert!(matches!(images.read("one"), Err(StorageError::Tombstone { .. })));
    images.replace("one", b"restored").unwrap();
    assert_eq!(images.read("one").unwrap().0, b"restored");
    images.tombstone("one").unwrap();
    images.remove("one").unwrap();
    images.create_new("one", b"again").unwrap();
    assert_eq!(visible(directory.path()), ["one"]);
}

#[test]
fn temporaries_of_metadata_and_secret_are_removed_at_the_start_alone() {
    let directory = tempfile::tempdir().unwrap();
    let images = open(directory.path());
    images.make_directory("d").unwrap();
    let left = [".secret~", ".metadata~", "d/.metadata~"].map(|name| directory.path().join(name));
    for path in &left {
        std::fs::write(path, "half").unwrap();
    }
    images.list(false).unwrap();
    assert!(left.iter().all(|path| path.exists()));
    images.list(true).unwrap();
    assert!(left.iter().all(|path| !path.exists()));
}

#[test]
fn a_temporary_of_a_dead_process_is_in_nobodys_way() {
    let directory = tempfile::tempdir().unwrap();
    let images = open(directory.path());
    std::fs::write(directory.path().join("one~"), b"unfinished").unwrap();
    std::fs::write(directory.path().join("two~"), b"unfinished").unwrap();
    images.create_new("one", b"whole").unwrap();
    assert_eq!(images.list(false).unwrap().temporaries_removed.len(), 0);
    assert_eq!(images.list(true).unwrap().temporaries_removed, ["two"]);
    assert_eq!(visible(directory.path()), ["one"]);
}

#[test]
fn names_never_lead_outside_or_to_our_own_files() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().join("images");
    std::fs::create_dir(&root).unwrap();
    let images = open(&root);
    std::fs::write(directory.path().join("outside"), b"secret").unwrap();
    for name in [
        "",
        "/etc/passwd",
        "../outside",
        "a/../../outside",
        ".",
        "a//b",
        "a/",
        ".secret",
        "a/.x",
        "x~",
        "a\0b",
    ] {
        assert!(
            matches!(images.read(name), Err(StorageError::BadName { .. })),
            "{name:?}"
        );
        assert!(
            matches!(images.create_new(name, b"x"), Err(StorageError::BadName { .. })),
            "{name:?}"
        );
        assert!(
            images.tombstone(name).is_err() && images.remove(name).is_err(),
            "{name:?}"
        );
    }
    for name in ["", "/tmp", "..", "a/..", ".x", "a//b"] {
        assert!(images.make_directory(name).is_err(), "{name:?}");
        assert!(images.remove_directory(name).is_err(), "{name:?}");
        assert!(images.write_metadata(name, b"x").is_err(), "{name:?}");
    }
    assert!(visible(&root).is_empty());
}

#[test]
fn symbolic_links_in_the_tree_are_not_followed() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().join("images");
    let outside = directory.path().join("outside");
    std::fs::create_dir(&root).unwrap();
    std::fs::create_dir(&outside).unwrap();
    std::fs::write(outside.join("file"), b"secret").unwrap();
    std::os::unix::fs::symlink(&outside, root.join("link")).unwrap();
    std::os::unix::fs::symlink(outside.join("file"), root.join("image")).unwrap();
    let images = open(&root);
    assert!(images.read("link/file").is_err());
    assert!(images.read("image").is_err());
    assert!(images.create_new("link/new", b"x").is_err());
    assert!(images.tombstone("image").is_err());
    assert!(images.replace("link/file", b"x").is_err());
    assert_eq!(std::fs::read(outside.join("file")).unwrap(), b"secret");
    let listing = images.list(true).unwrap();
    assert!(listing.images.is_empty() && listing.directories == ["."]);
}

#[test]
fn an_image_without_its_directory_is_an_error_that_shows_no_path_of_the_server() {
    let directory = tempfile::tempdir().unwrap();
    let images = open(directory.path());
    let error = images.create_new("nodir/one", b"x").unwrap_err().to_string();
    assert_eq!(error, "no directory for: nodir/one; make it first");
}

#[test]
fn the_listing_has_parents_before_children_and_knows_tombstones() {
    let directory = tempfile::tempdir().unwrap();
    let images = open(directory.path());
    for name in ["b", "a", "a/c", "a/c/d"] {
        assert!(images.make_directory(name).unwrap());
        assert!(!images.make_directory(name).unwrap());
    }
    images.create_new("a/c/d/image", b"x").unwrap();
    images.create_new("gone", b"x").unwrap();
    images.tombstone("gone").unwrap();
    std::fs::write(directory.path().join("a/.hidden"), b"x").unwrap();
    let listing = images.list(true).unwrap();
    assert_eq!(listing.directories, [".", "a", "a/c", "a/c/d", "b"]);
    assert_eq!(
        listing
            .images
            .iter()
            .map(|file| file.name.as_str())
            .collect::<Vec<_>>(),
        ["a/c/d/image"]
    );
    assert_eq!(listing.tombstones, ["gone"]);
}

#[test]
fn only_an_empty_directory_can_be_removed() {
    let directory = tempfile::tempdir().unwrap();
    let images = open(directory.path());
    images.make_directory("a").unwrap();
    images.create_new("a/image", b"x").unwrap();
    images.tombstone("a/image").unwrap();
    assert_eq!(
        images.remove_directory("a").unwrap_err().to_string(),
        "remove a: directory not empty"
    );
    images.remove("a/image").unwrap();
    images.remove_directory("a").unwrap();
    assert_eq!(images.list(false).unwrap().directories, ["."]);
}

#[test]
fn metadata_is_replaced_as_a_whole_and_absent_when_removed() {
    let directory = tempfile::tempdir().unwrap();
    let images = open(directory.path());
    images.make_directory("a").unwrap();
    for name in [".", "a"] {
        assert_eq!(images.read_metadata(name).unwrap(), None);
        images.write_metadata(name, b"a long one").unwrap();
        images.write_metadata(name, b"short").unwrap();
        assert_eq!(
            images.read_metadata(name).unwrap().as_deref(),
            Some(&b"short"[..])
        );
        images.remove_metadata(name).unwrap();
        images.remove_metadata(name).unwrap();
        assert_eq!(images.read_metadata(name).unwrap(), None);
    }
    images.remove_directory("a").unwrap();
}

#[test]
fn the_secret_is_made_once_and_kept() {
    let directory = tempfile::tempdir().unwrap();
    let images = open(directory.path());
    let secret = images.secret().unwrap();
    assert_eq!(secret.len(), 32);
    assert!(secret.iter().any(|byte| *byte != 0));
    assert_eq!(images.secret().unwrap(), secret);
    let mode = directory
        .path()
        .join(".secret")
        .metadata()
        .unwrap()
        .permissions()
        .mode()
        & 0o777;
    assert_eq!(mode, 0o600);
    drop(images);
    assert_eq!(open(directory.path()).secret().unwrap(), secret);
}

#[test]
fn a_secret_that_a_power_cut_left_empty_is_made_anew() {
    let directory = tempfile::tempdir().unwrap();
    let images = open(directory.path());
    std::fs::write(directory.path().join(".secret"), b"").unwrap();
    let secret = images.secret().unwrap();
    assert_eq!(secret.len(), 32);
    assert_eq!(images.secret().unwrap(), secret);
    assert_eq!(std::fs::read(directory.path().join(".secret")).unwrap(), secret);
}

#[test]
fn all_who_ask_for_the_first_secret_at_once_get_the_same() {
    let directory = tempfile::tempdir().unwrap();
    let images = open(directory.path());
    let secrets: Vec<_> = std::thread::scope(|scope| {
        let asking: Vec<_> = (0..8).map(|_| scope.spawn(|| images.secret().unwrap())).collect();
        asking.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let kept = std::fs::read(directory.path().join(".secret")).unwrap();
    assert!(secrets.iter().all(|secret| *secret == kept), "{secrets:?}");
}

#[test]
fn the_longest_names_are_rewritten_deleted_and_removed_like_others() {
    let directory = tempfile::tempdir().unwrap();
    let images = open(directory.path());
    let name = "n".repeat(255);
    std::fs::write(directory.path().join(&name), b"first").unwrap();
    images.replace(&name, b"second").unwrap();
    assert_eq!(images.read(&name).unwrap().0, b"second");
    images.remove(&name).unwrap();
    assert!(visible(directory.path()).is_empty());
    images.create_new(&name, b"third").unwrap();
    images.tombstone(&name).unwrap();
    assert!(matches!(images.read(&name), Err(StorageError::Tombstone { .. })));
    assert_eq!(visible(directory.path()), [name]);
    // What a crash leaves of such a write is removed at the start alone, and nothing beside it.
    let left = directory.path().join(".imagewright.long.0~");
    std::fs::write(&left, b"half").unwrap();
    images.list(false).unwrap();
    assert!(left.exists());
    assert_eq!(images.list(true).unwrap().tombstones.len(), 1);
    assert!(!left.exists());
    assert!(files(directory.path()).iter().all(|file| !file.ends_with('~')));
}

#[test]
fn a_full_disk_fails_the_image_and_keeps_what_was_there() {
    let Some(disk) = common::SmallDisk::mount("1m") else {
        return;
    };
    let images = open(&disk.path);
    images.create_new("kept", b"kept").unwrap();
    let large = vec![7; 2 << 20];
    let error = images.create_new("large", &large).unwrap_err();
    assert!(error.is_out_of_space(), "{error}");
    let error = images.replace("kept", &large).unwrap_err();
    assert!(error.is_out_of_space(), "{error}");
    assert_eq!(visible(&disk.path), ["kept"]);
    assert_eq!(images.read("kept").unwrap().0, b"kept");
    images.create_new("small", b"fits").unwrap();
}

#[test]
fn a_second_process_on_the_same_directory_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let images = open(directory.path());
    let error = ImageDir::open(directory.path()).unwrap_err().to_string();
    assert!(error.contains("is in use by another process"), "{error}");
    drop(images);
}
