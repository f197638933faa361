//! Images the tests of this crate share.

#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "shared helpers of tests, not each used by every one"
)]

use gob::{Limits, Time, Zone};
use image::{DirectoryEntry, DirectoryInode, FileSystem, Image, Inode, RegularInode};

/// The image of a recorded file; its checksum is another crate's affair.
pub(crate) fn recorded(bytes: &[u8]) -> Image {
    gob::from_slice::<Image>(bytes, Limits::default()).unwrap().0
}

/// The tree of the first recorded image.
pub(crate) fn v1() -> FileSystem {
    recorded(include_bytes!("../data/v1")).file_system.unwrap()
}

/// The tree of the second recorded image.
pub(crate) fn v2() -> FileSystem {
    recorded(include_bytes!("../data/v2")).file_system.unwrap()
}

/// `02 Jan 2006 15:04:05 UTC`.
pub(crate) fn utc(seconds: i64) -> String {
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let text = Time::new(seconds, 0, Zone::Utc).to_string();
    let month: usize = text[5..7].parse().unwrap();
    format!(
        "{} {} {} {} UTC",
        &text[8..10],
        MONTHS[month - 1],
        &text[..4],
        &text[11..19]
    )
}

/// A tree from its root's entries and its table.
pub(crate) fn tree(root: &[(&str, u64)], table: Vec<(u64, Inode)>) -> FileSystem {
    let mut tree = FileSystem {
        inode_table: table.into(),
        directory_inode: directory_inode(root),
        ..FileSystem::default()
    };
    tree.recount();
    tree
}

/// A directory with entries.
pub(crate) fn directory_inode(entries: &[(&str, u64)]) -> DirectoryInode {
    let entry = |&(name, number): &(&str, u64)| DirectoryEntry {
        name: name.into(),
        inode_number: number,
    };
    DirectoryInode {
        entry_list: entries.iter().map(entry).collect(),
        mode: 0o040_755,
        ..Default::default()
    }
}

/// A directory with entries, for a table.
pub(crate) fn directory(entries: &[(&str, u64)]) -> Inode {
    Inode::Directory(directory_inode(entries))
}

/// A regular file with some content.
pub(crate) fn file(content: &str) -> Inode {
    Inode::Regular(RegularInode {
        mode: 0o100_644,
        size: content.len() as u64,
        hash: if content.is_empty() {
            hash::Hash::ZERO
        } else {
            hash::of(content.as_bytes())
        },
        mtime_seconds: 1_700_000_000,
        ..RegularInode::default()
    })
}
