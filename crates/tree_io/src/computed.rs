//! Local stand-ins for computed files (`imagetool.md §6.3`, `-computedFilesRoot`).

use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use bstr::{BString, ByteSlice};
use hash::{Hash, Hasher};
use image::{FileSystem, Inode, RegularInode};

use crate::Cancel;
use crate::beneath::Root;
use crate::error::Error;
use crate::source::{ObjectSource, gather};

/// Bytes read at a time.
const PIECE_BYTES: usize = 256 << 10;

/// The objects that are taken from local files instead of from a server.
#[derive(Debug, Default)]
pub struct LocalObjects {
    root: PathBuf,
    paths: HashMap<Hash, BString>,
}

impl LocalObjects {
    /// Whether an object is here.
    pub fn contains(&self, hash: &Hash) -> bool {
        self.paths.contains_key(hash)
    }
}

/// Turns every computed file of `tree` into a regular file with the content of the file of the same path below `root`
/// and the present time; `files` are the paths with their inode numbers.
///
/// # Errors
/// [`Error::MissingComputedFile`] for the first one that is not there.
pub fn substitute(
    tree: &mut FileSystem,
    files: &[(BString, u64)],
    root: &Path,
    cancel: &Cancel,
) -> Result<LocalObjects, Error> {
    let mut local = LocalObjects {
        root: root.to_owned(),
        paths: HashMap::new(),
    };
    let opened = Root::open(root).map_err(|e| Error::io("open", root.as_os_str().as_encoded_bytes(), e))?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    for (path, number) in files {
        let mut file = open(&opened, path)?;
        let (mut hasher, mut size) = (Hasher::new(), 0);
        pieces(&mut file, path, cancel, &mut |piece| {
            hasher.update(piece);
            size += piece.len() as u64;
            Ok(())
        })?;
        let hash = if size == 0 { Hash::ZERO } else { hasher.finish() };
        let Some(inode) = tree.inode_table.get_mut(*number) else {
            continue;
        };
        if let Inode::ComputedRegular(computed) = inode {
            *inode = Inode::Regular(RegularInode {
                mode: computed.mode,
                uid: computed.uid,
                gid: computed.gid,
                mtime_nano_seconds: i32::try_from(now.subsec_nanos()).unwrap_or(0),
                mtime_seconds: i64::try_from(now.as_secs()).unwrap_or(0),
                size,
                hash,
            });
            if size > 0 {
                local.paths.insert(hash, path.clone());
            }
        }
    }
    tree.recount();
    Ok(local)
}

/// Local objects from their files, all others from somewhere else.
pub struct WithLocal<'a> {
    /// The files.
    pub local: &'a LocalObjects,
    /// Asked for the objects that are not local, in order.
    pub rest: &'a mut dyn ObjectSource,
    /// Stops reading.
    pub cancel: Cancel,
}

impl ObjectSource for WithLocal<'_> {
    fn next_object(
        &mut self,
        hash: &Hash,
        size: u64,
        consume: &mut dyn FnMut(&[u8]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let Some(path) = self.local.paths.get(hash) else {
            return self.rest.next_object(hash, size, consume);
        };
        let shown = self.local.root.as_os_str().as_encoded_bytes();
        let root = Root::open(&self.local.root).map_err(|e| Error::io("open", shown, e))?;
        pieces(&mut open(&root, path)?, path, &self.cancel, consume)
    }

    fn next_whole(&mut self, hash: &Hash, size: u64) -> Result<Vec<u8>, Error> {
        if !self.local.paths.contains_key(hash) {
            return self.rest.next_whole(hash, size);
        }
        gather(self, hash, size)
    }

    fn is_verified(&self) -> bool {
        // A local file may have changed since it was hashed.
        self.local.paths.is_empty() && self.rest.is_verified()
    }
}

fn open(root: &Root, path: &BString) -> Result<File, Error> {
    let file = crate::sink::open_regular(root, path).map_err(|_| Error::MissingComputedFile(path.clone()))?;
    match file.metadata() {
        Ok(metadata) if metadata.is_file() => Ok(file),
        _ => Err(Error::MissingComputedFile(path.clone())),
    }
}

fn pieces(
    file: &mut File,
    path: &BString,
    cancel: &Cancel,
    consume: &mut dyn FnMut(&[u8]) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        cancel.check()?;
        let count = file
            .read(&mut piece)
            .map_err(|e| Error::io("read", path.as_bytes(), e))?;
        if count == 0 {
            return Ok(());
        }
        consume(&piece[..count])?;
    }
}
