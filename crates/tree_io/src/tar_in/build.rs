//! Members become directories and inodes.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{Read, Write};

use bstr::{BStr, BString};
use hash::{Hash, Hasher};
use image::tree::MAXIMUM_PATH_BYTES;
use image::{DirectoryEntry, DirectoryInode, Inode, RegularInode, SpecialInode, SymlinkInode};

use super::member::{Kind, Member, normalise, split};
use super::reader::Reader;
use crate::error::Error;
use crate::pool::{Job, Jobs};
use crate::scan::{MAX_DEPTH, MAX_ENTRIES, ScanOptions, ScanReport};
use crate::sink::IN_MEMORY_BYTES;

/// What an archive without a member for the root gets.
const DEFAULT_ROOT_MODE: u32 = S_IFDIR | 0o755;

const S_IFIFO: u32 = 0o010_000;
const S_IFCHR: u32 = 0o020_000;
const S_IFDIR: u32 = 0o040_000;
const S_IFBLK: u32 = 0o060_000;
const S_IFREG: u32 = 0o100_000;

/// Devices are stored as major << 8 | minor (`imagetool.md §6.1`).
const MAX_MINOR: u32 = 255;

/// Bytes copied at a time into a temporary file.
const PIECE_BYTES: usize = 256 << 10;

/// The root, all other inodes in ascending order, what was noticed.
pub(super) type Built = (DirectoryInode, Vec<(u64, Inode)>, ScanReport);

/// A directory under construction; the root has number 0, which no entry refers to.
struct OpenDirectory {
    number: u64,
    depth: usize,
    mode: u32,
    uid: u32,
    gid: u32,
    entries: BTreeMap<BString, u64>,
}

struct Builder<'a> {
    options: &'a ScanOptions<'a>,
    jobs: &'a Jobs<'a>,
    directories: HashMap<BString, OpenDirectory>,
    /// Everything but directories, by number.
    inodes: BTreeMap<u64, Inode>,
    links: HashMap<u64, u64>,
    last_number: u64,
    members: u64,
    report: ScanReport,
}

pub(super) fn build(input: impl Read, options: &ScanOptions<'_>, jobs: &Jobs<'_>) -> Result<Built, Error> {
    let root = OpenDirectory {
        number: 0,
        depth: 0,
        mode: DEFAULT_ROOT_MODE,
        uid: 0,
        gid: 0,
        entries: BTreeMap::new(),
    };
    let mut builder = Builder {
        options,
        jobs,
        directories: HashMap::from([(BString::from("/"), root)]),
        inodes: BTreeMap::new(),
        links: HashMap::new(),
        last_number: 0,
        members: 0,
        report: ScanReport::default(),
    };
    let mut reader = Reader::new(input);
    while let Some(member) = reader.next()? {
        builder.member(member, &mut reader)?;
    }
    Ok(builder.finish())
}

