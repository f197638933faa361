//! The walk: directories in depth-first order, entries sorted, files sent to be hashed.

use std::collections::HashSet;
use std::sync::Arc;

use bstr::{BString, ByteSlice};
use image::{DirectoryEntry, DirectoryInode, Inode, RegularInode, SpecialInode, SymlinkInode};
use rustix::fs::{AtFlags, Dir, FileType, Stat, fstat, readlinkat, statat};

use super::{MAX_DEPTH, MAX_ENTRIES, SUBD, ScanOptions, ScanReport};
use crate::beneath::Root;
use crate::error::Error;
use crate::pool::{Job, Jobs};
use crate::sink::Stamp;

/// What a walk yields: what was left out, the root directory, all other inodes in the order found.
pub(super) type Walked = (ScanReport, DirectoryInode, Vec<(u64, Inode)>);

/// A directory that was seen and not yet read.
struct Pending {
    path: BString,
    depth: usize,
    stat: Stat,
}

struct Walk<'a> {
    root: &'a Arc<Root>,
    options: &'a ScanOptions<'a>,
    jobs: &'a Jobs<'a>,
    device: u64,
    seen: HashSet<u64>,
    pending: Vec<Pending>,
    inodes: Vec<(u64, Inode)>,
    entries: u64,
    report: ScanReport,
}

pub(super) fn walk(root: &Arc<Root>, options: &ScanOptions<'_>, jobs: &Jobs<'_>) -> Result<Walked, Error> {
    let stat = fstat(root.as_ref()).map_err(|e| Error::io("stat", "/", e))?;
    let mut walk = Walk {
        root,
        options,
        jobs,
        device: stat.st_dev,
        seen: HashSet::from([stat.st_ino]),
        pending: Vec::new(),
        inodes: Vec::new(),
        entries: 0,
        report: ScanReport::default(),
    };
    let top = walk.directory(&Pending {
        path: BString::from("/"),
        depth: 0,
        stat,
    })?;
    // Open directories are not kept: memory and descriptors do not depend on the shape of the tree.
    while let Some(next) = walk.pending.pop() {
        let inode = walk.directory(&next)?;
        walk.inodes.push((next.stat.st_ino, Inode::Directory(inode)));
    }
    Ok((walk.report, top, walk.inodes))
}

