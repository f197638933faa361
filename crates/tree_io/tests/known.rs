//! What is promised about files that need not be read: not again when they are packed, and not at all when they are copied.
#![allow(clippy::unwrap_used)]

mod support;

use std::collections::HashMap;
use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use hash::Hash;
use image::FileSystem;
use support::{Memory, Pieces, flat, plain_tree};
use tree_io::{Error, Known, NearObjects, Progress, ScanOptions, Tick, UnpackOptions, scan, unpack};

/// Objects in a directory, under their names.
struct Near {
    directory: PathBuf,
    objects: HashMap<Hash, bool>,
}

impl Near {
    fn of(memory: &Memory, directory: &Path) -> Near {
        fs::create_dir(directory).unwrap();
        let mut objects = HashMap::new();
        for (hash, (data, _)) in memory.0.lock().unwrap().iter() {
            fs::write(directory.join(hash.to_string()), data).unwrap();
            objects.insert(*hash, true);
        }
        Near {
            directory: directory.to_owned(),
            objects,
        }
    }
}

impl NearObjects for Near {
    fn contains(&self, hash: &Hash) -> bool {
        self.objects.contains_key(hash)
    }

    fn open(&self, hash: &Hash, _size: u64) -> Option<File> {
        File::open(self.directory.join(hash.to_string())).ok()
    }
}

fn scanned(at: &Path) -> (FileSystem, Memory) {
    let sink = Memory::default();
    let (tree, _) = scan(at, &ScanOptions::default(), &sink).unwrap();
    (tree, sink)
}

#[test]
fn only_files_that_changed_are_read_again() {
    let dir = tempfile::tempdir().unwrap();
    let (from, to) = (dir.path().join("from"), dir.path().join("to"));
    plain_tree(&from);
    fs::write(from.join("same-size"), "before").unwrap();
    fs::write(from.join("left-alone"), "as it was").unwrap();
    let (tree, objects) = scanned(&from);
    unpack(&tree, &to, &mut Pieces(&objects), &UnpackOptions::default()).unwrap();
    let known = Known::of(&tree, &to).unwrap();
    Tick::measure(&to).unwrap().wait();

    let again = |known: &Known| {
        let (sink, progress) = (Memory::default(), Progress::default());
        let options = ScanOptions {
            known: Some(known),
            progress: progress.clone(),
            ..ScanOptions::default()
        };
        let (tree, _) = scan(&to, &options, &sink).unwrap();
        (tree, sink, progress)
    };
    let (unchanged, sink, progress) = again(&known);
    assert_eq!(flat(&unchanged), flat(&tree));
    assert!(sink.0.lock().unwrap().is_empty());
    assert_eq!((progress.files(), progress.bytes()), (0, 0));

    // The size stays, and the modification time is put back: only the time of change tells.
    let path = to.join("same-size");
    let mtime = fs::metadata(&path).unwrap().modified().unwrap();
    fs::write(&path, "after!").unwrap();
    File::options()
        .write(true)
        .open(&path)
        .unwrap()
        .set_modified(mtime)
        .unwrap();
    fs::write(to.join("new"), "new file").unwrap();
    let (_, sink, progress) = again(&known);
    let offered = sink.0.into_inner().unwrap();
    assert_eq!(offered.len(), 2);
    assert!(offered.contains_key(&hash::of(b"after!")) && offered.contains_key(&hash::of(b"new file")));
    assert_eq!(progress.bytes(), 14);
}

#[test]
fn a_file_that_took_the_place_of_another_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let (from, to) = (dir.path().join("from"), dir.path().join("to"));
    fs::create_dir(&from).unwrap();
    fs::write(from.join("file"), "one").unwrap();
    let (tree, objects) = scanned(&from);
    unpack(&tree, &to, &mut Pieces(&objects), &UnpackOptions::default()).unwrap();
    let known = Known::of(&tree, &to).unwrap();
    Tick::measure(&to).unwrap().wait();
    // The number of the inode may well be the old one.
    fs::remove_file(to.join("file")).unwrap();
    fs::write(to.join("file"), "two").unwrap();
    let options = ScanOptions {
        known: Some(&known),
        ..ScanOptions::default()
    };
    let sink = Memory::default();
    let (after, _) = scan(&to, &options, &sink).unwrap();
    assert_eq!(flat(&after), flat(&scanned(&to).0));
    assert!(sink.0.lock().unwrap().contains_key(&hash::of(b"two")));
}

