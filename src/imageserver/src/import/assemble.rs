//! Entries of trees, level by level, to the tree of an image.

use super::ImportError;
use super::tree_text::{self, Entry, EntryKind};
use bstr::BString;
use gob::Time;
use hash::Hash;
use image::tree::mode;
use image::{DirectoryEntry, DirectoryInode, FileSystem, Inode, InodeTable, RegularInode, SymlinkInode};
use std::collections::HashMap;

/// Inodes of one import. The same tree may be used in many places, so a short text can describe a huge tree.
const INODES_MAX: usize = 2_000_000;
/// Directories inside each other.
const DEPTH_MAX: usize = 256;

/// A tree of which some parts are still to be fetched.
pub(crate) struct Assembly {
    trees: HashMap<Hash, Vec<Entry>>,
}

/// Something to fetch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Part {
    pub(crate) kind: PartKind,
    pub(crate) hash: Hash,
    /// Bytes, as the tree says.
    pub(crate) size: u64,
}

/// What a part will be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum PartKind {
    File,
    Symlink,
}

impl Assembly {
    /// Nothing yet.
    pub(crate) fn new() -> Self {
        Self {
            trees: HashMap::new(),
        }
    }

    /// Takes the text of a tree and returns which further trees it needs.
    pub(crate) fn add_tree(&mut self, hash: Hash, text: &[u8]) -> Result<Vec<Hash>, ImportError> {
        let entries = tree_text::parse(hash, text)?;
        let known: usize = self.trees.values().map(Vec::len).sum();
        if known + entries.len() > INODES_MAX {
            return Err(ImportError::TooLarge {
                what: "entries",
                limit: INODES_MAX,
            });
        }
        let further = entries
            .iter()
            .filter(|entry| entry.kind == EntryKind::Tree)
            .map(|entry| entry.hash)
            .collect();
        self.trees.insert(hash, entries);
        Ok(further)
    }

    /// Whether the text of a tree is there.
    pub(crate) fn has(&self, hash: &Hash) -> bool {
        self.trees.contains_key(hash)
    }

    /// The contents of files and links that all trees together need, each once.
    pub(crate) fn parts(&self) -> Vec<Part> {
        let mut parts: Vec<Part> = self
            .trees
            .values()
            .flatten()
            .filter_map(|entry| {
                let kind = match entry.kind {
                    EntryKind::File if entry.size > 0 => PartKind::File,
                    EntryKind::Symlink => PartKind::Symlink,
                    EntryKind::File | EntryKind::Tree => return None,
                };
                Some(Part {
                    kind,
                    hash: entry.hash,
                    size: entry.size,
                })
            })
            .collect();
        parts.sort_unstable_by_key(|part| (part.kind == PartKind::File, part.hash, part.size));
        parts.dedup();
        parts
    }

    /// The tree of the image. Inodes are numbered in the order of the walk, the root has number 0 and is in the table, as
    /// existing importers have it.
    pub(crate) fn build(
        &self,
        root: Hash,
        targets: &HashMap<Hash, BString>,
        now: Time,
    ) -> Result<FileSystem, ImportError> {
        let root_directory = DirectoryInode {
            mode: mode::DIRECTORY | 0o755,
            ..DirectoryInode::default()
        };
        // Inodes in the order of their numbers; directories get their entries as the walk goes on.
        let mut inodes: Vec<Inode> = vec![Inode::Directory(root_directory)];
        let mut open: Vec<Level<'_>> = vec![Level {
            inode: 0,
            entries: self.entries(&root),
        }];
        while let Some(level) = open.last_mut() {
            let Some((entry, rest)) = level.entries.split_first() else {
                open.pop();
                continue;
            };
            level.entries = rest;
            let parent = level.inode;
            let number = inodes.len();
            if number >= INODES_MAX {
                return Err(ImportError::TooLarge {
                    what: "inodes",
                    limit: INODES_MAX,
                });
            }
            inodes.push(inode(entry, targets, now));
            if let Some(Inode::Directory(directory)) = inodes.get_mut(parent) {
                let inode_number = number as u64;
                directory.entry_list.push(DirectoryEntry {
                    name: entry.name.clone(),
                    inode_number,
                });
            }
            if entry.kind == EntryKind::Tree {
                if open.len() >= DEPTH_MAX {
                    return Err(ImportError::TooLarge {
                        what: "levels",
                        limit: DEPTH_MAX,
                    });
                }
                open.push(Level {
                    inode: number,
                    entries: self.entries(&entry.hash),
                });
            }
        }
        Ok(finished(inodes))
    }

    fn entries(&self, tree: &Hash) -> &[Entry] {
        self.trees.get(tree).map_or(&[], Vec::as_slice)
    }
}

