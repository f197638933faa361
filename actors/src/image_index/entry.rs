//! What is kept in memory of each image and directory.
//!
//! Figures for an image of 5,300 objects and 300 packages that has most of both in common with others: about 1 KiB of
//! runs of object ids, 2.4 KiB of packages, 1 KiB for the rest. One that has nothing in common takes 24 KiB and 30 KiB
//! instead. With its tree it would take 2 MB.

use super::object_list::{ObjectList, Runs};
use super::packages::{PackageList, Packages};
use super::{IndexError, Shared};
use crate::object_store::ObjectId;
use gob::Time;
use hash::Hash;
use image::{ComputedFile, FileSystem, Image, Inode};
use std::sync::Arc;
use storage::Stamp;

/// An image without its tree.
#[derive(Debug, Clone)]
pub struct ImageEntry {
    /// Name.
    pub name: Arc<str>,
    /// Everything but the tree and the packages: `file_system` is `None`, `packages` is empty. Of an image that could
    /// not be decoded, nothing. See [`whole_metadata`](Self::whole_metadata).
    pub metadata: Arc<Image>,
    /// Its packages.
    pub packages: PackageList,
    /// SHA-512 of the image file without its trailer; not the same on other servers (`imageserver.md §6.2`).
    pub checksum: Hash,
    /// Regular inodes, as the producer of the image counted them.
    pub num_regular_inodes: u64,
    /// Sum of the sizes of regular inodes in bytes, as the producer counted them.
    pub total_data_bytes: u64,
    /// Bytes the image would take on a file system (`imageserver.md §2.5`).
    pub usage_estimate: u64,
    /// Files whose content a generator supplies, in the order of the tree.
    pub computed_files: Vec<ComputedFile>,
    /// References to objects.
    pub objects: ObjectList,
    /// Inodes by kind, counted here.
    pub inodes: InodeCounts,
    /// Whether it can be used.
    pub state: EntryState,
    /// The image file as it was read or written.
    pub(crate) stamp: Stamp,
    /// The file cannot have changed since without another stamp: it was not just being written by somebody else when it
    /// was read. Else a later start must not take the stamp's word.
    pub(crate) settled: bool,
    /// More about what is wrong; only of one that is quarantined.
    pub(super) quarantine: Option<Box<Quarantine>>,
}

/// Whether an entry can be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EntryState {
    /// It can.
    Present,
    /// It cannot, for this reason. It keeps its name.
    Quarantined(String),
}

/// What entries have in common.
#[derive(Default)]
pub(crate) struct Pools {
    pub(crate) runs: Runs,
    pub(crate) packages: Packages,
}

/// Cause of quarantine.
pub(super) const FILE_IS_GONE: &str = "its file is gone";

/// What is known about a quarantined image beside the cause.
#[derive(Debug, Clone)]
pub(super) struct Quarantine {
    since: Time,
    /// Objects it needs that are not there.
    missing: Vec<Hash>,
}

/// Of a file that is not there: differs from every other.
const NO_STAMP: Stamp = Stamp {
    size: 0,
    ctime_ns: 0,
    inode: 0,
};

/// Inodes of a tree by kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct InodeCounts {
    /// Regular files.
    pub regular: u64,
    /// Their bytes.
    pub regular_bytes: u64,
    /// Files computed per machine.
    pub computed: u64,
    /// Symbolic links.
    pub symlinks: u64,
    /// Devices, pipes and the like.
    pub special: u64,
    /// Directories without the root.
    pub directories: u64,
}

/// A directory of images.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirectoryEntry {
    /// Name; the root is `.`.
    pub name: Arc<str>,
    /// Group whose members may add and delete images here; empty for none.
    pub owner_group: Arc<str>,
    /// Whether its metadata could be read. If not it belongs to no group; changing the owner repairs it.
    pub state: EntryState,
}

impl ImageEntry {
    /// An entry for an image that was decoded or written, and the objects are had for. Takes the tree out of the image.
    pub(super) fn new(
        shared: &Shared,
        name: &str,
        mut image: Image,
        checksum: Hash,
        stamp: Stamp,
        ids: &[ObjectId],
    ) -> ImageEntry {
        let tree = image.file_system.take().unwrap_or_default();
        let packages = shared.pools.packages.list(std::mem::take(&mut image.packages));
        let annotations = image::objects::of_annotations(&image).count();
        let of_tree = ids.len().saturating_sub(annotations);
        let table = shared.objects.table.clone();
        ImageEntry {
            name: name.into(),
            packages,
            checksum,
            num_regular_inodes: tree.num_regular_inodes,
            total_data_bytes: tree.total_data_bytes,
            usage_estimate: image::usage::estimate(&tree),
            computed_files: image::computed_files::list(&tree),
            objects: shared.pools.runs.list(ids, of_tree, table),
            inodes: InodeCounts::of(&tree),
            state: EntryState::Present,
            stamp,
            settled: true,
            quarantine: None,
            metadata: Arc::new(image),
        }
    }

