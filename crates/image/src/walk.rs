//! Walking a tree depth first, in stored order.

use std::collections::{HashMap, HashSet};

use bstr::{BStr, BString, ByteSlice};

use crate::{DirectoryInode, FileSystem, InodeRef};

/// One name of an inode met on a walk.
#[derive(Clone, Copy, Debug)]
pub struct Visit<'path, 'tree> {
    /// The path from the root, `/` for the root itself.
    pub path: &'path BStr,
    /// Length of the path of the directory it is in: the name is what follows and a slash.
    pub parent_len: usize,
    /// Number of the inode, `None` for the root, which has none.
    pub number: Option<u64>,
    /// The inode.
    pub inode: InodeRef<'tree>,
}

/// A walk in progress.
///
/// Linear in the number of entries, without recursion, and finite whatever the tree: a directory met for a second time
/// is visited but not entered, and entries without an inode are passed over. [`FileSystem::check`] is what refuses
/// such trees.
#[derive(Debug)]
pub struct Walk<'tree> {
    tree: &'tree FileSystem,
    stack: Vec<Level<'tree>>,
    path: Vec<u8>,
    entered: Vec<bool>,
    started: bool,
}

#[derive(Debug)]
struct Level<'tree> {
    directory: &'tree DirectoryInode,
    next: usize,
    path_len: usize,
}

impl<'tree> Walk<'tree> {
    /// A walk over the whole tree that begins with its root.
    pub fn new(tree: &'tree FileSystem) -> Self {
        Self {
            tree,
            stack: Vec::new(),
            path: Vec::new(),
            entered: vec![false; tree.inode_table.len()],
            started: false,
        }
    }

    /// The next name, or `None` at the end. Lends the path, so that a walk allocates next to nothing.
    pub fn next_visit(&mut self) -> Option<Visit<'_, 'tree>> {
        if !self.started {
            self.started = true;
            let directory = &self.tree.directory_inode;
            self.stack.push(Level {
                directory,
                next: 0,
                path_len: 0,
            });
            let inode = InodeRef::Directory(directory);
            return Some(Visit {
                path: b"/".as_bstr(),
                parent_len: 0,
                number: None,
                inode,
            });
        }
        loop {
            let level = self.stack.last_mut()?;
            let Some(entry) = level.directory.entry_list.get(level.next) else {
                self.stack.pop();
                continue;
            };
            level.next += 1;
            let parent_len = level.path_len;
            let Some(position) = self.tree.inode_table.position_of(entry.inode_number) else {
                continue;
            };
            let Some(inode) = self.tree.inode_table.at(position) else {
                continue;
            };
            self.path.truncate(parent_len);
            self.path.push(b'/');
            self.path.extend_from_slice(&entry.name);
            if let Some(directory) = inode.as_directory()
                && let Some(entered) = self.entered.get_mut(position)
                && !std::mem::replace(entered, true)
            {
                self.stack.push(Level {
                    directory,
                    next: 0,
                    path_len: self.path.len(),
                });
            }
            let number = Some(entry.inode_number);
            return Some(Visit {
                path: self.path.as_bstr(),
                parent_len,
                number,
                inode: inode.as_ref(),
            });
        }
    }

    /// Leaves out what is below the directory visited last. Without effect after anything else.
    pub fn skip_directory(&mut self) {
        if self
            .stack
            .last()
            .is_some_and(|level| level.next == 0 && level.path_len == self.path.len())
        {
            self.stack.pop();
        }
    }
}

impl<'tree> Iterator for Walk<'tree> {
    type Item = (BString, InodeRef<'tree>);

    /// The same with a path to keep.
    fn next(&mut self) -> Option<Self::Item> {
        let visit = self.next_visit()?;
        Some((visit.path.to_owned(), visit.inode))
    }
}

/// Number of directory entries of each inode.
#[derive(Clone, Debug, Default)]
pub struct LinkCounts {
    by_position: Vec<u32>,
}

impl LinkCounts {
    /// Counts the entries of all directories that can be reached.
    pub fn of(tree: &FileSystem) -> Self {
        let mut by_position = vec![0_u32; tree.inode_table.len()];
        let mut walk = Walk::new(tree);
        while let Some(visit) = walk.next_visit() {
            let position = visit
                .number
                .and_then(|number| tree.inode_table.position_of(number));
            if let Some(count) = position.and_then(|position| by_position.get_mut(position)) {
                *count = count.saturating_add(1);
            }
        }
        Self { by_position }
    }

    /// Entries of the inode with a number; 1 for the root, which has none.
    pub fn get(&self, tree: &FileSystem, number: Option<u64>) -> u32 {
        let Some(number) = number else { return 1 };
        let position = tree.inode_table.position_of(number);
        position
            .and_then(|position| self.by_position.get(position))
            .copied()
            .unwrap_or(0)
    }
}

impl FileSystem {
    /// The inode numbers of those of the given absolute paths that exist, by one walk. The root has no number and is
    /// never found (imageserver.md §3.14).
    pub fn find_all<'a>(&self, paths: impl IntoIterator<Item = &'a BStr>) -> HashMap<BString, u64> {
        let wanted: HashSet<&BStr> = paths.into_iter().collect();
        let mut found = HashMap::with_capacity(wanted.len().min(self.inode_table.len()));
        let mut walk = Walk::new(self);
        while let Some(visit) = walk.next_visit() {
            if let Some(number) = visit.number
                && wanted.contains(visit.path)
            {
                found.insert(visit.path.to_owned(), number);
            }
        }
        found
    }

    /// The inode at an absolute path: its number (`None` for the root) and itself. Symbolic links are not followed, and
    /// the path is taken as it is: no `..`, no doubled slashes.
    pub fn lookup(&self, path: &[u8]) -> Option<(Option<u64>, InodeRef<'_>)> {
        let mut at = (None, InodeRef::Directory(&self.directory_inode));
        if path == b"/" {
            return Some(at);
        }
        for name in path.strip_prefix(b"/")?.split(|&byte| byte == b'/') {
            let entry =
                at.1.as_directory()?
                    .entry_list
                    .iter()
                    .find(|entry| entry.name == name)?;
            at = (
                Some(entry.inode_number),
                self.inode_table.get(entry.inode_number)?.as_ref(),
            );
        }
        Some(at)
    }
}
