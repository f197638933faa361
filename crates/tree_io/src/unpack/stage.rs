//! Making inodes, with content, owner, mode and time.

use std::collections::HashMap;

use std::fs::File;
use std::io::Write;
use std::os::fd::OwnedFd;

use bstr::{BString, ByteSlice};
use image::{Inode, RegularInode};
use rustix::fs::{
    AtFlags, FileType, Gid, Mode, OFlags, Timespec, Timestamps, UTIME_OMIT, Uid, chmodat, chownat, fchmod,
    fchown, fstat, futimens, mknodat, symlinkat, utimensat,
};

use rustix::io::Errno;

use crate::beneath::Root;
use crate::error::Error;

/// Permission bits, set-id and sticky bits.
const PERMISSIONS: u32 = 0o7777;

/// Permission bits alone.
const ORDINARY_PERMISSIONS: u32 = 0o777;

/// Bytes copied at a time where the kernel does not.
const PIECE_BYTES: usize = 1 << 20;

/// Nanoseconds in a second.
const SECOND_NANOSECONDS: i32 = 1_000_000_000;

/// Where inodes are made; shared by all threads.
#[derive(Clone, Copy)]
pub(super) struct Stage<'a> {
    pub(super) root: &'a Root,
    /// The names to make them under, by number; without, they are made in the staging directory under their numbers.
    pub(super) names: Option<&'a HashMap<u64, BString>>,
}

impl Stage<'_> {
    /// The path of an inode below the root, before it gets further names.
    pub(super) fn path(self, number: u64) -> BString {
        match self.names.and_then(|names| names.get(&number)) {
            Some(name) => name.clone(),
            None => format!("/{}/{number}", super::STAGING).into(),
        }
    }

    /// Its directory and its name in there.
    pub(super) fn place(self, number: u64) -> Result<(OwnedFd, BString), Error> {
        let path = self.path(number);
        let (parent, name) = split(&path);
        let directory = self
            .root
            .directory(parent)
            .map_err(|e| Error::io("open", parent, e))?;
        Ok((directory, name.into()))
    }

    /// An empty file to be filled; give it to [`seal`](Self::seal) then. It is private until then if its mode is special, else
    /// its mode is right from the beginning, wherever the umask allows.
    pub(super) fn create(self, number: u64, mode: u32) -> Result<File, Error> {
        let special = mode & PERMISSIONS & !ORDINARY_PERMISSIONS != 0;
        let mode = if special {
            Mode::RUSR | Mode::WUSR
        } else {
            permissions(mode)
        };
        let path = self.path(number);
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        self.root
            .open_beneath(&path, flags, mode)
            .map(File::from)
            .map_err(|e| Error::io("create", path, e))
    }

    /// Owner, mode and time; the mode after the owner, because changing the owner clears set-id bits. Each change costs the file
    /// system an entry in its journal, a look nothing: what is right already is left alone.
    pub(super) fn seal(self, number: u64, file: &File, inode: &RegularInode) -> Result<(), Error> {
        let failed = |doing| move |e: Errno| Error::io(doing, self.path(number), e);
        let times = times(inode.mtime_seconds, inode.mtime_nano_seconds, number)?;
        let mut now = fstat(file).map_err(failed("stat"))?;
        if (now.st_uid, now.st_gid) != (inode.uid, inode.gid) {
            let (uid, gid) = (Uid::from_raw(inode.uid), Gid::from_raw(inode.gid));
            fchown(file, Some(uid), Some(gid)).map_err(failed("chown"))?;
            now = fstat(file).map_err(failed("stat"))?;
        }
        if now.st_mode & PERMISSIONS != inode.mode & PERMISSIONS {
            fchmod(file, permissions(inode.mode)).map_err(failed("chmod"))?;
        }
        futimens(file, &times).map_err(failed("set time of"))
    }

    /// A file whose content is in memory.
    pub(super) fn write(self, number: u64, inode: &RegularInode, data: &[u8]) -> Result<(), Error> {
        let mut file = self.create(number, inode.mode)?;
        file.write_all(data)
            .map_err(|e| Error::io("write", self.path(number), e))?;
        self.seal(number, &file, inode)
    }

    /// A file with the content of one made before.
    pub(super) fn copy(self, number: u64, inode: &RegularInode, from: &File, size: u64) -> Result<(), Error> {
        let file = self.create(number, inode.mode)?;
        let failed = |e: Errno| Error::io("copy", self.path(number), e);
        match copy_by_kernel(from, &file, size) {
            // Another file system, or one that cannot.
            Err(Errno::XDEV | Errno::NOSYS | Errno::OPNOTSUPP | Errno::INVAL | Errno::PERM) => {
                copy_by_hand(from, &file, size).map_err(failed)?;
            }
            other => other.map_err(failed)?,
        }
        self.seal(number, &file, inode)
    }

    /// An inode without content.
    pub(super) fn plain(self, number: u64, inode: &Inode) -> Result<(), Error> {
        let (uid, gid) = (Uid::from_raw(inode.uid()), Gid::from_raw(inode.gid()));
        let io = |doing| move |e: Errno| Error::io(doing, self.path(number), e);
        match inode {
            Inode::Regular(regular) => self.write(number, regular, b""),
            Inode::ComputedRegular(computed) => {
                // Its content is made elsewhere: an empty file with time 0 stands for it.
                let empty = RegularInode {
                    mode: computed.mode,
                    uid: computed.uid,
                    gid: computed.gid,
                    ..RegularInode::default()
                };
                self.write(number, &empty, b"")
            }
            Inode::Symlink(link) => {
                let (directory, name) = self.place(number)?;
                let name = name.as_bytes();
                symlinkat(link.symlink.as_slice(), &directory, name).map_err(io("symlink"))?;
                chownat(&directory, name, Some(uid), Some(gid), AtFlags::SYMLINK_NOFOLLOW)
                    .map_err(io("chown"))
            }
            Inode::Special(special) => {
                let kind = FileType::from_raw_mode(special.mode);
                if !matches!(
                    kind,
                    FileType::CharacterDevice | FileType::BlockDevice | FileType::Fifo
                ) {
                    let why = "special inode is neither a device nor a fifo";
                    return Err(Error::BadTree {
                        path: self.path(number),
                        why,
                    });
                }
                let (directory, name) = self.place(number)?;
                let name = name.as_bytes();
                mknodat(&directory, name, kind, Mode::RUSR | Mode::WUSR, special.rdev)
                    .map_err(io("mknod"))?;
                // Nobody else can get at names in directories that are still private, so going by name is safe.
                chownat(&directory, name, Some(uid), Some(gid), AtFlags::SYMLINK_NOFOLLOW)
                    .map_err(io("chown"))?;
                chmodat(&directory, name, permissions(special.mode), AtFlags::empty())
                    .map_err(io("chmod"))?;
                let times = times(special.mtime_seconds, special.mtime_nano_seconds, number)?;
                utimensat(&directory, name, &times, AtFlags::SYMLINK_NOFOLLOW).map_err(io("set time of"))
            }
            Inode::Directory(_) => Err(Error::BadTree {
                path: self.path(number),
                why: "a directory among plain inodes",
            }),
        }
    }
}

