//! What a build did to a tree is undone.

use std::collections::{BTreeSet, HashSet};
use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use bstr::{BString, ByteSlice};
use image::walk::Walk;
use image::{DirectoryInode, FileSystem, Inode, InodeRef, RegularInode};
use rustix::fs::{FileType, IFlags, Mode, OFlags, ResolveFlags, Stat, openat2};
use rustix::io::Errno;
use tree_io::{Cancel, Known, NoSink, ScanOptions};

use crate::delete::delete_below;
use crate::in_root::{DIRECTORY, look, names};

/// A tree of which more than one part in so many has to be made anew is better unpacked.
const MOST_CHANGED_PART: usize = 3;

/// Room for the names of the extended attributes of a directory, bytes.
const ATTRIBUTE_BYTES: usize = 4096;

/// What nobody but the owner of a directory sets, and an image does not know.
const SET_BY_OWNERS: IFlags = IFlags::SYNC
    .union(IFlags::IMMUTABLE)
    .union(IFlags::APPEND)
    .union(IFlags::NODUMP)
    .union(IFlags::NOATIME)
    .union(IFlags::DIRSYNC)
    .union(IFlags::TOPDIR)
    .union(IFlags::PROJECT_INHERIT)
    // FS_CASEFOLD_FL, which rustix does not name.
    .union(IFlags::from_bits_retain(0x4000_0000))
    .union(IFlags::COMPRESSED)
    .union(IFlags::NOCOW);

/// Takes out of a directory what differs from the tree that was unpacked there.
pub(crate) struct Restoring<'a> {
    tree: &'a FileSystem,
    known: &'a Known,
    root: OwnedFd,
    /// Paths to be made anew, or whose owner and mode are to be set again.
    changed: BTreeSet<BString>,
    /// Directories of which nothing is there.
    gone: Vec<BString>,
    /// Inodes to be made anew.
    numbers: HashSet<u64>,
}

impl<'a> Restoring<'a> {
    /// Removes from `root` whatever is not as it was when `tree` was unpacked and `known` taken. Returns the part of the tree that has
    /// to be unpacked over it; nothing if the directory is better unpacked as a whole.
    pub(crate) fn run(tree: &'a FileSystem, known: &'a Known, root: &Path) -> io::Result<Option<FileSystem>> {
        let mut restoring = Restoring {
            tree,
            known,
            root: rustix::fs::open(root, DIRECTORY, Mode::empty())?,
            changed: BTreeSet::new(),
            gone: Vec::new(),
            numbers: HashSet::new(),
        };
        let mut pending = vec![(BString::from("/"), &tree.directory_inode)];
        while let Some((path, directory)) = pending.pop() {
            if !restoring.directory(&path, directory, &mut pending)? {
                return Ok(None);
            }
        }
        restoring.further_names()?;
        let entries = tree.inode_table.len();
        if restoring.changed.len() + restoring.gone.len() > entries / MOST_CHANGED_PART + 1 {
            return Ok(None);
        }
        Ok(Some(restoring.part()))
    }

