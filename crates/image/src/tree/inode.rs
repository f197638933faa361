//! The five kinds of inodes and the entries of directories.

use bstr::BString;
use hash::Hash;

use crate::record;

record! {
    /// A regular file.
    pub struct RegularInode {
        /// Raw `st_mode` with the type bits.
        pub mode: u32,
        /// Owner.
        pub uid: u32,
        /// Group.
        pub gid: u32,
        /// Nanoseconds of the modification time.
        pub mtime_nano_seconds: i32,
        /// Seconds of the modification time since 1970.
        pub mtime_seconds: i64,
        /// Bytes.
        pub size: u64,
        /// Name of the content; zero for an empty file, which has no object.
        pub hash: Hash,
    }

    /// A regular file whose content is computed per machine.
    pub struct ComputedRegularInode {
        /// Raw `st_mode` with the type bits.
        pub mode: u32,
        /// Owner.
        pub uid: u32,
        /// Group.
        pub gid: u32,
        /// `HOST:PORT` of the file generator.
        pub source: String,
    }

    /// A symbolic link.
    pub struct SymlinkInode {
        /// Owner.
        pub uid: u32,
        /// Group.
        pub gid: u32,
        /// Target; any bytes.
        pub symlink: BString,
    }

    /// A device, a named pipe, or whatever else is no file, link or directory.
    pub struct SpecialInode {
        /// Raw `st_mode` with the type bits.
        pub mode: u32,
        /// Owner.
        pub uid: u32,
        /// Group.
        pub gid: u32,
        /// Nanoseconds of the modification time.
        pub mtime_nano_seconds: i32,
        /// Seconds of the modification time since 1970.
        pub mtime_seconds: i64,
        /// Raw `st_rdev`.
        pub rdev: u64,
    }

    /// One name in a directory.
    pub struct DirectoryEntry {
        /// Name; any bytes but `/` and NUL.
        pub name: BString,
        /// Number of the inode in the table.
        pub inode_number: u64,
    }
}

/// A directory.
///
/// The wire also knows a field `EntriesByName`, a cache that is ignored when it comes and never sent.
#[derive(Clone, Debug, Default, PartialEq, Eq, gob::Gob)]
pub struct DirectoryInode {
    /// The entries in listing order; producers sort them by bytes.
    pub entry_list: Vec<DirectoryEntry>,
    /// Raw `st_mode` with the type bits.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
}

/// An inode of any kind. The names are those registered on the wire (gob.md §5.1).
#[derive(Clone, Debug, PartialEq, Eq, gob::Gob)]
#[gob(interface)]
pub enum Inode {
    /// A regular file.
    #[gob(name = "*filesystem.RegularInode")]
    Regular(RegularInode),
    /// A file computed per machine.
    #[gob(name = "*filesystem.ComputedRegularInode")]
    ComputedRegular(ComputedRegularInode),
    /// A symbolic link.
    #[gob(name = "*filesystem.SymlinkInode")]
    Symlink(SymlinkInode),
    /// A device or a named pipe.
    #[gob(name = "*filesystem.SpecialInode")]
    Special(SpecialInode),
    /// A directory.
    #[gob(name = "*filesystem.DirectoryInode")]
    Directory(DirectoryInode),
}

