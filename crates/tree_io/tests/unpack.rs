//! What unpacking promises.
#![allow(clippy::unwrap_used)]

mod support;

use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, symlink};

use hash::Hash;
use image::{FileSystem, Inode};
use support::{Memory, Pieces, flat, is_root, plain_tree};
use tree_io::{Error, ObjectSource, ScanOptions, UnpackOptions, scan, unpack};

fn scanned(at: &std::path::Path) -> (FileSystem, Memory) {
    let sink = Memory::default();
    let (tree, _) = scan(at, &ScanOptions::default(), &sink).unwrap();
    (tree, sink)
}

#[test]
fn what_was_scanned_comes_out_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let (from, to) = (dir.path().join("from"), dir.path().join("to"));
    plain_tree(&from);
    let (tree, objects) = scanned(&from);
    unpack(&tree, &to, &mut Pieces(&objects), &UnpackOptions::default()).unwrap();
    assert_eq!(flat(&scanned(&to).0), flat(&tree));
    assert!(!to.join(".inodes").exists());
}

#[test]
fn devices_fifos_and_owners_come_out_the_same() {
    if !is_root() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let (from, to) = (dir.path().join("from"), dir.path().join("to"));
    fs::create_dir_all(from.join("dev")).unwrap();
    let mode = rustix::fs::Mode::from_raw_mode(0o640);
    let cwd = rustix::fs::CWD;
    rustix::fs::mknodat(
        cwd,
        from.join("dev/null"),
        rustix::fs::FileType::CharacterDevice,
        mode,
        0x103,
    )
    .unwrap();
    rustix::fs::mknodat(cwd, from.join("dev/fifo"), rustix::fs::FileType::Fifo, mode, 0).unwrap();
    fs::write(from.join("owned"), "x").unwrap();
    std::os::unix::fs::chown(from.join("owned"), Some(12), Some(34)).unwrap();
    fs::set_permissions(from.join("owned"), fs::Permissions::from_mode(0o6755)).unwrap();
    symlink("x", from.join("link")).unwrap();
    std::os::unix::fs::lchown(from.join("link"), Some(56), Some(78)).unwrap();
    std::os::unix::fs::chown(from.join("dev"), Some(9), Some(9)).unwrap();
    let (tree, objects) = scanned(&from);
    unpack(&tree, &to, &mut Pieces(&objects), &UnpackOptions::default()).unwrap();
    assert_eq!(flat(&scanned(&to).0), flat(&tree));
    let null = fs::metadata(to.join("dev/null")).unwrap();
    assert!(null.file_type().is_char_device());
    assert_eq!(null.rdev(), 0x103);
}

#[test]
fn an_existing_target_is_merged_into() {
    let dir = tempfile::tempdir().unwrap();
    let (from, to) = (dir.path().join("from"), dir.path().join("to"));
    plain_tree(&from);
    fs::create_dir_all(to.join("usr/bin")).unwrap();
    fs::write(to.join("usr/bin/hello"), "old").unwrap();
    fs::write(to.join("usr/bin/hello2"), "old").unwrap();
    fs::write(to.join("usr/mine"), "stays").unwrap();
    let (tree, objects) = scanned(&from);
    unpack(&tree, &to, &mut Pieces(&objects), &UnpackOptions::default()).unwrap();
    assert_eq!(fs::read(to.join("usr/bin/hello2")).unwrap(), b"#!/bin/sh\n");
    assert_eq!(fs::metadata(to.join("usr/bin/hello")).unwrap().nlink(), 2);
    assert_eq!(fs::read(to.join("usr/mine")).unwrap(), b"stays");
}

#[test]
fn links_in_the_target_lead_nowhere() {
    let dir = tempfile::tempdir().unwrap();
    let (from, to, outside) = (
        dir.path().join("from"),
        dir.path().join("to"),
        dir.path().join("outside"),
    );
    plain_tree(&from);
    fs::create_dir_all(&to).unwrap();
    fs::create_dir_all(&outside).unwrap();
    symlink(&outside, to.join("usr")).unwrap();
    let (tree, objects) = scanned(&from);
    let error = unpack(&tree, &to, &mut Pieces(&objects), &UnpackOptions::default()).unwrap_err();
    assert_eq!(error.to_string(), "mkdir /usr: file exists");
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 0);
    assert_eq!(
        fs::read_link(to.join("usr")).unwrap(),
        outside,
        "what was there stays"
    );
    assert_eq!(fs::read_dir(&to).unwrap().count(), 1, "what was made is gone");
}

/// Gives wrong bytes for the object after `good` ones.
struct Damaged<'a>(Pieces<'a>, usize);

