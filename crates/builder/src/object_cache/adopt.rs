//! Objects come in from the trees of builds that are done with them.

use std::fs::File;
use std::io;
use std::path::Path;

use bstr::ByteSlice;
use hash::Hash;
use image::FileSystem;
use rustix::fs::{AtFlags, Mode, OFlags, mkdirat, openat, renameat, statat, unlinkat};
use rustix::io::Errno;
use tree_io::{Known, TreeFile, files_in};

use super::{Entry, ObjectCache, Stamp, now, place};

/// How files come in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum How {
    Move,
    Copy,
}

impl ObjectCache {
    /// Moves files of `tree` from `directory`, which is about to be deleted, into the cache: those that are not here yet and have
    /// not changed since `known`, or, without, since they were scanned into `tree`. Nobody else may be at work in the directory.
    ///
    /// An error ends it early: a cache without some objects is a slower one, nothing more.
    pub fn adopt(&self, tree: &FileSystem, directory: &Path, known: Option<&Known>) {
        self.bring(tree, directory, known, How::Move);
    }

    /// The same by copying, where the directory is used again.
    pub fn copy(&self, tree: &FileSystem, directory: &Path, known: &Known) {
        self.bring(tree, directory, Some(known), How::Copy);
    }

    fn bring(&self, tree: &FileSystem, directory: &Path, known: Option<&Known>, how: How) {
        let taken = files_in(tree, directory, &mut |file| {
            let hash = file.inode.hash;
            let is_same = match known {
                Some(known) => known.content(&file.stat) == Some(hash),
                // Not proof: its content is verified before its first use.
                None => is_as_scanned(&file),
            };
            if is_same && file.inode.size <= self.most_bytes && !self.contains(&hash) {
                self.take(&file, known.is_some(), how)
                    .map_err(|e| tree_io::Error::Sink(Box::new(e)))?;
            }
            Ok(())
        });
        if let Err(error) = taken {
            tracing::warn!("object cache {}: {error}", self.path.display());
        }
        self.trim();
        self.write_uses();
    }

    /// `is_verified`: its content is that of an object that was verified.
    fn take(&self, file: &TreeFile<'_>, is_verified: bool, how: How) -> io::Result<()> {
        let hash = file.inode.hash;
        let to = place(&hash);
        let rename = || renameat(file.directory, file.name.as_bytes(), &self.directory, &to[..]);
        match mkdirat(&self.directory, &to[..2], Mode::RWXU) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(error) => return Err(error.into()),
        }
        let moved = match how {
            How::Move => rename(),
            How::Copy => Err(Errno::XDEV),
        };
        match moved {
            Err(Errno::XDEV) => self.copy_file(file, &hash)?,
            other => other?,
        }
        let stat = statat(&self.directory, &to[..], AtFlags::SYMLINK_NOFOLLOW)?;
        let stamp = Stamp::of(&stat);
        // A further name in the tree is deleted with it, which counts as a change of the file.
        let is_last = moved != Err(Errno::XDEV) && stat.st_nlink == 1;
        let entry = Entry {
            size: stamp.size,
            used: now(),
            verified: (is_verified && is_last).then_some(stamp),
        };
        self.table.lock().insert(hash, entry);
        Ok(())
    }

    /// From another file system, or where the file is used on. What a crash leaves half done is found bad when it is verified.
    fn copy_file(&self, file: &TreeFile<'_>, hash: &Hash) -> io::Result<()> {
        let from = openat(
            file.directory,
            file.name.as_bytes(),
            OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC,
            Mode::empty(),
        )?;
        let to = place(hash);
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let target = openat(&self.directory, &to[..], flags, Mode::RUSR | Mode::WUSR)?;
        let copied = io::copy(&mut File::from(from), &mut File::from(target));
        if copied.is_err() {
            let _ = unlinkat(&self.directory, &to[..], AtFlags::empty());
        }
        copied.map(drop)
    }
}

fn is_as_scanned(file: &TreeFile<'_>) -> bool {
    u64::try_from(file.stat.st_size) == Ok(file.inode.size)
}
