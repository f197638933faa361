//! Archives in, out, and in again.

mod archive;
mod objects;

use std::num::NonZeroUsize;

use bstr::BString;
use image::filter::CompiledFilter;
use image::{FileSystem, Inode};
use tree_io::tar_in::tar_gz_in;
use tree_io::{Cancel, Error, Progress, ScanOptions, tar_in, tar_out};

use crate::input::Input;
use objects::Objects;

/// How the archive is made and read, then its bytes.
pub fn tar(data: &[u8]) {
    let mut input = Input::new(data);
    let choice = input.byte();
    let filter = (choice & 0x10 != 0).then(filter);
    let options = ScanOptions {
        filter: filter.as_ref(),
        threads: NonZeroUsize::new(1),
        ..ScanOptions::default()
    };
    let objects = Objects::default();
    let (result, length) = match choice % 4 {
        0 => {
            let bytes = input.rest();
            (tar_in(bytes, &options, &objects), bytes.len())
        }
        1 => {
            let bytes = archive::with_checksums(input.rest());
            (tar_in(bytes.as_slice(), &options, &objects), bytes.len())
        }
        2 => {
            let bytes = archive::of_members(input.rest());
            (tar_in(bytes.as_slice(), &options, &objects), bytes.len())
        }
        // What a compressed archive grows to is its reader's limit, not ours.
        _ => (tar_gz_in(input.rest(), &options, &objects), usize::MAX),
    };
    let Ok((tree, _)) = result else { return };
    assert!(objects.bytes() <= length as u64, "more content than input");
    let counts = tree
        .check()
        .unwrap_or_else(|error| panic!("a tree that is none: {error}"));
    assert_eq!(counts.unreferenced, 0);
    assert!(counts.data_bytes == 0 || objects.bytes() > 0);
    if let Some(filter) = &filter {
        for (path, _) in image::walk::Walk::new(&tree) {
            assert!(path == "/" || !filter.matches(&path), "{path} should be left out");
        }
    }
    out_and_in(&tree, &objects);
}

fn filter() -> CompiledFilter {
    let lines = ["/a/.*", "/b$", "/.*[.]o", "/(x|y)+/z"];
    CompiledFilter::from_lines(lines).unwrap_or_else(|error| panic!("{error}"))
}

fn out_and_in(tree: &FileSystem, objects: &Objects) {
    let mut written = Vec::new();
    let (cancel, progress) = (Cancel::default(), Progress::default());
    match tar_out(tree, &mut objects.source(), &mut written, &cancel, &progress) {
        Ok(()) => {}
        Err(error) => panic!("a tree from an archive cannot be one: {error}"),
    }
    let mut again = Vec::new();
    let same = tar_out(tree, &mut objects.source(), &mut again, &cancel, &progress);
    assert!(
        same.is_ok() && written == again,
        "the same tree gives other bytes"
    );
    let options = ScanOptions {
        threads: NonZeroUsize::new(1),
        ..ScanOptions::default()
    };
    let read: Result<_, Error> = tar_in(written.as_slice(), &options, &Objects::default());
    match read {
        Ok((back, _)) => assert_eq!(flat(tree), flat(&back), "another tree comes back"),
        Err(error) => panic!("what was written cannot be read: {error}"),
    }
}

/// Path by path what a tree holds, as far as an archive of ours can say it; the first name of each inode by its place.
fn flat(tree: &FileSystem) -> Vec<(BString, usize, String)> {
    let mut first_place = std::collections::HashMap::new();
    let mut walk = image::walk::Walk::new(tree);
    let mut all = Vec::new();
    while let Some(visit) = walk.next_visit() {
        let place = visit
            .number
            .map_or(0, |number| *first_place.entry(number).or_insert(all.len()));
        let what = match visit.number.and_then(|number| tree.inode_table.get(number)) {
            Some(inode) => text(inode),
            None => {
                let root = &tree.directory_inode;
                format!("{:o} {} {}", root.mode, root.uid, root.gid)
            }
        };
        all.push((visit.path.into(), place, what));
    }
    all
}

/// Times are whole seconds in our archives.
fn text(inode: &Inode) -> String {
    let round =
        |seconds: i64, nanoseconds: i32| seconds.saturating_add(i64::from(nanoseconds >= 500_000_000));
    let owner = format!("{:o} {} {}", inode.mode(), inode.uid(), inode.gid());
    match inode {
        Inode::Regular(inode) => {
            let time = round(inode.mtime_seconds, inode.mtime_nano_seconds);
            format!("{owner} {time} {} {}", inode.size, inode.hash)
        }
        Inode::Special(inode) => {
            let time = round(inode.mtime_seconds, inode.mtime_nano_seconds);
            format!("{owner} {time} {:#x}", inode.rdev)
        }
        Inode::Symlink(inode) => format!("{} {} -> {:?}", inode.uid, inode.gid, inode.symlink),
        Inode::Directory(_) | Inode::ComputedRegular(_) => owner,
    }
}
