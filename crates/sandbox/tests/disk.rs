//! A command that fills the disk.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Tree, run, wrapper};
use sandbox::Outcome;
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

const MIB: u64 = 1 << 20;
const LIMIT: u64 = 64 * MIB;
/// What may be written between the last look and the end.
const OVERSHOOT: u64 = 128 * MIB;

/// One test at a time: what the others write would be taken for the command's between two measurements.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn on_disk(directory: &Path) -> u64 {
    let entries = std::fs::read_dir(directory).unwrap().map(Result::unwrap);
    entries
        .map(|entry| {
            let data = entry.metadata().unwrap();
            let below = if data.is_dir() { on_disk(&entry.path()) } else { 0 };
            data.blocks() * 512 + below
        })
        .sum()
}

#[test]
fn who_fills_the_disk_with_files_is_ended_near_the_limit() {
    let Some(tree) = Tree::new() else { return };
    let _alone = alone();
    let mut spec =
        tree.spec("i=0; while :; do i=$((i+1)); head -c 1000000 /dev/zero >/root/$i || exit 3; done");
    spec.limits.disk_bytes = Some(LIMIT);
    let (outcome, output) = run(&spec);
    assert_eq!(outcome, Outcome::OutOfDisk, "{output}");
    let used = on_disk(&tree.root());
    assert!((LIMIT / 2..LIMIT + OVERSHOOT).contains(&used), "{used} bytes");
}

#[test]
fn files_that_are_deleted_and_open_count() {
    let Some(tree) = Tree::new() else { return };
    let _alone = alone();
    let mut spec = tree.spec("exec 3>/root/file; rm /root/file; cat /dev/zero >&3");
    spec.limits.disk_bytes = Some(LIMIT);
    let (outcome, output) = run(&spec);
    assert_eq!(outcome, Outcome::OutOfDisk, "{output}");
    assert!(on_disk(&tree.root()) < MIB);
}

#[test]
fn space_is_not_taken_without_writing() {
    let Some(tree) = Tree::new() else { return };
    let _alone = alone();
    let mut spec = tree.spec("fallocate -l 200M /root/file 2>&1 && echo taken; truncate -s 1G /root/sparse; cp --sparse=always /root/sparse /root/copy");
    spec.limits.disk_bytes = Some(LIMIT);
    let (outcome, output) = run(&spec);
    assert_eq!(outcome, Outcome::Exited(0), "{output}");
    assert!(
        output.contains("not supported") && !output.contains("taken"),
        "{output}"
    );
    assert!(on_disk(&tree.root()) < MIB);
}

#[test]
fn who_stays_below_the_limit_is_left_alone_whatever_others_write() {
    let Some(tree) = Tree::new() else { return };
    let _alone = alone();
    let pipe = tree.root().join("tmp/pipe");
    let made = std::process::Command::new("mkfifo")
        .arg("-m")
        .arg("666")
        .arg(&pipe)
        .status();
    assert!(made.unwrap().success());
    // Time enough to be ended in.
    let mut spec =
        tree.spec("head -c 20000000 /dev/zero >/root/file; read line </tmp/pipe; sleep 0.6; echo $line");
    spec.limits.disk_bytes = Some(LIMIT);
    let (beside, reader) = (tree.directory.path().join("beside"), pipe.clone());
    let other = std::thread::spawn(move || {
        // Waits for the reader.
        let mut pipe = std::fs::File::create(pipe).unwrap();
        std::fs::write(&beside, vec![1; 2 * LIMIT as usize]).unwrap();
        pipe.write_all(b"went on\n").unwrap();
    });
    let (outcome, output) = run(&spec);
    // Whoever still waits for a reader has one now.
    let flags = rustix::fs::OFlags::RDONLY | rustix::fs::OFlags::NONBLOCK;
    let _reader = rustix::fs::open(reader, flags, rustix::fs::Mode::empty()).unwrap();
    let written = other.join();
    assert_eq!(outcome, Outcome::Exited(0), "{output}");
    assert_eq!(output, "went on\n");
    written.unwrap();
}

#[test]
fn without_a_limit_something_is_left_of_the_disk() {
    let Some(tree) = Tree::new() else { return };
    let _alone = alone();
    let directory = tree.directory.path().to_str().unwrap().to_owned();
    // A small disk of its own, which goes with the mounts of the sandbox.
    let command = wrapper(
        tree.directory.path(),
        &format!(
            "cd {directory}; truncate -s 300M disk; mkfs.ext4 -q -m 0 disk; mkdir new; mount -o loop disk new; cp -a root/. new/; \
             mount --move new root"
        ),
    );
    let mut spec = tree.spec("");
    spec.argv = ["/bin/sh", "-c", "cat /dev/zero >/root/file; df / | tail -1"]
        .map(str::to_owned)
        .to_vec();
    let outcome = command.run(&spec, |line| println!("{}", line.text())).unwrap();
    assert_eq!(outcome, Outcome::OutOfDisk);
    assert!(!common::is_mounted(tree.directory.path()));
}

#[test]
fn files_below_however_many_directories_count() {
    let Some(tree) = Tree::new() else { return };
    let _alone = alone();
    // More files than the limit, and an end if nobody stops it.
    let mut spec = tree.spec(
        "cd /root; i=0; while [ $i -lt 450 ]; do mkdir d; cd d; i=$((i+1)); done; \
         while [ $i -lt 800 ]; do i=$((i+1)); head -c 1000000 /dev/zero >$i; done; echo all",
    );
    spec.limits.disk_bytes = Some(LIMIT);
    let (outcome, output) = run(&spec);
    assert_eq!(outcome, Outcome::OutOfDisk, "{output}");
}

#[test]
fn inodes_of_the_disk_are_left_too() {
    let Some(tree) = Tree::new() else { return };
    let _alone = alone();
    let directory = tree.directory.path().to_str().unwrap().to_owned();
    let command = wrapper(
        tree.directory.path(),
        &format!(
            "cd {directory}; truncate -s 300M disk; mkfs.ext4 -q -m 0 -N 60000 disk; mkdir new; mount -o loop disk new; \
             cp -a root/. new/; mount --move new root"
        ),
    );
    let mut spec = tree.spec("");
    let script = "i=0; while :; do i=$((i+1)); : >/root/$i || exit 3; done";
    spec.argv = ["/bin/sh", "-c", script].map(str::to_owned).to_vec();
    let outcome = command.run(&spec, |line| println!("{}", line.text())).unwrap();
    assert_eq!(outcome, Outcome::OutOfDisk);
}
