//! A tree becomes a tar archive (`imagetool.md §6.3`).
//!
//! The form is the original's to the byte: names start with `./`, the mode field holds the whole `st_mode` with its type bits (not for
//! symbolic links), directories
//! and links have time 0, further names of an inode are hard links to the first, computed files are empty, owners have
//! no names. The same tree always gives the same bytes.

mod entries;
mod header;

use std::collections::HashMap;
use std::io::{self, Write};

use bstr::{BString, ByteSlice};
use hash::Hash;
use image::{FileSystem, Inode};

use crate::error::Error;
use crate::source::{ObjectSource, Verifier};
use crate::{Cancel, Progress};
use entries::Entries;
use header::{BLOCK_BYTES, Fields};

/// The objects [`tar_out`] will take, in its order: one for each inode, so an object that several inodes share comes again.
///
/// # Errors
/// A malformed tree.
pub fn wanted(tree: &FileSystem) -> Result<Vec<(Hash, u64)>, Error> {
    let mut seen = std::collections::HashSet::new();
    let mut wanted = Vec::new();
    for entry in Entries::new(tree)? {
        let (_, number, inode) = entry?;
        if let Inode::Regular(regular) = inode
            && regular.size > 0
            && seen.insert(number)
        {
            wanted.push((regular.hash, regular.size));
        }
    }
    Ok(wanted)
}

/// Writes `tree` as an archive to `output`, end mark included, and flushes that.
///
/// # Errors
/// A malformed tree, a failing writer or source, a damaged object. `output` then holds part of an archive.
pub fn tar_out(
    tree: &FileSystem,
    objects: &mut dyn ObjectSource,
    output: &mut dyn Write,
    cancel: &Cancel,
    progress: &Progress,
) -> Result<(), Error> {
    let mut first_names: HashMap<u64, BString> = HashMap::new();
    let root = Fields::directory("./", &tree.directory_inode);
    write(output, &root.encode())?;
    for entry in Entries::new(tree)? {
        cancel.check()?;
        let (path, number, inode) = entry?;
        progress.add_entries(1);
        let mut name = BString::from(".");
        name.extend_from_slice(&path);
        if let Inode::Directory(directory) = inode {
            name.push(b'/');
            write(output, &Fields::directory(&name, directory).encode())?;
            continue;
        }
        if let Some(first) = first_names.get(&number) {
            write(output, &Fields::hard_link(&name, first, inode).encode())?;
            continue;
        }
        let fields = Fields::of(&name, inode)?;
        write(output, &fields.encode())?;
        if let Inode::Regular(regular) = inode
            && regular.size > 0
        {
            content(&regular.hash, regular.size, objects, output, cancel, progress)?;
        }
        first_names.insert(number, name);
    }
    write(output, &[0; 2 * BLOCK_BYTES])?;
    output.flush().map_err(|e| Error::io("write", "archive", e))
}

/// As [`tar_out`], compressed with gzip; without a time or name in its header, so that it is deterministic too.
///
/// # Errors
/// As [`tar_out`].
pub fn tar_gz_out(
    tree: &FileSystem,
    objects: &mut dyn ObjectSource,
    output: &mut dyn Write,
    cancel: &Cancel,
    progress: &Progress,
) -> Result<(), Error> {
    let mut compressed = flate2::write::GzEncoder::new(output, flate2::Compression::default());
    tar_out(tree, objects, &mut compressed, cancel, progress)?;
    let finish = |compressed: flate2::write::GzEncoder<&mut dyn Write>| -> io::Result<()> {
        compressed.finish()?.flush()
    };
    finish(compressed).map_err(|e| Error::io("write", "archive", e))
}

fn content(
    hash: &Hash,
    size: u64,
    objects: &mut dyn ObjectSource,
    output: &mut dyn Write,
    cancel: &Cancel,
    progress: &Progress,
) -> Result<(), Error> {
    let mut verifier = (!objects.is_verified()).then(|| Verifier::new(*hash, size));
    let mut got = 0;
    objects.next_object(hash, size, &mut |piece| {
        cancel.check()?;
        got += piece.len() as u64;
        if let Some(verifier) = &mut verifier {
            verifier.update(piece)?;
        }
        progress.add_bytes(piece.len() as u64);
        write(output, piece)
    })?;
    if let Some(verifier) = verifier {
        verifier.finish()?;
    }
    if got != size {
        return Err(Error::WrongLength {
            hash: Box::new(*hash),
            size,
            got,
        });
    }
    progress.add_file();
    let block = BLOCK_BYTES as u64;
    let padding = usize::try_from((block - size % block) % block).unwrap_or(0);
    write(output, &[0; BLOCK_BYTES][..padding])
}

fn write(output: &mut dyn Write, data: &[u8]) -> Result<(), Error> {
    output
        .write_all(data)
        .map_err(|e| Error::io("write", b"archive".as_bstr(), e))
}
