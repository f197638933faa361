//! A store as it lies on disk, made without any server, so that both sides get the same.

use super::scratch::{Home, Scratch};
use super::stage::check_tree;
use super::variants;
use anyhow::Context;
use hash::Hash;
use image::{FileSystem, Inode};
use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use tree_io::{Body, FoundObject, ObjectSink, ScanOptions};

/// The image of the tree as it is.
pub(crate) const BASE: &str = "bench/base";
/// The same with some files changed.
pub(crate) const OTHER: &str = "bench/other";
/// Files that differ between the two.
const OTHER_CHANGES: usize = 100;

/// The tree, and its objects in a directory of their own.
pub(crate) struct Stock {
    pub(crate) tree: FileSystem,
    /// Names and sizes in bytes.
    pub(crate) objects: Vec<(Hash, u64)>,
    directory: PathBuf,
}

impl Stock {
    /// Scans the tree and keeps its objects.
    pub(crate) fn make(tree: &Path, scratch: &Scratch) -> anyhow::Result<Self> {
        check_tree(tree)?;
        let directory = scratch.path().join("stock");
        let sink = Keeper {
            directory: directory.clone(),
            sizes: Mutex::default(),
        };
        let (tree, _) = tree_io::scan(tree, &ScanOptions::default(), &sink)?;
        let sizes = sink.sizes.into_inner().context("a scanning thread died")?;
        Ok(Self {
            tree,
            objects: sizes.into_iter().collect(),
            directory,
        })
    }

    /// Entries of the tree.
    pub(crate) fn entries(&self) -> usize {
        self.tree.inode_table.len()
    }

    /// Bytes of its objects.
    pub(crate) fn bytes(&self) -> u64 {
        self.objects.iter().map(|(_, size)| size).sum()
    }

    /// A store with all objects and no image. The objects are links: every store has them in the page cache, or none.
    pub(crate) fn home_without_images(&self, scratch: &Scratch, name: &str) -> anyhow::Result<Home> {
        let home = scratch.fresh_home(name)?;
        for (hash, _) in &self.objects {
            let (from, to) = (place(&self.directory, hash), place(&home.objects, hash));
            make_parent(&to)?;
            std::fs::hard_link(&from, &to).with_context(|| to.display().to_string())?;
        }
        scratch.hand_over(&home.objects)?;
        Ok(home)
    }

    /// A store with both images.
    pub(crate) fn home(&self, scratch: &Scratch, name: &str) -> anyhow::Result<Home> {
        let home = self.home_without_images(scratch, name)?;
        variants::write_image(&home.images.join(BASE), self.tree.clone())?;
        let mut other = self.tree.clone();
        for data in variants::change(&mut other, OTHER, OTHER_CHANGES) {
            keep(&home.objects, &hash::of(&data), &data)?;
        }
        variants::write_image(&home.images.join(OTHER), other)?;
        scratch.hand_over(&home.images)?;
        scratch.hand_over(&home.objects)?;
        Ok(home)
    }

    /// Regular files that have content, by number.
    pub(crate) fn files(tree: &FileSystem) -> Vec<u64> {
        let inodes = tree.inode_table.iter();
        inodes
            .filter(|(_, inode)| matches!(inode, Inode::Regular(file) if file.size > 0))
            .map(|(number, _)| number)
            .collect()
    }
}

/// Writes an object at its place, unless it is there.
pub(crate) fn keep(objects: &Path, hash: &Hash, data: &[u8]) -> anyhow::Result<()> {
    let path = place(objects, hash);
    make_parent(&path)?;
    std::fs::write(&path, data).with_context(|| path.display().to_string())
}

/// `aa/bb/REST` (imageserver.md §6.4).
pub(crate) fn place(objects: &Path, hash: &Hash) -> PathBuf {
    let hex = hash.to_string();
    let (first, rest) = hex.split_at(2);
    let (second, rest) = rest.split_at(2);
    objects.join(first).join(second).join(rest)
}

fn make_parent(path: &Path) -> anyhow::Result<()> {
    let parent = path.parent().context("a path without a directory")?;
    std::fs::create_dir_all(parent).with_context(|| parent.display().to_string())
}

/// Keeps what a scan finds.
struct Keeper {
    directory: PathBuf,
    sizes: Mutex<BTreeMap<Hash, u64>>,
}

impl ObjectSink for Keeper {
    fn put(&self, object: FoundObject) -> Result<(), tree_io::error::BoxError> {
        let data = match object.body {
            Body::Bytes(data) => data,
            Body::File(file) => {
                let mut data = Vec::new();
                file.open()?.read_to_end(&mut data)?;
                data
            }
        };
        keep(&self.directory, &object.hash, &data)?;
        let mut sizes = self.sizes.lock().map_err(|_| "another thread died")?;
        sizes.insert(object.hash, object.size);
        Ok(())
    }
}