    /// Whether the directory can be restored.
    fn directory(
        &mut self,
        path: &BString,
        directory: &'a DirectoryInode,
        pending: &mut Vec<(BString, &'a DirectoryInode)>,
    ) -> io::Result<bool> {
        let fd = match self.open(path) {
            Ok(fd) => fd,
            Err(_) if path != "/" => {
                self.remove(path)?;
                self.gone.push(path.clone());
                return Ok(true);
            }
            Err(error) => return Err(error.into()),
        };
        if has_attributes(&fd) {
            return Ok(false);
        }
        let stat = rustix::fs::fstat(&fd)?;
        if (stat.st_mode, stat.st_uid, stat.st_gid) != (directory.mode, directory.uid, directory.gid) {
            self.changed.insert(path.clone());
        }
        let wanted: HashSet<&[u8]> = directory
            .entry_list
            .iter()
            .map(|entry| entry.name.as_slice())
            .collect();
        for name in names(&fd)? {
            if !wanted.contains(name.as_bytes()) {
                delete_below(&fd, &name)?;
            }
        }
        for entry in &directory.entry_list {
            let child = join(path, &entry.name);
            match self.tree.inode_table.get(entry.inode_number) {
                Some(Inode::Directory(below)) => pending.push((child, below)),
                Some(inode) => {
                    let name = OsStr::from_bytes(&entry.name);
                    if !self.is_same(&fd, name, inode) {
                        delete_below(&fd, name)?;
                        self.changed.insert(child);
                        self.numbers.insert(entry.inode_number);
                    }
                }
                None => return Ok(false),
            }
        }
        Ok(true)
    }

    /// Whether nothing was done to an inode. Of those for which that cannot be told cheaply it is said that something was: they are few.
    fn is_same(&self, directory: &OwnedFd, name: &OsStr, inode: &Inode) -> bool {
        let Ok((kind, stat)) = look(directory.as_fd(), name) else {
            return false;
        };
        match inode {
            Inode::Regular(regular) if regular.size > 0 => {
                kind == FileType::RegularFile && self.known.content(&stat) == Some(regular.hash)
            }
            Inode::Symlink(link) => {
                let is_link = kind == FileType::Symlink && owner(&stat) == (link.uid, link.gid);
                let target = rustix::fs::readlinkat(directory, name, Vec::new());
                is_link && target.is_ok_and(|target| target.to_bytes() == link.symlink.as_slice())
            }
            _ => false,
        }
    }

    /// An inode that is made anew is made anew under all its names.
    fn further_names(&mut self) -> io::Result<()> {
        let mut walk = Walk::new(self.tree);
        let mut found = Vec::new();
        while let Some(visit) = walk.next_visit() {
            let is_changed = visit.number.is_some_and(|number| self.numbers.contains(&number));
            if is_changed && !self.changed.contains(visit.path) {
                found.push(visit.path.to_owned());
            }
        }
        for path in found {
            self.remove(&path)?;
            self.changed.insert(path);
        }
        Ok(())
    }

    /// What has to be unpacked: what was changed or is gone, and the directories on the way.
    fn part(&self) -> FileSystem {
        let mut kept: HashSet<&[u8]> = HashSet::new();
        for path in self.changed.iter().chain(&self.gone) {
            let mut path = path.as_slice();
            while kept.insert(path)
                && let Some(slash) = path.rfind_byte(b'/')
                && slash > 0
            {
                path = &path[..slash];
            }
        }
        let gone: HashSet<&[u8]> = self.gone.iter().map(|path| path.as_slice()).collect();
        let is_in_gone = |path: &[u8]| {
            let slashes = path.find_iter(b"/").skip(1);
            slashes
                .map(|slash| &path[..slash])
                .any(|above| gone.contains(above))
        };
        let mut part = self.tree.clone();
        part.retain_paths(|path| kept.contains(path) || is_in_gone(path));
        part
    }

    fn open(&self, path: &[u8]) -> rustix::io::Result<OwnedFd> {
        let path = match path.strip_prefix(b"/") {
            Some(b"") | None => b".",
            Some(path) => path,
        };
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
        openat2(
            &self.root,
            path,
            DIRECTORY | OFlags::NOFOLLOW,
            Mode::empty(),
            resolve,
        )
    }

    /// Removes what is at a path, if there is anything.
    fn remove(&self, path: &[u8]) -> io::Result<()> {
        let slash = path.rfind_byte(b'/').unwrap_or(0);
        match self.open(&path[..slash.max(1)]) {
            Ok(parent) => Ok(delete_below(&parent, OsStr::from_bytes(&path[slash + 1..]))?),
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

/// Access lists, which what is made in it would inherit, or anything else that an image does not know.
fn has_attributes(directory: &OwnedFd) -> bool {
    let mut names = [0; ATTRIBUTE_BYTES];
    let attributes = match rustix::fs::flistxattr(directory, &mut names[..]) {
        Ok(length) => names[..length]
            .split(|&byte| byte == 0)
            .any(|name| !name.is_empty() && name != b"security.selinux"),
        Err(Errno::OPNOTSUPP) => false,
        Err(_) => true,
    };
    let flags = match rustix::fs::ioctl_getflags(directory) {
        Ok(flags) => flags.intersects(SET_BY_OWNERS),
        Err(Errno::NOTTY | Errno::OPNOTSUPP) => false,
        Err(_) => true,
    };
    attributes || flags
}

fn owner(stat: &Stat) -> (u32, u32) {
    (stat.st_uid, stat.st_gid)
}

fn join(directory: &BString, name: &BString) -> BString {
    let separator: &[u8] = if directory.ends_with(b"/") { b"" } else { b"/" };
    [directory.as_slice(), separator, name.as_slice()].concat().into()
}

/// A tree as it is when it was unpacked: computed files are empty.
pub(crate) fn expected(tree: &FileSystem) -> FileSystem {
    let mut tree = tree.clone();
    for (_, inode) in tree.inode_table.iter_mut() {
        if let Inode::ComputedRegular(computed) = inode {
            *inode = Inode::Regular(RegularInode {
                mode: computed.mode,
                uid: computed.uid,
                gid: computed.gid,
                ..RegularInode::default()
            });
        }
    }
    tree.recount();
    tree
}

/// Whether a directory cannot be told from one that the tree, an [`expected`] one, was just unpacked into. `known` is of the time of
/// that unpacking: what was made since is read.
pub(crate) fn is_as_unpacked(
    tree: &FileSystem,
    known: &Known,
    root: &Path,
    cancel: &Cancel,
) -> Result<bool, tree_io::Error> {
    let options = ScanOptions {
        known: Some(known),
        cancel: cancel.clone(),
        ..ScanOptions::default()
    };
    let (found, report) = tree_io::scan(root, &options, &NoSink)?;
    let top = |tree: &FileSystem| {
        let top = InodeRef::Directory(&tree.directory_inode);
        (top.mode(), top.owner())
    };
    let is_plain = report.attributes == Default::default()
        && report.sockets.count == 0
        && report.other_devices.count == 0
        && report.repeated_directories.count == 0;
    Ok(is_plain
        && top(&found) == top(tree)
        && found.inode_table.len() == tree.inode_table.len()
        && image::diff::diff(tree, &found).is_empty())
}