impl Builder<'_> {
    fn member<R: Read>(&mut self, member: Member, reader: &mut Reader<R>) -> Result<(), Error> {
        self.options.cancel.check()?;
        self.options.progress.add_entries(1);
        self.members += 1;
        if self.members > MAX_ENTRIES {
            return Err(Error::TooManyEntries { limit: MAX_ENTRIES });
        }
        let path = normalise(&member.name);
        check_names(&member, &path)?;
        if self.left_out(&path) {
            return Ok(());
        }
        for name in &member.attributes {
            self.report.attributes.note_name(name, BStr::new(&path));
        }
        let Some((parent, name)) = split(&path) else {
            return self.root(&member, path);
        };
        let Some(directory) = self.directories.get(BStr::new(parent)) else {
            return Err(Error::NoParent(path));
        };
        let (depth, old) = (
            directory.depth + 1,
            directory.entries.get(BStr::new(name)).copied(),
        );
        let is_directory = self.directories.contains_key(&path);
        if old.is_some() && is_directory != (member.kind == Kind::Directory) {
            return Err(Error::KindConflict(path));
        }
        let (parent, name) = (BString::from(parent), BString::from(name));
        let number = match member.kind {
            Kind::Directory => {
                self.directory(&member, path, depth)?;
                return Ok(());
            }
            Kind::HardLink => self.hard_link_target(&member, &path)?,
            _ => self.inode(&member, &path, reader)?,
        };
        *self.links.entry(number).or_default() += 1;
        if let Some(old) = old {
            self.unlink(old);
        }
        if let Some(directory) = self.directories.get_mut(&parent) {
            directory.entries.insert(name, number);
        }
        Ok(())
    }

    /// `/.subd` and what the filter matches, both with everything below.
    fn left_out(&self, path: &BString) -> bool {
        let top = path
            .strip_prefix(b"/.subd")
            .is_some_and(|rest| rest.is_empty() || rest[0] == b'/');
        let Some(filter) = self.options.filter else {
            return top;
        };
        // A directory that was left out takes its contents along although the expression may not match them.
        top || filter.matches(path)
            || path.iter().enumerate().skip(1).any(|(at, &b)| {
                b == b'/'
                    && !self.directories.contains_key(BStr::new(&path[..at]))
                    && filter.matches(&path[..at])
            })
    }

    fn root(&mut self, member: &Member, path: BString) -> Result<(), Error> {
        if member.kind != Kind::Directory {
            return Err(Error::KindConflict(path));
        }
        if let Some(root) = self.directories.get_mut(&path) {
            (root.mode, root.uid, root.gid) = (S_IFDIR | member.mode, member.uid, member.gid);
        }
        Ok(())
    }

    fn directory(&mut self, member: &Member, path: BString, depth: usize) -> Result<(), Error> {
        if depth > MAX_DEPTH {
            return Err(Error::TooDeep(path));
        }
        let mode = S_IFDIR | member.mode;
        if let Some(known) = self.directories.get_mut(&path) {
            (known.mode, known.uid, known.gid) = (mode, member.uid, member.gid);
            return Ok(());
        }
        let number = self.next_number();
        if let Some((parent, name)) = split(&path)
            && let Some(directory) = self.directories.get_mut(BStr::new(parent))
        {
            directory.entries.insert(name.into(), number);
        }
        let new = OpenDirectory {
            number,
            depth,
            mode,
            uid: member.uid,
            gid: member.gid,
            entries: BTreeMap::new(),
        };
        self.directories.insert(path, new);
        Ok(())
    }

    fn hard_link_target(&self, member: &Member, path: &BString) -> Result<u64, Error> {
        let target = normalise(&member.link);
        split(&target)
            .and_then(|(parent, name)| {
                self.directories
                    .get(BStr::new(parent))?
                    .entries
                    .get(BStr::new(name))
            })
            .copied()
            .filter(|number| self.inodes.contains_key(number))
            .ok_or_else(|| Error::BadHardLink {
                path: path.clone(),
                target,
            })
    }

    fn inode<R: Read>(
        &mut self,
        member: &Member,
        path: &BString,
        reader: &mut Reader<R>,
    ) -> Result<u64, Error> {
        let number = self.next_number();
        let special = |kind: u32, rdev: u64| {
            Inode::Special(SpecialInode {
                mode: kind | member.mode,
                uid: member.uid,
                gid: member.gid,
                mtime_nano_seconds: member.mtime_nanoseconds,
                mtime_seconds: member.mtime_seconds,
                rdev,
            })
        };
        let rdev = u64::from(member.major) << 8 | u64::from(member.minor);
        let inode = match member.kind {
            Kind::Character | Kind::Block if member.minor > MAX_MINOR => {
                return Err(Error::MinorTooLarge {
                    path: path.clone(),
                    minor: member.minor,
                });
            }
            Kind::Character => special(S_IFCHR, rdev),
            Kind::Block => special(S_IFBLK, rdev),
            Kind::Fifo => special(S_IFIFO, 0),
            Kind::Symlink => Inode::Symlink(SymlinkInode {
                uid: member.uid,
                gid: member.gid,
                symlink: member.link.clone(),
            }),
            Kind::Regular | Kind::HardLink | Kind::Directory => {
                if member.size > 0 {
                    self.jobs
                        .send(spool(number, member.size, path, self.options, reader)?)?;
                }
                Inode::Regular(RegularInode {
                    mode: S_IFREG | member.mode,
                    uid: member.uid,
                    gid: member.gid,
                    mtime_nano_seconds: member.mtime_nanoseconds,
                    mtime_seconds: member.mtime_seconds,
                    size: member.size,
                    hash: Hash::ZERO,
                })
            }
        };
        self.inodes.insert(number, inode);
        Ok(number)
    }

    /// A later member took the name; without another name the inode goes.
    fn unlink(&mut self, number: u64) {
        if let Some(links) = self.links.get_mut(&number) {
            *links -= 1;
            if *links == 0 {
                self.inodes.remove(&number);
            }
        }
    }

    fn next_number(&mut self) -> u64 {
        self.last_number += 1;
        self.last_number
    }

    fn finish(self) -> Built {
        let mut inodes = self.inodes;
        let mut top = DirectoryInode::default();
        for directory in self.directories.into_values() {
            let OpenDirectory {
                number,
                mode,
                uid,
                gid,
                entries,
                ..
            } = directory;
            let entry_list = entries
                .into_iter()
                .map(|(name, inode_number)| DirectoryEntry { name, inode_number })
                .collect();
            let inode = DirectoryInode {
                entry_list,
                mode,
                uid,
                gid,
            };
            if number == 0 {
                top = inode;
            } else {
                inodes.insert(number, Inode::Directory(inode));
            }
        }
        (top, inodes.into_iter().collect(), self.report)
    }
}