    /// An entry for an image nothing is known of but its name.
    pub(super) fn unknown(shared: &Shared, name: &str, cause: String, stamp: Stamp) -> ImageEntry {
        let unknown = ImageEntry::new(shared, name, Image::default(), Hash::ZERO, stamp, &[]);
        unknown.quarantined(cause, Vec::new(), shared.clock.now())
    }

    /// Everything but the tree, as it travels.
    pub fn whole_metadata(&self) -> Image {
        Image {
            packages: self.packages.iter().cloned().collect(),
            ..Image::clone(&self.metadata)
        }
    }

    /// The same entry, which cannot be used. One that could not be used before stays quarantined since then.
    pub(crate) fn quarantined(mut self, cause: String, missing: Vec<Hash>, now: Time) -> ImageEntry {
        let since = self.quarantine.map_or(now, |quarantine| quarantine.since);
        self.state = EntryState::Quarantined(cause);
        self.quarantine = Some(Box::new(Quarantine { since, missing }));
        self
    }

    /// The same entry after its file has vanished, or was emptied, without anybody having asked for that. It keeps its name
    /// and its objects, so that restoring the file brings the image back.
    pub(crate) fn lost(&self, cause: &str, now: Time) -> ImageEntry {
        let mut entry = self.clone().quarantined(cause.to_owned(), Vec::new(), now);
        entry.stamp = NO_STAMP;
        entry
    }

    /// The same entry after its file has become one of which nothing can be read: `read` is what that gave.
    pub(super) fn damaged(&self, read: &ImageEntry, now: Time) -> ImageEntry {
        let cause = match &read.state {
            EntryState::Present => String::new(),
            EntryState::Quarantined(cause) => cause.clone(),
        };
        let mut entry = self.clone().quarantined(cause, Vec::new(), now);
        entry.stamp = read.stamp;
        entry
    }

    /// Takes over since when the entry it replaces is quarantined, if both are.
    pub(super) fn keep_since(&mut self, replaced: &ImageEntry) {
        if let (Some(new), Some(old)) = (&mut self.quarantine, &replaced.quarantine) {
            new.since = old.since;
        }
    }

    /// Since when this process knows that the image cannot be used; zero if it can.
    pub fn quarantined_since(&self) -> Time {
        self.quarantine
            .as_ref()
            .map_or(Time::ZERO, |quarantine| quarantine.since)
    }

    /// Objects that a quarantined image needs and that were not there when it was last looked at.
    pub fn missing_objects(&self) -> &[Hash] {
        self.quarantine
            .as_ref()
            .map_or(&[], |quarantine| &quarantine.missing)
    }

    /// An error with the cause and what to do if the image is quarantined.
    pub fn usable(&self) -> Result<(), IndexError> {
        match &self.state {
            EntryState::Present => Ok(()),
            EntryState::Quarantined(cause) => Err(IndexError::Quarantined {
                name: self.name.to_string(),
                cause: cause.clone(),
                remedy: self.remedy(),
            }),
        }
    }

    /// Nothing is known of its objects.
    pub(crate) fn is_unknown(&self) -> bool {
        self.state != EntryState::Present && self.checksum.is_zero()
    }

    /// Zero if it does not expire.
    pub(crate) fn expires_at(&self) -> Time {
        self.metadata.expires_at
    }
}

impl InodeCounts {
    pub(super) fn of(tree: &FileSystem) -> InodeCounts {
        let mut counts = InodeCounts::default();
        for (_, inode) in tree.inode_table.iter() {
            match inode {
                Inode::Regular(file) => {
                    counts.regular += 1;
                    counts.regular_bytes = counts.regular_bytes.saturating_add(file.size);
                }
                Inode::ComputedRegular(_) => counts.computed += 1,
                Inode::Symlink(_) => counts.symlinks += 1,
                Inode::Special(_) => counts.special += 1,
                Inode::Directory(_) => counts.directories += 1,
            }
        }
        counts
    }
}

impl DirectoryEntry {
    pub(crate) fn new(name: &str, owner_group: &str) -> DirectoryEntry {
        DirectoryEntry {
            name: name.into(),
            owner_group: owner_group.into(),
            state: EntryState::Present,
        }
    }

    /// As it travels.
    pub fn to_directory(&self) -> image::Directory {
        image::Directory {
            name: self.name.to_string(),
            metadata: image::DirectoryMetadata {
                owner_group: self.owner_group.to_string(),
            },
        }
    }
}
