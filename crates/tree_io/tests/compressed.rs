//! Archives in each of the four compressions.
#![allow(clippy::unwrap_used, clippy::expect_used)] // A test that cannot go on should say where.

use std::collections::HashMap;
use std::io::Read;

use hash::Hash;
use image::{DirectoryEntry, DirectoryInode, FileSystem, Inode, InodeTable, RegularInode};
use tree_io::compress::{Codec, decompressed, tar_compressed_out};
use tree_io::{Cancel, Error, NoSink, ObjectSource, Progress, ScanOptions, tar_in};

const CODECS: [Codec; 4] = [Codec::None, Codec::Gzip, Codec::Bzip2, Codec::Xz];

struct Contents(HashMap<Hash, Vec<u8>>);

impl ObjectSource for Contents {
    fn next_object(
        &mut self,
        hash: &Hash,
        _size: u64,
        consume: &mut dyn FnMut(&[u8]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        // In uneven pieces: what is written must not depend on how it came.
        for piece in self.0[hash].chunks(7 + self.0.len()) {
            consume(piece)?;
        }
        Ok(())
    }
}

/// 1.2 MB that compress neither well nor badly, always the same ones.
fn content() -> Vec<u8> {
    let mut state = 7_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 28) as u8
    };
    (0..1_200_000).map(|_| next()).collect()
}

fn tree() -> (FileSystem, Contents) {
    let contents = [content(), b"hello\n".to_vec()];
    let inode = |content: &Vec<u8>| {
        Inode::Regular(RegularInode {
            mode: 0o100_644,
            mtime_seconds: 1_700_000_000,
            size: content.len() as u64,
            hash: hash::of(content),
            ..RegularInode::default()
        })
    };
    let inodes: Vec<(u64, Inode)> = (1..).zip(contents.iter().map(inode)).collect();
    let entry = |name: &str, inode_number| DirectoryEntry {
        name: name.into(),
        inode_number,
    };
    let mut tree = FileSystem {
        inode_table: InodeTable::from(inodes),
        directory_inode: DirectoryInode {
            entry_list: vec![entry("large", 1), entry("small", 2)],
            mode: 0o040_755,
            ..DirectoryInode::default()
        },
        ..FileSystem::default()
    };
    tree.recount();
    let named = contents.into_iter().map(|content| (hash::of(&content), content));
    (tree, Contents(named.collect()))
}

fn archive(codec: Codec) -> Vec<u8> {
    let (tree, mut contents) = tree();
    let mut out = Vec::new();
    tar_compressed_out(
        &tree,
        codec,
        &mut contents,
        &mut out,
        &Cancel::default(),
        &Progress::default(),
    )
    .unwrap();
    out
}

#[test]
fn one_tree_gives_the_same_bytes_in_every_release() {
    // Digests of published images were told to others: a compressor that changes its bytes must not come in unnoticed.
    let names: Vec<String> = CODECS
        .iter()
        .map(|&codec| hash::of(&archive(codec)).to_string()[..16].to_owned())
        .collect();
    assert_eq!(
        names,
        [
            "7a44d191f23f6132",
            "f0d48f135ca21010",
            "91711d1d1ab02b6a",
            "63396b4be74dfc90"
        ]
    );
}

#[test]
fn what_was_compressed_comes_back_as_the_same_tree() {
    let (tree, _) = tree();
    for codec in CODECS {
        let bytes = archive(codec);
        let input = decompressed(codec, bytes.as_slice());
        let (read, _) = tar_in(input, &ScanOptions::default(), &NoSink).unwrap();
        assert_eq!(read.inode_table.len(), tree.inode_table.len(), "{codec:?}");
        assert_eq!(read.total_data_bytes, tree.total_data_bytes, "{codec:?}");
        let hashes = |tree: &FileSystem| -> Vec<Hash> {
            tree_io::tar_out::wanted(tree)
                .unwrap()
                .iter()
                .map(|(hash, _)| *hash)
                .collect()
        };
        assert_eq!(hashes(&read), hashes(&tree), "{codec:?}");
    }
}

#[test]
fn two_compressed_pieces_are_read_as_one() {
    let bytes = archive(Codec::None);
    let (first, second) = bytes.split_at(bytes.len() / 3);
    let mut gzip = Vec::new();
    for piece in [first, second] {
        let mut encoder = flate2::read::GzEncoder::new(piece, flate2::Compression::fast());
        encoder.read_to_end(&mut gzip).unwrap();
    }
    let mut back = Vec::new();
    decompressed(Codec::Gzip, gzip.as_slice())
        .read_to_end(&mut back)
        .unwrap();
    assert_eq!(back, bytes);
}

#[test]
fn half_an_archive_is_an_error_in_every_compression() {
    for codec in CODECS {
        let bytes = archive(codec);
        let half = &bytes[..bytes.len() / 2];
        let read = tar_in(decompressed(codec, half), &ScanOptions::default(), &NoSink);
        assert!(read.is_err(), "{codec:?}");
    }
}