/// A borrowed inode of any kind; unlike [`Inode`] it can stand for the root directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InodeRef<'a> {
    /// A regular file.
    Regular(&'a RegularInode),
    /// A file computed per machine.
    ComputedRegular(&'a ComputedRegularInode),
    /// A symbolic link.
    Symlink(&'a SymlinkInode),
    /// A device or a named pipe.
    Special(&'a SpecialInode),
    /// A directory.
    Directory(&'a DirectoryInode),
}

impl<'a> InodeRef<'a> {
    /// Raw `st_mode` with the type bits; a symbolic link's is always `0120777`.
    pub fn mode(self) -> u32 {
        match self {
            Self::Regular(inode) => inode.mode,
            Self::ComputedRegular(inode) => inode.mode,
            Self::Symlink(_) => mode::SYMLINK | 0o777,
            Self::Special(inode) => inode.mode,
            Self::Directory(inode) => inode.mode,
        }
    }

    /// User and group that own it.
    pub fn owner(self) -> (u32, u32) {
        match self {
            Self::Regular(inode) => (inode.uid, inode.gid),
            Self::ComputedRegular(inode) => (inode.uid, inode.gid),
            Self::Symlink(inode) => (inode.uid, inode.gid),
            Self::Special(inode) => (inode.uid, inode.gid),
            Self::Directory(inode) => (inode.uid, inode.gid),
        }
    }

    /// Modification time in seconds since 1970 and nanoseconds, for the kinds that have one.
    pub fn mtime(self) -> Option<(i64, i32)> {
        match self {
            Self::Regular(inode) => Some((inode.mtime_seconds, inode.mtime_nano_seconds)),
            Self::Special(inode) => Some((inode.mtime_seconds, inode.mtime_nano_seconds)),
            _ => None,
        }
    }

    /// Name of the type as the originals' error texts have it.
    pub fn type_name(self) -> &'static str {
        match self {
            Self::Regular(_) => "*filesystem.RegularInode",
            Self::ComputedRegular(_) => "*filesystem.ComputedRegularInode",
            Self::Symlink(_) => "*filesystem.SymlinkInode",
            Self::Special(_) => "*filesystem.SpecialInode",
            Self::Directory(_) => "*filesystem.DirectoryInode",
        }
    }

    /// The directory, if it is one.
    pub fn as_directory(self) -> Option<&'a DirectoryInode> {
        match self {
            Self::Directory(inode) => Some(inode),
            _ => None,
        }
    }
}

impl Inode {
    /// A view that can also stand for a root directory.
    pub fn as_ref(&self) -> InodeRef<'_> {
        match self {
            Self::Regular(inode) => InodeRef::Regular(inode),
            Self::ComputedRegular(inode) => InodeRef::ComputedRegular(inode),
            Self::Symlink(inode) => InodeRef::Symlink(inode),
            Self::Special(inode) => InodeRef::Special(inode),
            Self::Directory(inode) => InodeRef::Directory(inode),
        }
    }

    /// Raw `st_mode` with the type bits; a symbolic link's is always `0120777`.
    pub fn mode(&self) -> u32 {
        self.as_ref().mode()
    }

    /// Owner.
    pub fn uid(&self) -> u32 {
        self.as_ref().owner().0
    }

    /// Group.
    pub fn gid(&self) -> u32 {
        self.as_ref().owner().1
    }

    /// Name of the type as the originals' error texts have it.
    pub fn type_name(&self) -> &'static str {
        self.as_ref().type_name()
    }

    /// The directory, if it is one.
    pub fn as_directory(&self) -> Option<&DirectoryInode> {
        self.as_ref().as_directory()
    }

    /// The regular file, if it is one.
    pub fn as_regular(&self) -> Option<&RegularInode> {
        match self {
            Self::Regular(inode) => Some(inode),
            _ => None,
        }
    }
}

/// Type bits of `st_mode`, the same on every Linux.
pub mod mode {
    /// Mask of the type bits.
    pub const TYPE: u32 = 0o170_000;
    /// Named pipe.
    pub const FIFO: u32 = 0o010_000;
    /// Character device.
    pub const CHARACTER_DEVICE: u32 = 0o020_000;
    /// Directory.
    pub const DIRECTORY: u32 = 0o040_000;
    /// Block device.
    pub const BLOCK_DEVICE: u32 = 0o060_000;
    /// Regular file.
    pub const REGULAR: u32 = 0o100_000;
    /// Symbolic link.
    pub const SYMLINK: u32 = 0o120_000;
    /// Socket.
    pub const SOCKET: u32 = 0o140_000;
}
