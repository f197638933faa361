//! What a scan promises.
#![allow(clippy::unwrap_used)]

mod support;

use std::fs;
use std::os::unix::net::UnixListener;

use image::Inode;
use support::{Memory, plain_tree};
use tree_io::{Error, NoSink, ScanOptions, scan};

fn number_of(tree: &image::FileSystem, path: &str) -> Option<u64> {
    let mut directory = &tree.directory_inode;
    let mut number = None;
    for name in path.trim_start_matches('/').split('/') {
        let entry = directory.entry_list.iter().find(|e| e.name == name)?;
        number = Some(entry.inode_number);
        if let Some(Inode::Directory(next)) = tree.inode_table.get(entry.inode_number) {
            directory = next;
        }
    }
    number
}

#[test]
fn a_scan_yields_the_tree_and_each_object_once() {
    let dir = tempfile::tempdir().unwrap();
    plain_tree(dir.path());
    let sink = Memory::default();
    let (tree, report) = scan(dir.path(), &ScanOptions::default(), &sink).unwrap();
    assert_eq!(report, tree_io::ScanReport::default());
    let names: Vec<_> = tree
        .directory_inode
        .entry_list
        .iter()
        .map(|e| e.name.to_string())
        .collect();
    assert_eq!(names, ["etc", "usr"], "sorted, without .subd");
    assert_eq!(
        number_of(&tree, "/usr/bin/hello"),
        number_of(&tree, "/usr/bin/hello2")
    );
    let number = number_of(&tree, "/usr/bin/hello").unwrap();
    let Some(Inode::Regular(hello)) = tree.inode_table.get(number) else {
        panic!()
    };
    assert_eq!((hello.mode, hello.hash), (0o104_755, hash::of(b"#!/bin/sh\n")));
    let Some(Inode::Regular(empty)) = tree.inode_table.get(number_of(&tree, "/etc/nothing").unwrap()) else {
        panic!()
    };
    assert!(empty.hash.is_zero());
    let objects = sink.0.lock().unwrap();
    assert_eq!(objects.len(), 3);
    assert!(objects.values().all(|(_, times)| *times == 1));
    tree.check().unwrap();
}

#[test]
fn sockets_are_left_out_and_reported() {
    let dir = tempfile::tempdir().unwrap();
    let _socket = UnixListener::bind(dir.path().join("socket")).unwrap();
    let (tree, report) = scan(dir.path(), &ScanOptions::default(), &NoSink).unwrap();
    assert!(tree.directory_inode.entry_list.is_empty());
    assert_eq!(report.sockets.paths, ["/socket"]);
}

#[test]
fn a_file_that_changes_meanwhile_is_named() {
    use std::io::Write;
    use std::sync::atomic::{AtomicBool, Ordering};
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("log");
    fs::write(&path, vec![1; 64 << 20]).unwrap();
    let done = AtomicBool::new(false);
    let result = std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut file = fs::OpenOptions::new().append(true).open(&path).unwrap();
            while !done.load(Ordering::Relaxed) {
                file.write_all(b"x").unwrap();
            }
        });
        let result = scan(dir.path(), &ScanOptions::default(), &NoSink);
        done.store(true, Ordering::Relaxed);
        result
    });
    assert!(
        matches!(&result, Err(Error::Changed(path)) if path == "/log"),
        "{result:?}"
    );
}

#[test]
fn file_capabilities_are_noticed() {
    if !support::is_root() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ping");
    fs::write(&path, "x").unwrap();
    // Version 2, cap_net_raw permitted.
    let capability = [1, 0, 0, 2, 0, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let flags = rustix::fs::XattrFlags::empty();
    if rustix::fs::setxattr(&path, "security.capability", &capability, flags).is_err() {
        eprintln!("SKIPPED: this file system has no attributes");
        return;
    }
    let (_, report) = scan(dir.path(), &ScanOptions::default(), &NoSink).unwrap();
    assert_eq!(report.attributes.capabilities.paths, ["/ping"]);
}

#[test]
fn a_cancelled_scan_says_so() {
    let dir = tempfile::tempdir().unwrap();
    plain_tree(dir.path());
    let options = ScanOptions::default();
    options.cancel.cancel();
    assert!(matches!(
        scan(dir.path(), &options, &NoSink),
        Err(Error::Cancelled)
    ));
}

#[test]
fn a_failing_sink_ends_the_scan_with_its_error() {
    struct Full;
    impl tree_io::ObjectSink for Full {
        fn put(&self, _: tree_io::FoundObject) -> Result<(), tree_io::error::BoxError> {
            Err("no room".into())
        }
    }
    let dir = tempfile::tempdir().unwrap();
    for index in 0..500 {
        fs::write(dir.path().join(index.to_string()), index.to_string()).unwrap();
    }
    let error = scan(dir.path(), &ScanOptions::default(), &Full).unwrap_err();
    assert_eq!(error.to_string(), "no room");
}

#[test]
fn depth_costs_no_stack_and_no_descriptors() {
    let dir = tempfile::tempdir().unwrap();
    let deep = "d/".repeat(1500);
    fs::create_dir_all(dir.path().join(&deep)).unwrap();
    fs::write(dir.path().join(&deep).join("leaf"), "x").unwrap();
    let (tree, _) = scan(dir.path(), &ScanOptions::default(), &NoSink).unwrap();
    assert_eq!(tree.inode_table.len(), 1501);
}
