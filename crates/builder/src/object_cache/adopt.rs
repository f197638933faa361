//! Objects come in from the trees of builds that are done with them: always copied.
//!
//! A process of another build may have a file of this one open or mapped, handed over a socket, and write to it later, at a moment when no
//! time of change tells of it. So a file never becomes an object: its content does, in a file that nobody else ever had, named on the way.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::atomic::Ordering;

use bstr::ByteSlice;
use hash::{Hash, Hasher};
use image::FileSystem;
use rustix::fs::{AtFlags, Mode, OFlags, fstat, mkdirat, openat, renameat, unlinkat};
use rustix::io::Errno;
use tree_io::{Known, TreeFile, files_in};

use super::{Entry, NEW_PREFIX, ObjectCache, Stamp, now, place};

/// Bytes copied at a time.
const PIECE_BYTES: usize = 256 << 10;

impl ObjectCache {
    /// Copies files of `tree` from `directory` into the cache: those that are not here yet and whose content still is what `tree` says. With
    /// `known`, files that it says have changed are not even read.
    ///
    /// An error ends it early: a cache without some objects is a slower one, nothing more.
    pub fn adopt(&self, tree: &FileSystem, directory: &Path, known: Option<&Known>) {
        let known = known.filter(|known| !known.is_empty());
        let mut piece = vec![0; PIECE_BYTES];
        let taken = files_in(tree, directory, &mut |file| {
            let hash = file.inode.hash;
            let may_be_same = match known {
                Some(known) => known.content(&file.stat) == Some(hash),
                None => u64::try_from(file.stat.st_size) == Ok(file.inode.size),
            };
            if may_be_same && file.inode.size <= self.most_bytes && !self.contains(&hash) {
                self.take(&file, &mut piece)
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

    fn take(&self, file: &TreeFile<'_>, piece: &mut [u8]) -> io::Result<()> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        // Gone or replaced by somebody who still has the directory: then it is no object.
        let Ok(from) = openat(file.directory, file.name.as_bytes(), flags, Mode::empty()) else {
            return Ok(());
        };
        let number = self.next_new.fetch_add(1, Ordering::Relaxed);
        let new = format!("{NEW_PREFIX}{number}");
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mut target = File::from(openat(&self.directory, &new, flags, Mode::RUSR | Mode::WUSR)?);
        let (hash, size) = (file.inode.hash, file.inode.size);
        let named = copy(&mut File::from(from).take(size), &mut target, piece);
        let to = place(&hash);
        let moved = match named {
            Ok(named) if named == (hash, size) => self.put_in_place(&new, &to),
            Ok(_) => Err(None),
            Err(error) => Err(Some(error)),
        };
        if let Err(error) = moved {
            let _ = unlinkat(&self.directory, &new, AtFlags::empty());
            return error.map_or(Ok(()), Err);
        }
        // Being renamed counts as a change.
        let stamp = Stamp::of(&fstat(&target)?);
        let entry = Entry {
            size: stamp.size,
            used: now(),
            verified: Some(stamp),
        };
        self.table.lock().insert(hash, entry);
        Ok(())
    }

    fn put_in_place(&self, new: &str, to: &[u8]) -> Result<(), Option<io::Error>> {
        match mkdirat(&self.directory, &to[..2], Mode::RWXU) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(error) => return Err(Some(error.into())),
        }
        renameat(&self.directory, new, &self.directory, to).map_err(|error| Some(error.into()))
    }
}

/// Name and size of what was copied.
fn copy(from: &mut impl Read, to: &mut File, piece: &mut [u8]) -> io::Result<(Hash, u64)> {
    let (mut hasher, mut size) = (Hasher::new(), 0);
    loop {
        match from.read(piece) {
            Ok(0) => return Ok((hasher.finish(), size)),
            Ok(count) => {
                hasher.update(&piece[..count]);
                to.write_all(&piece[..count])?;
                size += count as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
