//! What is to be made, worked out before anything is.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use bstr::BString;
use hash::Hash;
use image::{DirectoryInode, FileSystem, Inode, RegularInode};

use super::STAGING;
use crate::error::Error;

/// Block size assumed for the estimate of space.
const BLOCK_BYTES: u64 = 4096;

/// Space assumed for a symbolic link.
const SYMLINK_BYTES: u64 = 64;

/// The tree in the order it is made.
pub(super) struct Plan<'a> {
    /// Every directory with its path, parents first; the root is the first.
    pub(super) directories: Vec<(BString, &'a DirectoryInode)>,
    /// How many names each inode that is no directory has.
    pub(super) links: HashMap<u64, u64>,
    /// The first name of each of them.
    pub(super) first_names: HashMap<u64, BString>,
    /// Inodes without content: links, devices, empty and computed files.
    pub(super) plain: Vec<(u64, &'a Inode)>,
    /// Objects in the order of first use.
    pub(super) objects: Vec<PlannedObject<'a>>,
    /// Estimated space in bytes.
    pub(super) usage: u64,
    tree: &'a FileSystem,
}

/// An object and the inodes that have it as content, at least one.
pub(super) struct PlannedObject<'a> {
    pub(super) hash: Hash,
    pub(super) size: u64,
    pub(super) inodes: Vec<(u64, &'a RegularInode)>,
}

impl<'a> Plan<'a> {
    pub(super) fn new(tree: &'a FileSystem) -> Result<Plan<'a>, Error> {
        tree.check().map_err(|e| Error::Tree(Box::new(e)))?;
        let mut plan = Plan {
            directories: Vec::new(),
            links: HashMap::new(),
            first_names: HashMap::new(),
            plain: Vec::new(),
            objects: Vec::new(),
            usage: 0,
            tree,
        };
        let mut positions = HashMap::new();
        let mut pending = vec![(BString::from("/"), &tree.directory_inode)];
        while let Some((path, directory)) = pending.pop() {
            for entry in &directory.entry_list {
                let inode = plan.inode(entry.inode_number, &path)?;
                let mut child = path.clone();
                if !child.ends_with(b"/") {
                    child.push(b'/');
                }
                child.extend_from_slice(&entry.name);
                if child == format!("/{STAGING}").as_str() {
                    return Err(Error::StagingInImage);
                }
                check_owner(inode, &child)?;
                match inode {
                    Inode::Directory(directory) => {
                        plan.usage += BLOCK_BYTES;
                        pending.push((child, directory));
                    }
                    _ => {
                        let links = plan.links.entry(entry.inode_number).or_default();
                        *links += 1;
                        if *links == 1 {
                            plan.add(entry.inode_number, inode, &child, &mut positions)?;
                            plan.first_names.insert(entry.inode_number, child);
                        }
                    }
                }
            }
            plan.directories.push((path, directory));
        }
        Ok(plan)
    }

    /// Paths directly below the root that are no directories.
    pub(super) fn top_level_files(&self) -> impl Iterator<Item = BString> {
        self.directories
            .first()
            .into_iter()
            .flat_map(|(_, top)| &top.entry_list)
            .filter_map(|entry| {
                let name = || [b"/", entry.name.as_slice()].concat().into();
                self.links.contains_key(&entry.inode_number).then(name)
            })
    }

    /// Inodes were checked; a miss is answered all the same.
    pub(super) fn inode(&self, number: u64, path: &BString) -> Result<&'a Inode, Error> {
        let why = "an entry refers to an inode that does not exist";
        self.tree.inode_table.get(number).ok_or_else(|| Error::BadTree {
            path: path.clone(),
            why,
        })
    }

    fn add(
        &mut self,
        number: u64,
        inode: &'a Inode,
        path: &BString,
        positions: &mut HashMap<Hash, usize>,
    ) -> Result<(), Error> {
        match inode {
            Inode::Regular(regular) if regular.size > 0 => {
                self.usage = self
                    .usage
                    .saturating_add(regular.size.div_ceil(BLOCK_BYTES).saturating_mul(BLOCK_BYTES));
                match positions.entry(regular.hash) {
                    Entry::Vacant(vacant) => {
                        vacant.insert(self.objects.len());
                        let inodes = vec![(number, regular)];
                        self.objects.push(PlannedObject {
                            hash: regular.hash,
                            size: regular.size,
                            inodes,
                        });
                    }
                    Entry::Occupied(at) => {
                        let object = &mut self.objects[*at.get()];
                        if object.size != regular.size {
                            let why = "the same object has another size elsewhere in the tree";
                            return Err(Error::BadTree {
                                path: path.clone(),
                                why,
                            });
                        }
                        object.inodes.push((number, regular));
                    }
                }
            }
            Inode::Symlink(_) => {
                self.usage += SYMLINK_BYTES;
                self.plain.push((number, inode));
            }
            _ => self.plain.push((number, inode)),
        }
        Ok(())
    }
}

/// The kernel takes the largest number for "leave it as it is".
fn check_owner(inode: &Inode, path: &BString) -> Result<(), Error> {
    if inode.uid() == u32::MAX || inode.gid() == u32::MAX {
        return Err(Error::BadTree {
            path: path.clone(),
            why: "owner or group is not a valid number",
        });
    }
    Ok(())
}
