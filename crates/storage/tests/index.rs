//! The index of the object directory: which directories a scan may pass over, and which it must read.

// Helpers of tests are tests.
#![allow(clippy::unwrap_used)]

mod common;

use common::place;
use hash::Hash;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;
use std::time::{Duration, Instant};
use storage::{IndexUse, LocalObjects, ObjectBackend, ScanReport};

const INDEX: &str = ".imagewright.objects.index";

fn put(root: &Path, content: &[u8]) -> Hash {
    let hash = hash::of(content);
    let path = root.join(place(&hash));
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, content).unwrap();
    hash
}

fn scan(root: &Path) -> (ScanReport, BTreeMap<Hash, u64>) {
    let objects = LocalObjects::open(root).unwrap();
    let found = Mutex::new(BTreeMap::new());
    let report = objects
        .scan(&|hash, size| {
            found.lock().unwrap().insert(hash, size);
        })
        .unwrap();
    (report, found.into_inner().unwrap())
}

/// Scans until the index answers for so many objects: what was just written is read again.
fn settle(root: &Path, objects: u64) {
    let start = Instant::now();
    while scan(root).0.from_index != objects {
        assert!(start.elapsed() < Duration::from_secs(30));
    }
}

#[test]
fn only_directories_that_changed_are_read_again() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    let first: Vec<_> = (0..50_u8).map(|number| put(root, &[number])).collect();
    let (report, all) = scan(root);
    assert_eq!(
        (report.index, report.from_index, report.objects),
        (IndexUse::Absent, 0, 50)
    );
    settle(root, 50);
    put(root, b"new");
    std::fs::remove_file(root.join(place(&first[7]))).unwrap();
    let (report, found) = scan(root);
    assert_eq!((report.objects, report.from_index), (50, 49));
    assert_eq!(report.index, IndexUse::Used);
    assert!(!found.contains_key(&first[7]) && found.contains_key(&hash::of(b"new")));
    assert_eq!(found.len(), all.len());
}

#[test]
fn a_directory_with_anything_odd_in_it_is_read_every_time() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    let hashes: Vec<_> = (0..5_u8).map(|number| put(root, &[number])).collect();
    let beside = |hash: &Hash, name: &str| root.join(place(hash)).with_file_name(name);
    std::fs::write(beside(&hashes[0], "misnamed"), b"x").unwrap();
    std::fs::create_dir(beside(&hashes[1], "below")).unwrap();
    std::fs::write(
        beside(&hashes[2], &hashes[2].to_string()[4..].replace(['0', '1'], "2")),
        b"",
    )
    .unwrap();
    settle(root, 2);
    for _ in 0..2 {
        let (report, found) = scan(root);
        assert_eq!((report.misnamed.len(), report.empty.len()), (1, 1));
        assert_eq!((found.len(), report.from_index), (5, 2));
    }
}

#[test]
fn an_index_brought_up_to_date_while_others_write_removes_nothing_of_theirs() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    let hash = put(root, b"object");
    let objects = LocalObjects::open(root).unwrap();
    let theirs = root.join(place(&hash)).with_extension("x~");
    std::fs::write(&theirs, b"half").unwrap();
    objects.save_index().unwrap();
    assert!(theirs.exists() && root.join(INDEX).exists());
    drop(objects);
    scan(root);
    assert!(!theirs.exists());
}

#[test]
fn what_is_not_a_whole_index_is_refused_with_a_reason_and_replaced() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    put(root, b"object");
    settle(root, 1);
    let whole = std::fs::read(root.join(INDEX)).unwrap();
    for at in 0..whole.len() {
        let mut flipped = whole.clone();
        flipped[at] ^= 0x10;
        for bad in [&flipped[..], &whole[..at]] {
            std::fs::write(root.join(INDEX), bad).unwrap();
            let (report, found) = scan(root);
            assert!(matches!(report.index, IndexUse::Refused(_)), "{at}");
            assert_eq!((report.from_index, found.len()), (0, 1));
            assert_eq!(std::fs::read(root.join(INDEX)).unwrap(), whole);
        }
    }
    // Not a file at all: starting without one is all that is lost.
    std::fs::remove_file(root.join(INDEX)).unwrap();
    std::fs::create_dir(root.join(INDEX)).unwrap();
    let (report, found) = scan(root);
    assert!(matches!(report.index, IndexUse::Refused(_)));
    assert_eq!(found.len(), 1);
}

/// A file cut in its place leaves no trace in its directory. Its size is then known to be another one when it is opened.
#[test]
fn a_file_changed_in_its_place_is_reported_as_it_was() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    let hash = put(root, b"object");
    settle(root, 1);
    std::fs::write(root.join(place(&hash)), b"obj").unwrap();
    let (_, found) = scan(root);
    assert_eq!(found[&hash], 6);
    assert_eq!(LocalObjects::open(root).unwrap().open(&hash).unwrap().size, 3);
}
