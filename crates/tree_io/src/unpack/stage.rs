//! Making inodes in the staging directory, named by their numbers.

use std::fs::File;
use std::io::Write;
use std::os::fd::{AsFd, BorrowedFd};

use image::{Inode, RegularInode};
use rustix::fs::{
    AtFlags, FileType, Gid, Mode, OFlags, Timespec, Timestamps, UTIME_OMIT, Uid, chmodat, chownat, fchmod,
    fchown, futimens, mknodat, openat, symlinkat, utimensat,
};

use crate::error::Error;

/// Permission bits, set-id and sticky bits.
const PERMISSIONS: u32 = 0o7777;

/// Nanoseconds in a second.
const SECOND_NANOSECONDS: i32 = 1_000_000_000;

/// The staging directory, shared by all threads.
#[derive(Clone, Copy)]
pub(super) struct Stage<'a> {
    pub(super) directory: BorrowedFd<'a>,
}

impl Stage<'_> {
    /// An empty file to be filled; give it to [`seal`](Self::seal) then.
    pub(super) fn create(self, number: u64) -> Result<File, Error> {
        let name = number.to_string();
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        openat(self.directory, name.as_str(), flags, Mode::RUSR | Mode::WUSR)
            .map(File::from)
            .map_err(|e| Error::io("create", shown(&name), e))
    }

    /// Owner, mode and time; the mode after the owner, because changing the owner clears set-id bits.
    pub(super) fn seal(self, number: u64, file: &File, inode: &RegularInode) -> Result<(), Error> {
        let name = number.to_string();
        let failed = |doing| move |e: rustix::io::Errno| (doing, e);
        let times = times(inode.mtime_seconds, inode.mtime_nano_seconds, number)?;
        fchown(
            file,
            Some(Uid::from_raw(inode.uid)),
            Some(Gid::from_raw(inode.gid)),
        )
        .map_err(failed("chown"))
        .and_then(|()| fchmod(file, permissions(inode.mode)).map_err(failed("chmod")))
        .and_then(|()| futimens(file, &times).map_err(failed("set time of")))
        .map_err(|(doing, e)| Error::io(doing, shown(&name), e))
    }

    /// A file whose content is in memory.
    pub(super) fn write(self, number: u64, inode: &RegularInode, data: &[u8]) -> Result<(), Error> {
        let mut file = self.create(number)?;
        file.write_all(data)
            .map_err(|e| Error::io("write", shown(&number.to_string()), e))?;
        self.seal(number, &file, inode)
    }

    /// A file with the content of one made before.
    pub(super) fn copy(self, number: u64, inode: &RegularInode, from: &File, size: u64) -> Result<(), Error> {
        let file = self.create(number)?;
        let (mut offset_in, mut offset_out) = (0, 0);
        while offset_in < size {
            let chunk = usize::try_from(size - offset_in).unwrap_or(usize::MAX);
            let copied =
                rustix::fs::copy_file_range(from, Some(&mut offset_in), &file, Some(&mut offset_out), chunk)
                    .map_err(|e| Error::io("copy", shown(&number.to_string()), e))?;
            if copied == 0 {
                let short = std::io::Error::from(std::io::ErrorKind::UnexpectedEof);
                return Err(Error::io("copy", shown(&number.to_string()), short));
            }
        }
        self.seal(number, &file, inode)
    }

    /// An inode without content.
    pub(super) fn plain(self, number: u64, inode: &Inode) -> Result<(), Error> {
        let name = number.to_string();
        let (uid, gid) = (Uid::from_raw(inode.uid()), Gid::from_raw(inode.gid()));
        let io = |doing| {
            let name = name.clone();
            move |e: rustix::io::Errno| Error::io(doing, shown(&name), e)
        };
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
                symlinkat(link.symlink.as_slice(), self.directory, name.as_str()).map_err(io("symlink"))?;
                chownat(
                    self.directory,
                    name.as_str(),
                    Some(uid),
                    Some(gid),
                    AtFlags::SYMLINK_NOFOLLOW,
                )
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
                        path: name.into(),
                        why,
                    });
                }
                mknodat(
                    self.directory,
                    name.as_str(),
                    kind,
                    Mode::RUSR | Mode::WUSR,
                    special.rdev,
                )
                .map_err(io("mknod"))?;
                // Nobody else can get at names in this private directory, so going by name is safe.
                chownat(
                    self.directory,
                    name.as_str(),
                    Some(uid),
                    Some(gid),
                    AtFlags::SYMLINK_NOFOLLOW,
                )
                .map_err(io("chown"))?;
                chmodat(
                    self.directory,
                    name.as_str(),
                    permissions(special.mode),
                    AtFlags::empty(),
                )
                .map_err(io("chmod"))?;
                let times = times(special.mtime_seconds, special.mtime_nano_seconds, number)?;
                utimensat(self.directory, name.as_str(), &times, AtFlags::SYMLINK_NOFOLLOW)
                    .map_err(io("set time of"))
            }
            Inode::Directory(_) => Err(Error::BadTree {
                path: name.into(),
                why: "a directory among plain inodes",
            }),
        }
    }
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

fn shown(name: &str) -> String {
    format!("{}/{name}", super::STAGING)
}

impl AsFd for Stage<'_> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.directory
    }
}
