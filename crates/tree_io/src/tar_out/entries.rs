//! All entries of a tree in listing order, without the root: depth first, in stored order.

use bstr::BString;
use image::{DirectoryEntry, FileSystem, Inode};

use crate::error::Error;

pub(super) struct Entries<'a> {
    tree: &'a FileSystem,
    open: Vec<(BString, std::slice::Iter<'a, DirectoryEntry>)>,
}

impl<'a> Entries<'a> {
    /// Validates the tree first, so that the walk ends.
    pub(super) fn new(tree: &'a FileSystem) -> Result<Entries<'a>, Error> {
        tree.check().map_err(|e| Error::Tree(Box::new(e)))?;
        Ok(Entries {
            tree,
            open: vec![(BString::default(), tree.directory_inode.entry_list.iter())],
        })
    }
}

impl<'a> Iterator for Entries<'a> {
    type Item = Result<(BString, u64, &'a Inode), Error>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let (directory, entries) = self.open.last_mut()?;
            let Some(entry) = entries.next() else {
                self.open.pop();
                continue;
            };
            let mut path = directory.clone();
            path.push(b'/');
            path.extend_from_slice(&entry.name);
            let Some(inode) = self.tree.inode_table.get(entry.inode_number) else {
                let why = "an entry refers to an inode that does not exist";
                return Some(Err(Error::BadTree { path, why }));
            };
            if let Inode::Directory(directory) = inode {
                self.open.push((path.clone(), directory.entry_list.iter()));
            }
            return Some(Ok((path, entry.inode_number, inode)));
        }
    }
}
