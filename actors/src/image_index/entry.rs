//! What is kept in memory of each image and directory.
//!
//! Figures for an image of 5,300 objects without packages: 21 KiB of object ids and less than 1 KiB for the rest; each
//! package adds about 100 bytes. 1,000 such images with 300 packages each take some 50 MB; with their trees they would
//! take 2 GB.

use super::IndexError;
use crate::object_store::{ObjectId, Table};
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
    /// Everything but the tree: `file_system` is `None`. Of an image that could not be decoded, nothing.
    pub metadata: Arc<Image>,
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
}

/// Whether an entry can be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EntryState {
    /// It can.
    Present,
    /// It cannot, for this reason. It keeps its name.
    Quarantined(String),
}

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

/// References of an image to objects, 4 bytes each, one per occurrence: those of the tree, then release notes and build
/// log.
#[derive(Clone)]
pub struct ObjectList {
    pub(crate) ids: Arc<[ObjectId]>,
    table: Arc<Table>,
    /// References of the tree; the others come after.
    of_tree: usize,
}

/// One reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImageObject {
    /// The same for the same object, within this process.
    pub key: u32,
    /// Name.
    pub hash: Hash,
    /// Bytes.
    pub size: u64,
}

impl ObjectList {
    pub(crate) fn new(ids: Arc<[ObjectId]>, table: Arc<Table>, of_tree: usize) -> ObjectList {
        ObjectList { ids, table, of_tree }
    }

    /// References, those of release notes and build log included.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// All of them. Right as long as the image exists; of an entry kept beyond that, objects may be absent or others.
    pub fn iter(&self) -> impl Iterator<Item = ImageObject> {
        self.resolve(&self.ids)
    }

    /// Those of the tree: one per regular inode that is not empty.
    pub fn of_tree(&self) -> impl Iterator<Item = ImageObject> {
        self.resolve(self.ids.get(..self.of_tree).unwrap_or(&self.ids))
    }

    fn resolve<'a>(&'a self, ids: &'a [ObjectId]) -> impl Iterator<Item = ImageObject> + 'a {
        ids.iter().filter_map(|id| {
            let (hash, size) = self.table.resolve(*id)?;
            Some(ImageObject {
                key: id.number(),
                hash,
                size,
            })
        })
    }
}

impl std::fmt::Debug for ObjectList {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} objects", self.ids.len())
    }
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
    /// An entry for an image that was decoded, and the objects are had for. Takes the tree out of the image.
    pub(crate) fn new(
        name: &str,
        mut image: Image,
        checksum: Hash,
        stamp: Stamp,
        ids: Arc<[ObjectId]>,
        table: Arc<Table>,
    ) -> ImageEntry {
        let tree = image.file_system.take().unwrap_or_default();
        let annotations = image::objects::of_annotations(&image).count();
        let of_tree = ids.len().saturating_sub(annotations);
        image.packages.shrink_to_fit();
        ImageEntry {
            name: name.into(),
            checksum,
            num_regular_inodes: tree.num_regular_inodes,
            total_data_bytes: tree.total_data_bytes,
            usage_estimate: image::usage::estimate(&tree),
            computed_files: image::computed_files::list(&tree),
            objects: ObjectList::new(ids, table, of_tree),
            inodes: InodeCounts::of(&tree),
            state: EntryState::Present,
            stamp,
            metadata: Arc::new(image),
        }
    }

    /// An entry for an image nothing is known of but its name.
    pub(crate) fn unknown(name: &str, cause: String, stamp: Stamp, table: Arc<Table>) -> ImageEntry {
        let unknown = Image::default();
        let mut entry = ImageEntry::new(name, unknown, Hash::ZERO, stamp, Arc::new([]), table);
        entry.state = EntryState::Quarantined(cause);
        entry
    }

    /// The same entry after its file has vanished without a tombstone. It keeps its name and its objects, so that restoring
    /// the file brings the image back.
    pub(crate) fn lost(&self) -> ImageEntry {
        let mut entry = self.clone();
        entry.state = EntryState::Quarantined("its file is gone".to_owned());
        entry
    }

    /// An error with the cause and what to do if the image is quarantined.
    pub fn usable(&self) -> Result<(), IndexError> {
        match &self.state {
            EntryState::Present => Ok(()),
            EntryState::Quarantined(cause) => Err(IndexError::Quarantined {
                name: self.name.to_string(),
                cause: cause.clone(),
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
    fn of(tree: &FileSystem) -> InodeCounts {
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