impl Walk<'_> {
    fn directory(&mut self, this: &Pending) -> Result<DirectoryInode, Error> {
        self.options.cancel.check()?;
        if this.depth > MAX_DEPTH {
            return Err(Error::TooDeep(this.path.clone()));
        }
        let fd = self
            .root
            .directory(&this.path)
            .map_err(|e| Error::io("open", &this.path, e))?;
        let now = fstat(&fd).map_err(|e| Error::io("stat", &this.path, e))?;
        if now.st_ino != this.stat.st_ino || now.st_dev != self.device {
            return Err(Error::Changed(this.path.clone()));
        }
        self.report.attributes.note(&fd, &this.path);
        let mut names = Vec::new();
        for entry in Dir::read_from(&fd).map_err(|e| Error::io("read", &this.path, e))? {
            let entry = entry.map_err(|e| Error::io("read", &this.path, e))?;
            let name = entry.file_name().to_bytes();
            if name != b"." && name != b".." && !(this.depth == 0 && name == SUBD) {
                names.push(BString::from(name));
            }
        }
        names.sort_unstable();
        self.options.progress.add_entries(names.len() as u64);
        self.entries += names.len() as u64;
        if self.entries > MAX_ENTRIES {
            return Err(Error::TooManyEntries { limit: MAX_ENTRIES });
        }
        let mut entry_list = Vec::with_capacity(names.len());
        for name in names {
            let path = join(&this.path, &name);
            if self.options.filter.is_some_and(|filter| filter.matches(&path)) {
                continue;
            }
            let stat = statat(&fd, name.as_bytes(), AtFlags::SYMLINK_NOFOLLOW)
                .map_err(|e| Error::io("stat", &path, e))?;
            if let Some(inode_number) = self.entry(&fd, &name, path, this.depth, stat)? {
                entry_list.push(DirectoryEntry { name, inode_number });
            }
        }
        let Stat {
            st_mode,
            st_uid,
            st_gid,
            ..
        } = this.stat;
        Ok(DirectoryInode {
            entry_list,
            mode: st_mode,
            uid: st_uid,
            gid: st_gid,
        })
    }

    /// The inode number to list, or nothing if the entry is left out.
    fn entry(
        &mut self,
        directory: &rustix::fd::OwnedFd,
        name: &BString,
        path: BString,
        depth: usize,
        stat: Stat,
    ) -> Result<Option<u64>, Error> {
        let number = stat.st_ino;
        let kind = FileType::from_raw_mode(stat.st_mode);
        if stat.st_dev != self.device {
            self.report.other_devices.add(path);
            return Ok(None);
        }
        if kind == FileType::Socket {
            self.report.sockets.add(path);
            return Ok(None);
        }
        if !self.seen.insert(number) {
            if kind == FileType::Directory {
                // A bind mount of this very file system: a tree may reach a directory once only.
                self.report.repeated_directories.add(path);
                return Ok(None);
            }
            return Ok(Some(number));
        }
        let inode = match kind {
            FileType::Directory => {
                self.pending.push(Pending {
                    path,
                    depth: depth + 1,
                    stat,
                });
                return Ok(Some(number));
            }
            FileType::RegularFile => {
                let stamp = Stamp::from_stat(&stat);
                let known = self.options.known.and_then(|known| known.content(&stat));
                if stamp.size > 0 && known.is_none() {
                    self.jobs.send(Job::File { number, path, stamp })?;
                }
                // The hashing threads tell what is not known; empty files keep this one.
                regular(&stat, stamp, known.unwrap_or(hash::Hash::ZERO))
            }
            FileType::Symlink => {
                let target = readlinkat(directory, name.as_bytes(), Vec::new())
                    .map_err(|e| Error::io("readlink", &path, e))?;
                Inode::Symlink(SymlinkInode {
                    uid: stat.st_uid,
                    gid: stat.st_gid,
                    symlink: target.into_bytes().into(),
                })
            }
            FileType::CharacterDevice | FileType::BlockDevice | FileType::Fifo => special(&stat),
            FileType::Socket | FileType::Unknown => {
                return Err(Error::BadTree {
                    path,
                    why: "unknown file type",
                });
            }
        };
        self.inodes.push((number, inode));
        Ok(Some(number))
    }
}

fn regular(stat: &Stat, stamp: Stamp, hash: hash::Hash) -> Inode {
    Inode::Regular(RegularInode {
        mode: stat.st_mode,
        uid: stat.st_uid,
        gid: stat.st_gid,
        mtime_nano_seconds: nanoseconds(stamp.mtime_nanoseconds),
        mtime_seconds: stamp.mtime_seconds,
        size: stamp.size,
        hash,
    })
}

fn special(stat: &Stat) -> Inode {
    let stamp = Stamp::from_stat(stat);
    Inode::Special(SpecialInode {
        mode: stat.st_mode,
        uid: stat.st_uid,
        gid: stat.st_gid,
        mtime_nano_seconds: nanoseconds(stamp.mtime_nanoseconds),
        mtime_seconds: stamp.mtime_seconds,
        rdev: stat.st_rdev,
    })
}

fn nanoseconds(value: i64) -> i32 {
    // Always below a thousand million.
    i32::try_from(value).unwrap_or(0)
}

fn join(directory: &BString, name: &BString) -> BString {
    let mut path = Vec::with_capacity(directory.len() + 1 + name.len());
    path.extend_from_slice(directory);
    if !directory.ends_with(b"/") {
        path.push(b'/');
    }
    path.extend_from_slice(name);
    path.into()
}