/// A directory whose entries are being walked.
struct Level<'a> {
    inode: usize,
    entries: &'a [Entry],
}

fn inode(entry: &Entry, targets: &HashMap<Hash, BString>, now: Time) -> Inode {
    let (uid, gid) = (entry.uid, entry.gid);
    match entry.kind {
        EntryKind::File => Inode::Regular(RegularInode {
            mode: mode::REGULAR | entry.permissions,
            uid,
            gid,
            // Below 10^9, which fits.
            mtime_nano_seconds: now.nanoseconds() as i32,
            mtime_seconds: now.unix_seconds(),
            size: entry.size,
            hash: if entry.size > 0 { entry.hash } else { Hash::ZERO },
        }),
        EntryKind::Symlink => {
            let symlink = targets.get(&entry.hash).cloned().unwrap_or_default();
            Inode::Symlink(SymlinkInode { uid, gid, symlink })
        }
        EntryKind::Tree => Inode::Directory(DirectoryInode {
            mode: mode::DIRECTORY | entry.permissions,
            uid,
            gid,
            entry_list: Vec::new(),
        }),
    }
}

fn finished(inodes: Vec<Inode>) -> FileSystem {
    let directory_inode = match inodes.first() {
        Some(Inode::Directory(root)) => root.clone(),
        _ => DirectoryInode::default(),
    };
    let table: Vec<(u64, Inode)> = (0..).zip(inodes).collect();
    let mut tree = FileSystem {
        inode_table: InodeTable::from(table),
        directory_inode,
        ..FileSystem::default()
    };
    tree.recount();
    // The root is counted by `recount` and is in the table as well.
    tree.directory_count = tree.directory_count.saturating_sub(1);
    tree
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn line(name: &str, kind: u8, size: usize, hash: Hash) -> String {
        format!("{name}/{kind}/493/0/0/{size}/{hash}\n")
    }

    #[test]
    fn a_tree_used_twice_is_two_directories() {
        let (file, link, sub, root) = (
            hash::of(b"file"),
            hash::of(b"../x"),
            hash::of(b"sub"),
            hash::of(b"root"),
        );
        let mut assembly = Assembly::new();
        let text = line("a", 1, 0, sub) + &line("b", 1, 0, sub) + &line("l", 2, 4, link);
        assert_eq!(assembly.add_tree(root, text.as_bytes()).unwrap(), [sub, sub]);
        assembly.add_tree(sub, line("f", 0, 4, file).as_bytes()).unwrap();
        assert_eq!(assembly.parts().len(), 2);
        let targets = HashMap::from([(link, BString::from("../x"))]);
        let tree = assembly.build(root, &targets, Time::now()).unwrap();
        assert_eq!(
            (
                tree.num_regular_inodes,
                tree.total_data_bytes,
                tree.directory_count
            ),
            (2, 8, 3)
        );
        assert_eq!(tree.directory_inode.entry_list.len(), 3);
        assert_eq!(
            tree.inode_table.get(5),
            Some(&Inode::Symlink(SymlinkInode {
                uid: 0,
                gid: 0,
                symlink: "../x".into()
            }))
        );
    }

    #[test]
    fn a_tree_inside_itself_ends_at_the_depth_bound() {
        let root = hash::of(b"root");
        let mut assembly = Assembly::new();
        assembly.add_tree(root, line("a", 1, 0, root).as_bytes()).unwrap();
        assert!(matches!(
            assembly.build(root, &HashMap::new(), Time::now()),
            Err(ImportError::TooLarge { what: "levels", .. })
        ));
    }
}