fn copy_by_kernel(from: &File, to: &File, size: u64) -> rustix::io::Result<()> {
    let (mut offset_in, mut offset_out) = (0, 0);
    while offset_in < size {
        let chunk = usize::try_from(size - offset_in).unwrap_or(usize::MAX);
        let copied =
            rustix::fs::copy_file_range(from, Some(&mut offset_in), to, Some(&mut offset_out), chunk)?;
        if copied == 0 {
            // It is shorter than it was when it was opened.
            return Err(Errno::NODATA);
        }
    }
    Ok(())
}

fn copy_by_hand(from: &File, to: &File, size: u64) -> rustix::io::Result<()> {
    let mut piece = vec![0; usize::try_from(size).unwrap_or(PIECE_BYTES).min(PIECE_BYTES)];
    let mut done = 0;
    while done < size {
        let want = usize::try_from(size - done)
            .unwrap_or(PIECE_BYTES)
            .min(PIECE_BYTES);
        let count = rustix::io::pread(from, &mut piece[..want], done)?;
        if count == 0 {
            return Err(Errno::NODATA);
        }
        let mut written = 0;
        while written < count {
            written += rustix::io::pwrite(to, &piece[written..count], done + written as u64)?;
        }
        done += count as u64;
    }
    Ok(())
}

pub(super) fn permissions(mode: u32) -> Mode {
    Mode::from_raw_mode(mode & PERMISSIONS)
}

/// The access time stays as it is made.
fn times(seconds: i64, nanoseconds: i32, number: u64) -> Result<Timestamps, Error> {
    if !(0..SECOND_NANOSECONDS).contains(&nanoseconds) {
        // Out of range some values have a meaning of their own to the kernel.
        let path = format!("inode {number}").into();
        return Err(Error::BadTree {
            path,
            why: "modification time has an impossible fraction",
        });
    }
    Ok(Timestamps {
        last_access: Timespec {
            tv_sec: 0,
            tv_nsec: UTIME_OMIT,
        },
        last_modification: Timespec {
            tv_sec: seconds,
            tv_nsec: nanoseconds.into(),
        },
    })
}

/// The directory of an absolute path, and the name in it.
pub(super) fn split(path: &[u8]) -> (&[u8], &[u8]) {
    match path.rfind_byte(b'/') {
        None | Some(0) => (b"/", path.strip_prefix(b"/").unwrap_or(path)),
        Some(at) => (&path[..at], &path[at + 1..]),
    }
}