/// What no file system could hold: an image with it could not be unpacked, or not be written as an archive again. It comes before
/// the filter, which looks at a path at each of its slashes.
fn check_names(member: &Member, path: &BString) -> Result<(), Error> {
    let why = if path.contains(&0) {
        "name contains a zero byte"
    } else if path.len() > MAXIMUM_PATH_BYTES {
        "path longer than 4096 bytes"
    } else if member.kind == Kind::Symlink && member.link.contains(&0) {
        "target of the link contains a zero byte"
    } else if member.kind == Kind::Symlink && member.link.len() > MAXIMUM_PATH_BYTES {
        "target of the link longer than 4096 bytes"
    } else {
        return Ok(());
    };
    // As long as it may be is long enough to recognise it.
    let shown = &path[..path.len().min(MAXIMUM_PATH_BYTES)];
    Err(Error::BadTree {
        path: shown.into(),
        why,
    })
}

fn spool<R: Read>(
    number: u64,
    size: u64,
    path: &BString,
    options: &ScanOptions<'_>,
    reader: &mut Reader<R>,
) -> Result<Job, Error> {
    let mut content = reader.content();
    if size <= IN_MEMORY_BYTES {
        let mut data = Vec::with_capacity(usize::try_from(size).unwrap_or(0));
        content
            .read_to_end(&mut data)
            .map_err(|e| Error::io("read", path, e))?;
        return Ok(Job::Bytes { number, data });
    }
    let mut file: File = tempfile::tempfile().map_err(|e| Error::io("make", "temporary file", e))?;
    let mut hasher = Hasher::new();
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        options.cancel.check()?;
        let count = content.read(&mut piece).map_err(|e| Error::io("read", path, e))?;
        if count == 0 {
            break;
        }
        hasher.update(&piece[..count]);
        file.write_all(&piece[..count])
            .map_err(|e| Error::io("write", "temporary file", e))?;
        options.progress.add_bytes(count as u64);
    }
    Ok(Job::Spooled {
        number,
        hash: hasher.finish(),
        size,
        file,
    })
}