impl ObjectSource for Damaged<'_> {
    fn next_object(
        &mut self,
        hash: &Hash,
        size: u64,
        consume: &mut dyn FnMut(&[u8]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        if self.1 == 0 {
            return consume(&vec![0; usize::try_from(size).unwrap()]);
        }
        self.1 -= 1;
        self.0.next_object(hash, size, consume)
    }
}

#[test]
fn a_damaged_object_leaves_nothing_behind() {
    let dir = tempfile::tempdir().unwrap();
    let (from, to, there) = (
        dir.path().join("from"),
        dir.path().join("to"),
        dir.path().join("there"),
    );
    plain_tree(&from);
    let (tree, objects) = scanned(&from);
    fs::create_dir(&there).unwrap();
    fs::write(there.join("mine"), "stays").unwrap();
    for good in 0..3 {
        for target in [&to, &there] {
            let mut source = Damaged(Pieces(&objects), good);
            let error = unpack(&tree, target, &mut source, &UnpackOptions::default()).unwrap_err();
            assert!(matches!(error, Error::Damaged { .. }), "{error}");
        }
        assert!(!to.exists());
        assert_eq!(fs::read_dir(&there).unwrap().count(), 1);
    }
}

#[test]
fn a_target_to_be_updated_stays_as_it_was_when_data_are_damaged() {
    let dir = tempfile::tempdir().unwrap();
    let (from, to) = (dir.path().join("from"), dir.path().join("to"));
    plain_tree(&from);
    let (tree, objects) = scanned(&from);
    fs::create_dir_all(to.join("usr/bin")).unwrap();
    fs::write(to.join("usr/bin/hello"), "old").unwrap();
    let before = flat(&scanned(&to).0);
    for good in 0..3 {
        let mut source = Damaged(Pieces(&objects), good);
        let error = unpack(&tree, &to, &mut source, &UnpackOptions::default()).unwrap_err();
        assert!(matches!(error, Error::Damaged { .. }), "{error}");
        assert_eq!(flat(&scanned(&to).0), before);
    }
}

#[test]
fn an_image_with_the_staging_name_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir_all(dir.path().join("from/.inodes")).unwrap();
    let (tree, objects) = scanned(&dir.path().join("from"));
    let result = unpack(
        &tree,
        &dir.path().join("to"),
        &mut Pieces(&objects),
        &UnpackOptions::default(),
    );
    assert!(matches!(result, Err(Error::StagingInImage)));
    assert!(!dir.path().join("to").exists());
}

#[test]
fn a_leftover_staging_directory_is_not_touched() {
    let dir = tempfile::tempdir().unwrap();
    let to = dir.path().join("to");
    fs::create_dir_all(dir.path().join("from")).unwrap();
    fs::create_dir_all(to.join(".inodes/5")).unwrap();
    let (tree, objects) = scanned(&dir.path().join("from"));
    assert!(unpack(&tree, &to, &mut Pieces(&objects), &UnpackOptions::default()).is_err());
    assert!(to.join(".inodes/5").exists());
}

#[test]
fn the_initial_image_is_told_inside_the_target_only() {
    let dir = tempfile::tempdir().unwrap();
    let (from, to) = (dir.path().join("from"), dir.path().join("to"));
    fs::create_dir_all(from.join("data/lib")).unwrap();
    symlink("/data", from.join("var")).unwrap();
    let (tree, objects) = scanned(&from);
    let options = UnpackOptions {
        initial_image: Some("base/1"),
        ..UnpackOptions::default()
    };
    unpack(&tree, &to, &mut Pieces(&objects), &options).unwrap();
    assert_eq!(
        fs::read_to_string(to.join("data/lib/initial-image")).unwrap(),
        "base/1\n"
    );
}

#[test]
fn an_image_larger_than_the_file_system_is_refused_before_anything_is_fetched() {
    struct Never;
    impl ObjectSource for Never {
        fn next_object(
            &mut self,
            _: &Hash,
            _: u64,
            _: &mut dyn FnMut(&[u8]) -> Result<(), Error>,
        ) -> Result<(), Error> {
            panic!("asked for an object");
        }
    }
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("from")).unwrap();
    fs::write(dir.path().join("from/file"), "x").unwrap();
    let (mut tree, _) = scanned(&dir.path().join("from"));
    let number = tree.directory_inode.entry_list[0].inode_number;
    if let Some(Inode::Regular(inode)) = tree.inode_table.get_mut(number) {
        inode.size = 1 << 60;
    }
    let result = unpack(
        &tree,
        &dir.path().join("to"),
        &mut Never,
        &UnpackOptions::default(),
    );
    assert_eq!(
        result.unwrap_err().to_string(),
        "image will not fit on file-system"
    );
    assert!(!dir.path().join("to").exists());
}
