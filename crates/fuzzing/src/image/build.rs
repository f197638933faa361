//! Trees from few bytes: gob's own bytes are hard to change without breaking them.

use image::{
    ComputedRegularInode, DirectoryEntry, DirectoryInode, FileSystem, Inode, RegularInode, SpecialInode,
    SymlinkInode,
};

use crate::input::Input;

/// Entries of one directory.
const ENTRIES_MAX: u8 = 16;

/// Inodes with small numbers, so that entries meet them, and twice, too.
pub(super) fn tree(input: &mut Input<'_>) -> FileSystem {
    let directory_inode = directory(input);
    let mut inodes = Vec::new();
    while !input.is_empty() {
        let number = number(input.byte());
        inodes.push((number, inode(input)));
    }
    let mut tree = FileSystem {
        inode_table: inodes.into(),
        directory_inode,
        ..FileSystem::default()
    };
    tree.recount();
    tree
}

/// Dense ones, and the ends of the range.
fn number(choice: u8) -> u64 {
    match choice {
        250.. => u64::MAX - u64::from(255 - choice),
        small => u64::from(small % 32),
    }
}

fn inode(input: &mut Input<'_>) -> Inode {
    let choice = input.byte();
    match choice % 8 {
        0 => Inode::Regular(RegularInode {
            mode: u32::from(input.word()),
            mtime_seconds: i64::from(input.word()) << (choice / 8),
            size: u64::from(input.word()) << (choice / 4),
            hash: hash::of(&[choice]),
            ..RegularInode::default()
        }),
        1 => Inode::ComputedRegular(ComputedRegularInode {
            source: String::from_utf8_lossy(input.bytes()).into_owned(),
            ..ComputedRegularInode::default()
        }),
        2 => Inode::Symlink(SymlinkInode {
            symlink: input.bytes().into(),
            ..SymlinkInode::default()
        }),
        3 => Inode::Special(SpecialInode {
            mode: u32::from(input.word()),
            rdev: u64::from(input.word()) << (choice / 4),
            ..SpecialInode::default()
        }),
        _ => Inode::Directory(directory(input)),
    }
}

fn directory(input: &mut Input<'_>) -> DirectoryInode {
    let count = input.byte() % ENTRIES_MAX;
    let entries = (0..count).map(|_| {
        let number = number(input.byte());
        let choice = input.byte();
        // Mostly short names that come again.
        let name = if choice < 200 {
            vec![b"abcdefxyz./\0"[usize::from(choice) % 12]; usize::from(choice / 96) + 1]
        } else {
            input.bytes().to_vec()
        };
        DirectoryEntry {
            name: name.into(),
            inode_number: number,
        }
    });
    DirectoryInode {
        entry_list: entries.collect(),
        ..DirectoryInode::default()
    }
}
