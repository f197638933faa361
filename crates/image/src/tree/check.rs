//! Validation of trees from peers.

use std::collections::HashSet;

use bstr::{BStr, BString};

use super::{DirectoryInode, FileSystem, Inode};

/// Directories on the way from the root to an entry, at most. Paths of that depth are as long as Linux takes.
pub const MAXIMUM_DEPTH: usize = 2048;

/// Bytes of a path from the root, at most: what Linux takes in one call, so that no tree that was scanned is refused.
pub const MAXIMUM_PATH_BYTES: usize = 4096;

/// What is wrong with a tree. Paths are given as text for people.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckError {
    /// A name that is empty, `.`, `..`, or has a slash or a NUL in it.
    #[error("bad name {name:?} in directory: {directory}")]
    BadName {
        /// The directory.
        directory: BString,
        /// The name.
        name: BString,
    },
    /// Two entries of one directory have the same name.
    #[error("name used twice: {0}")]
    DuplicateName(BString),
    /// An entry refers to an inode that is not in the table.
    #[error("inode {number} is not in the inode table: {path}")]
    MissingInode {
        /// The entry.
        path: BString,
        /// Its inode number.
        number: u64,
    },
    /// A directory has two names, or is inside itself.
    #[error("directory reached twice: {0}")]
    DirectoryTwice(BString),
    /// More directories inside each other than [`MAXIMUM_DEPTH`].
    #[error("more than {MAXIMUM_DEPTH} directories deep")]
    TooDeep,
    /// A path longer than [`MAXIMUM_PATH_BYTES`].
    #[error("path longer than {MAXIMUM_PATH_BYTES} bytes")]
    PathTooLong,
}

/// What a tree holds, counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Regular inodes.
    pub regular: u64,
    /// Computed regular inodes.
    pub computed: u64,
    /// Symbolic links.
    pub symlinks: u64,
    /// Devices, pipes and the like.
    pub special: u64,
    /// Directories, the root included.
    pub directories: u64,
    /// Directory entries.
    pub entries: u64,
    /// Bytes of the regular inodes; as much as fits.
    pub data_bytes: u64,
    /// Inodes of the table no entry refers to.
    pub unreferenced: u64,
}

/// A directory under examination.
struct Open<'a> {
    directory: &'a DirectoryInode,
    next: usize,
    path_bytes: usize,
}

impl FileSystem {
    /// Makes sure that the tree is a tree, and counts what it holds.
    ///
    /// Linear in the number of entries, without recursion. Inodes to which nothing refers are no error; counters sent
    /// along with the tree are not looked at.
    ///
    /// # Errors
    /// The first violation found.
    pub fn check(&self) -> Result<Counts, CheckError> {
        let mut counts = Counts {
            directories: 1,
            ..Counts::default()
        };
        let mut seen = vec![false; self.inode_table.len()];
        let mut path = Vec::new();
        check_names(&self.directory_inode, &path)?;
        let mut stack = vec![Open {
            directory: &self.directory_inode,
            next: 0,
            path_bytes: 0,
        }];
        while let Some(open) = stack.last_mut() {
            path.truncate(open.path_bytes);
            let Some(entry) = open.directory.entry_list.get(open.next) else {
                stack.pop();
                continue;
            };
            open.next += 1;
            counts.entries += 1;
            path.push(b'/');
            path.extend_from_slice(&entry.name);
            if path.len() > MAXIMUM_PATH_BYTES {
                return Err(CheckError::PathTooLong);
            }
            let position = self.inode_table.position_of(entry.inode_number);
            let inode =
                position.and_then(|position| Some((seen.get_mut(position)?, self.inode_table.at(position)?)));
            let Some((seen, inode)) = inode else {
                return Err(CheckError::MissingInode {
                    path: path.into(),
                    number: entry.inode_number,
                });
            };
            let first_visit = !std::mem::replace(seen, true);
            if first_visit {
                counts.add(inode);
            }
            if let Inode::Directory(directory) = inode {
                if !first_visit {
                    return Err(CheckError::DirectoryTwice(path.into()));
                }
                if stack.len() >= MAXIMUM_DEPTH {
                    return Err(CheckError::TooDeep);
                }
                check_names(directory, &path)?;
                stack.push(Open {
                    directory,
                    next: 0,
                    path_bytes: path.len(),
                });
            }
        }
        counts.unreferenced = seen.iter().filter(|&&seen| !seen).count() as u64;
        Ok(counts)
    }
}

impl Counts {
    fn add(&mut self, inode: &Inode) {
        match inode {
            Inode::Regular(inode) => {
                self.regular += 1;
                self.data_bytes = self.data_bytes.saturating_add(inode.size);
            }
            Inode::ComputedRegular(_) => self.computed += 1,
            Inode::Symlink(_) => self.symlinks += 1,
            Inode::Special(_) => self.special += 1,
            Inode::Directory(_) => self.directories += 1,
        }
    }
}

/// Names must be usable and distinct. Producers sort them, which spares the set.
fn check_names(directory: &DirectoryInode, path: &[u8]) -> Result<(), CheckError> {
    let entries = &directory.entry_list;
    for entry in entries {
        let name: &[u8] = &entry.name;
        if matches!(name, b"" | b"." | b"..") || name.iter().any(|byte| matches!(byte, b'/' | 0)) {
            let directory = if path.is_empty() { b"/" } else { path };
            return Err(CheckError::BadName {
                directory: directory.into(),
                name: entry.name.clone(),
            });
        }
    }
    if entries.is_sorted_by(|left, right| left.name < right.name) {
        return Ok(());
    }
    let mut names: HashSet<&BStr> = HashSet::with_capacity(entries.len());
    match entries.iter().find(|entry| !names.insert(entry.name.as_ref())) {
        Some(twice) => Err(CheckError::DuplicateName(
            [path, b"/", &twice.name].concat().into(),
        )),
        None => Ok(()),
    }
}
