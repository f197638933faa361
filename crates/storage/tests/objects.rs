//! What an object store promises: what it reports is there, whole, and nothing else is.

// Helpers of tests are tests.
#![allow(clippy::unwrap_used)]

mod common;

use common::{files, place};
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Mutex;
use storage::{LocalObjects, ObjectBackend, StorageError};

fn open(path: &Path) -> LocalObjects {
    LocalObjects::open(path).unwrap()
}

fn add(objects: &LocalObjects, data: &[u8]) -> storage::Committed {
    let staged = objects.stage_bytes(data).unwrap();
    objects.commit(vec![staged]).pop().unwrap().unwrap()
}

fn content(objects: &LocalObjects, hash: &hash::Hash) -> Vec<u8> {
    let mut content = Vec::new();
    objects
        .open(hash)
        .unwrap()
        .file
        .read_to_end(&mut content)
        .unwrap();
    content
}

fn scan(objects: &LocalObjects) -> (Vec<(hash::Hash, u64)>, storage::ScanReport) {
    let found = Mutex::new(Vec::new());
    let report = objects
        .scan(&|hash, size| found.lock().unwrap().push((hash, size)))
        .unwrap();
    let mut found = found.into_inner().unwrap();
    found.sort();
    (found, report)
}

#[test]
fn an_object_lies_where_the_original_looks_for_it_with_its_modes() {
    let directory = tempfile::tempdir().unwrap();
    let objects = open(directory.path());
    let committed = add(&objects, b"hello");
    assert!(committed.newly_added);
    let path = directory.path().join(place(&hash::of(b"hello")));
    assert_eq!(std::fs::read(&path).unwrap(), b"hello");
    assert_eq!(
        std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let parent = std::fs::metadata(path.parent().unwrap()).unwrap();
    assert_eq!(parent.permissions().mode() & 0o777, 0o700);
    assert_eq!(objects.open(&committed.hash).unwrap().stamp, committed.stamp);
}

#[test]
fn nothing_is_visible_before_the_commit_and_nothing_is_left_by_what_is_dropped() {
    let directory = tempfile::tempdir().unwrap();
    let objects = open(directory.path());
    let before = files(directory.path());
    let staged = objects.stage_bytes(b"never committed").unwrap();
    let mut unfinished = objects.stage().unwrap();
    unfinished.write(b"half").unwrap();
    assert_eq!(files(directory.path()), before);
    assert!(matches!(
        objects.open(&staged.hash()),
        Err(StorageError::UnknownObject { .. })
    ));
    drop((staged, unfinished));
    assert_eq!(files(directory.path()), before);
}

#[test]
fn a_group_of_any_size_is_answered_in_order_and_equals_in_it_are_added_once() {
    let directory = tempfile::tempdir().unwrap();
    let objects = open(directory.path());
    for (round, size) in [1_usize, 2, 4, 5, 300].into_iter().enumerate() {
        let data: Vec<Vec<u8>> = (0..size)
            .map(|at| format!("{round}/{}", at / 2).into_bytes())
            .collect();
        let batch = data
            .iter()
            .map(|data| objects.stage_bytes(data).unwrap())
            .collect();
        let results = objects.commit(batch);
        assert_eq!(results.len(), size);
        for (at, (data, result)) in data.iter().zip(results).enumerate() {
            let committed = result.unwrap();
            assert_eq!(committed.hash, hash::of(data));
            assert_eq!(committed.newly_added, at % 2 == 0, "object {at} of {size}");
            assert_eq!(&content(&objects, &committed.hash), data);
        }
    }
}

#[test]
fn adding_what_is_there_changes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let objects = open(directory.path());
    let first = add(&objects, b"twice");
    let second = add(&objects, b"twice");
    assert!(first.newly_added && !second.newly_added && !second.repaired);
    assert_eq!(first.stamp, second.stamp);
}

#[test]
fn adding_the_content_again_repairs_a_damaged_object() {
    let directory = tempfile::tempdir().unwrap();
    let objects = open(directory.path());
    let right = b"the right bytes";
    let hash = add(&objects, right).hash;
    let path = directory.path().join(place(&hash));
    for wrong in [
        &b"the wrong bytes"[..],
        b"short",
        b"",
        b"much longer than the right bytes",
    ] {
        std::fs::write(&path, wrong).unwrap();
        let committed = add(&objects, right);
        assert!(committed.repaired && committed.newly_added);
        assert_eq!(content(&objects, &hash), right);
        assert_eq!(objects.open(&hash).unwrap().stamp, committed.stamp);
    }
    let left = files(directory.path());
    assert!(!left.iter().any(|name| name.contains("repair")), "{left:?}");
}

#[test]
fn empty_objects_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let objects = open(directory.path());
    let error = objects.stage_bytes(b"").unwrap_err();
    assert_eq!(error.to_string(), "zero length object cannot be added");
}