#[test]
fn near_objects_are_copied_and_nothing_is_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let (from, to) = (dir.path().join("from"), dir.path().join("to"));
    plain_tree(&from);
    fs::write(from.join("large"), vec![7; 3 << 20]).unwrap();
    fs::hard_link(from.join("large"), from.join("large-too")).unwrap();
    fs::write(from.join("large-again"), vec![7; 3 << 20]).unwrap();
    let (tree, objects) = scanned(&from);
    let near = Near::of(&objects, &dir.path().join("near"));
    let options = UnpackOptions {
        near: Some(&near),
        ..UnpackOptions::default()
    };
    // It has nothing to give: whoever asks it fails.
    let nothing = Memory::default();
    unpack(&tree, &to, &mut Pieces(&nothing), &options).unwrap();
    assert_eq!(flat(&scanned(&to).0), flat(&tree));
    let inode = |name| fs::metadata(to.join(name)).unwrap().ino();
    assert_eq!(inode("large"), inode("large-too"));
    assert_ne!(inode("large"), inode("large-again"));
}

#[test]
fn a_near_object_that_is_gone_or_short_ends_the_unpacking_and_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (from, to) = (dir.path().join("from"), dir.path().join("to"));
    plain_tree(&from);
    let (tree, objects) = scanned(&from);
    for (number, is_gone) in [true, false].into_iter().enumerate() {
        let near = Near::of(&objects, &dir.path().join(format!("near{number}")));
        let victim = fs::read_dir(&near.directory)
            .unwrap()
            .next()
            .unwrap()
            .unwrap()
            .path();
        if is_gone {
            fs::remove_file(victim).unwrap();
        } else {
            fs::write(victim, "").unwrap();
        }
        let options = UnpackOptions {
            near: Some(&near),
            ..UnpackOptions::default()
        };
        let error = unpack(&tree, &to, &mut Pieces(&objects), &options).unwrap_err();
        assert!(matches!(error, Error::NotNear(_)), "{error}");
        assert!(!to.exists());
    }
}

#[test]
fn a_near_object_with_other_content_becomes_no_file() {
    let dir = tempfile::tempdir().unwrap();
    for (number, size) in [100, 1 << 20].into_iter().enumerate() {
        let (from, to) = (dir.path().join(format!("from{number}")), dir.path().join("to"));
        fs::create_dir(&from).unwrap();
        fs::write(from.join("file"), vec![7; size]).unwrap();
        let (tree, objects) = scanned(&from);
        let near = Near::of(&objects, &dir.path().join(format!("near{number}")));
        let hash = hash::of(&vec![7; size]);
        let mut other = vec![7; size];
        other[size - 1] = 8;
        fs::write(near.directory.join(hash.to_string()), other).unwrap();
        let options = UnpackOptions {
            near: Some(&near),
            ..UnpackOptions::default()
        };
        let error = unpack(&tree, &to, &mut Pieces(&objects), &options).unwrap_err();
        assert!(matches!(&error, Error::NotNear(bad) if **bad == hash), "{error}");
        assert!(!to.exists());
    }
}

#[test]
fn where_times_of_change_do_not_tell_nothing_is_known() {
    // What is written there through a mapping changes no time.
    let memory = Path::new("/dev/shm");
    let Ok(dir) = tempfile::tempdir_in(memory) else {
        eprintln!("skipped: no {}", memory.display());
        return;
    };
    fs::write(dir.path().join("file"), "x").unwrap();
    let (tree, _) = scanned(dir.path());
    let known = Known::of(&tree, dir.path()).unwrap();
    assert_eq!(known.is_empty(), !Known::is_possible(dir.path()));
    assert!(known.is_empty());
}