#[test]
fn the_scan_finds_what_was_stored_and_reports_what_is_no_object() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    let objects = open(root);
    let mut stored: Vec<_> = (0..50_u32)
        .map(|number| {
            let data = number.to_string();
            (add(&objects, data.as_bytes()).hash, data.len() as u64)
        })
        .collect();
    stored.sort();
    let unfinished = root.join(place(&stored[0].0)).with_extension("x~");
    std::fs::write(&unfinished, b"unfinished").unwrap();
    let empty = place(&hash::of(b"emptied by a power cut"));
    std::fs::create_dir_all(root.join(&empty).parent().unwrap()).unwrap();
    std::fs::write(root.join(&empty), b"").unwrap();
    std::fs::write(root.join("README"), b"misplaced").unwrap();
    std::fs::create_dir_all(root.join(".stash/aa/bb")).unwrap();
    std::fs::write(root.join(".stash/aa/bb/cc"), b"the original's").unwrap();
    std::os::unix::fs::symlink("/etc/passwd", root.join("ff")).ok();
    std::fs::write(root.join(".imagewright.tmp/7"), b"left by a killed process").unwrap();

    let (found, report) = scan(&objects);
    assert_eq!(found, stored);
    assert_eq!(report.objects, 50);
    assert_eq!(report.bytes, stored.iter().map(|(_, size)| size).sum::<u64>());
    assert_eq!(report.empty, [empty.to_str().unwrap()]);
    assert!(report.misnamed.contains(&"README".to_owned()));
    assert_eq!(report.temporaries_removed, 2);
    assert!(!unfinished.exists());
    assert!(root.join(".stash/aa/bb/cc").exists() && root.join("README").exists());
}

#[test]
fn a_deleted_object_is_gone_and_deleting_it_again_is_no_error() {
    let directory = tempfile::tempdir().unwrap();
    let objects = open(directory.path());
    let hash = add(&objects, b"short-lived").hash;
    objects.delete(&hash).unwrap();
    objects.delete(&hash).unwrap();
    assert_eq!(
        objects.open(&hash).unwrap_err().to_string(),
        format!("unknown object: {hash}")
    );
    assert!(add(&objects, b"short-lived").newly_added);
}

#[test]
fn renaming_the_root_underneath_is_harmless() {
    let directory = tempfile::tempdir().unwrap();
    let (old, new) = (directory.path().join("old"), directory.path().join("new"));
    std::fs::create_dir(&old).unwrap();
    let objects = open(&old);
    let staged = objects.stage_bytes(b"on the way").unwrap();
    std::fs::rename(&old, &new).unwrap();
    let hash = objects.commit(vec![staged]).pop().unwrap().unwrap().hash;
    assert_eq!(std::fs::read(new.join(place(&hash))).unwrap(), b"on the way");
    assert_eq!(content(&objects, &hash), b"on the way");
}

#[test]
fn a_second_process_on_the_same_directory_is_refused_with_a_plain_sentence() {
    let directory = tempfile::tempdir().unwrap();
    let objects = open(directory.path());
    let error = LocalObjects::open(directory.path()).unwrap_err().to_string();
    assert!(error.contains("is in use by another process (pid "), "{error}");
    assert!(
        error.ends_with("stop it first, or give this one a directory of its own"),
        "{error}"
    );
    drop(objects);
    open(directory.path());
}

#[test]
fn an_object_behind_a_symbolic_link_is_not_followed() {
    let directory = tempfile::tempdir().unwrap();
    let objects = open(directory.path());
    let hash = hash::of(b"elsewhere");
    let path = directory.path().join(place(&hash));
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let outside = directory.path().join("outside");
    std::fs::write(&outside, b"elsewhere").unwrap();
    std::os::unix::fs::symlink(&outside, &path).unwrap();
    assert!(objects.open(&hash).is_err());
}

#[test]
fn a_full_disk_fails_what_does_not_fit_and_later_adds_work_again() {
    let Some(disk) = common::SmallDisk::mount("2m") else {
        return;
    };
    let objects = open(&disk.path);
    let kept = add(&objects, b"before the disk was full").hash;
    let block = vec![1_u8; 512 * 1024];
    let mut held = Vec::new();
    let error = loop {
        let mut data = block.clone();
        data.push(held.len() as u8);
        match objects.stage_bytes(&data) {
            Ok(staged) => held.push(staged),
            Err(error) => break error,
        }
        assert!(held.len() < 10, "the disk has no end");
    };
    assert!(error.is_out_of_space(), "{error}");
    assert!(error.to_string().starts_with("cannot write object"), "{error}");
    drop(held);
    assert_eq!(content(&objects, &kept), b"before the disk was full");
    assert!(add(&objects, &block).newly_added);
}

#[test]
fn a_disk_without_room_for_names_fails_the_group_and_later_ones_work_again() {
    let Some(disk) = common::SmallDisk::mount("4m,nr_inodes=40") else {
        return;
    };
    let objects = open(&disk.path);
    // Each needs an inode of its own and up to two for directories.
    let staged: Vec<_> = (0..20_u8)
        .map(|number| objects.stage_bytes(&[number, 1]).unwrap())
        .collect();
    let results = objects.commit(staged);
    let failed = results.iter().filter(|result| result.is_err()).count();
    assert!(failed > 0 && failed < 20, "{failed}");
    for (number, result) in results.iter().enumerate() {
        let hash = hash::of(&[number as u8, 1]);
        match result {
            Ok(committed) => assert_eq!(content(&objects, &committed.hash), [number as u8, 1]),
            Err(error) => {
                assert!(error.is_out_of_space(), "{error}");
                assert!(objects.open(&hash).is_err(), "what failed must not be there");
            }
        }
    }
    let added: Vec<_> = results.into_iter().flatten().collect();
    objects.delete(&added[0].hash).unwrap();
    assert!(add(&objects, &[0, 1]).newly_added || add(&objects, &[1, 1]).size == 2);
}
