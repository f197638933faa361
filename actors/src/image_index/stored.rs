//! The index of the image directory as bytes: what of each image is kept in memory, so that a start need not decode its
//! tree. Sans I/O; which of it is still true the caller finds out ([`saved`](super::saved)).
//!
//! Payload: a gob stream of one [`Head`] and then one [`StoredImage`] for each image. What images have in common stands in
//! the head once: hashes, runs of hashes, packages. Numbers refer to places in the lists of the head.

use gob::{Decoder, Encoder, Gob, Limits, Progress};
use hash::Hash;
use image::{ComputedFile, Image, Package};
use storage::frame::{self, Kind, Refused};

/// The version goes up with every change of what follows, of what is checked when an image is decoded, and of what is
/// computed from a tree.
pub(super) const KIND: Kind = Kind {
    tag: *b"imgs",
    version: 1,
};

/// The frame's length bounds the bytes, and these what a value may make of them.
const LIMITS: Limits = Limits {
    max_message_bytes: 1 << 30,
    max_value_bytes: 2 << 30,
    max_types: 4096,
    max_depth: 100,
    max_continuations: 64,
};

/// What images have in common.
#[derive(Debug, Clone, Default, PartialEq, Gob)]
pub(super) struct Head {
    /// Inode of the image directory this is about.
    pub(super) directory_inode: u64,
    /// How many images follow.
    pub(super) images: u64,
    /// Names of objects, 64 bytes each.
    pub(super) hashes: Vec<u8>,
    /// Pieces of object lists, as places in `hashes`.
    pub(super) runs: Vec<Vec<u32>>,
    /// Packages.
    pub(super) packages: Vec<Package>,
}

/// One image.
#[derive(Debug, Clone, Default, PartialEq, Gob)]
pub(super) struct StoredImage {
    pub(super) name: String,
    /// Stamp of the file this is about.
    pub(super) file_bytes: u64,
    pub(super) file_ctime_ns: i64,
    pub(super) file_inode: u64,
    pub(super) checksum: Hash,
    /// Without tree and packages.
    pub(super) metadata: Image,
    pub(super) num_regular_inodes: u64,
    pub(super) total_data_bytes: u64,
    pub(super) usage_estimate: u64,
    pub(super) computed_files: Vec<ComputedFile>,
    /// Regular, their bytes, computed, symbolic links, special, directories.
    pub(super) inodes: [u64; 6],
    /// Places in the head's `runs`.
    pub(super) runs: Vec<u32>,
    /// References that belong to the tree.
    pub(super) of_tree: u64,
    /// Places in the head's `packages`.
    pub(super) packages: Vec<u32>,
}

/// Writes an index image by image, so that there is one copy of it and no more.
pub(super) struct Writer {
    encoder: Encoder,
    payload: Vec<u8>,
}

impl Writer {
    pub(super) fn new(head: &Head) -> Writer {
        let mut encoder = Encoder::new();
        let mut payload = Vec::new();
        encoder.encode(head, &mut payload);
        Writer { encoder, payload }
    }

    pub(super) fn push(&mut self, image: &StoredImage) {
        self.encoder.encode(image, &mut self.payload);
    }

    /// The bytes of the file.
    pub(super) fn finish(self) -> Vec<u8> {
        frame::seal(KIND, &self.payload)
    }
}

/// Reads an index: the head, and the images one by one to `each`.
///
/// # Errors
/// Anything that is not as it was written. `each` may have been called before that is found.
pub(super) fn read<C>(
    content: &[u8],
    begin: impl FnOnce(Head) -> Result<C, Refused>,
    mut each: impl FnMut(&mut C, StoredImage) -> Result<(), Refused>,
) -> Result<C, Refused> {
    let mut rest = frame::open(KIND, content)?;
    let mut decoder = Decoder::new(LIMITS);
    let head: Head = value(&mut decoder, &mut rest)?;
    let mut left = head.images;
    let mut context = begin(head)?;
    while !rest.is_empty() {
        left = left
            .checked_sub(1)
            .ok_or_else(|| contradiction("more images than counted"))?;
        each(&mut context, value(&mut decoder, &mut rest)?)?;
    }
    if left != 0 {
        return Err(contradiction("fewer images than counted"));
    }
    Ok(context)
}

fn value<T: Gob>(decoder: &mut Decoder, rest: &mut &[u8]) -> Result<T, Refused> {
    match decoder.decode(rest) {
        Ok(Progress::Value { value, consumed }) => {
            *rest = rest.get(consumed..).unwrap_or_default();
            Ok(value)
        }
        Ok(Progress::NeedMore { .. }) => Err(contradiction("cut short")),
        Err(error) => Err(Refused::Contents(error.to_string())),
    }
}

pub(super) fn contradiction(what: &str) -> Refused {
    Refused::Contents(what.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read_all(content: &[u8]) -> Result<(Head, Vec<StoredImage>), Refused> {
        read(
            content,
            |head| Ok((head, Vec::new())),
            |(_, images), image| {
                images.push(image);
                Ok(())
            },
        )
    }

    fn image() -> impl Strategy<Value = StoredImage> {
        let numbers = proptest::collection::vec(any::<u32>(), 0..5);
        let inodes = any::<[u64; 6]>();
        (
            ".{0,20}",
            any::<i64>(),
            any::<[u64; 2]>(),
            numbers,
            inodes,
            ".{0,9}",
        )
            .prop_map(
                |(name, file_ctime_ns, [file_bytes, of_tree], runs, inodes, tag)| StoredImage {
                    checksum: hash::of(name.as_bytes()),
                    metadata: Image {
                        tags: [(tag.clone(), name.clone())].into(),
                        created_by: tag.clone(),
                        ..Image::default()
                    },
                    computed_files: vec![ComputedFile {
                        filename: name.clone(),
                        source: tag,
                    }],
                    packages: runs.clone(),
                    name,
                    file_bytes,
                    file_ctime_ns,
                    file_inode: 7,
                    inodes,
                    runs,
                    of_tree,
                    ..StoredImage::default()
                },
            )
    }

    proptest! {
        #[test]
        fn an_index_gives_back_what_was_put_in(
            images in proptest::collection::vec(image(), 0..5), runs in any::<Vec<Vec<u32>>>(), more in any::<bool>(),
        ) {
            let head = Head {
                directory_inode: 3,
                images: images.len() as u64,
                hashes: vec![9; 64],
                runs,
                packages: vec![Package { name: "bash".to_owned(), size: 1, version: "5".to_owned() }],
            };
            let mut writer = Writer::new(&head);
            images.iter().for_each(|image| writer.push(image));
            prop_assert_eq!(read_all(&writer.finish()), Ok((head.clone(), images.clone())));
            let images_counted = if more { head.images + 1 } else { head.images.wrapping_sub(1) };
            let mut writer = Writer::new(&Head { images: images_counted, ..head });
            images.iter().for_each(|image| writer.push(image));
            prop_assert!(read_all(&writer.finish()).is_err());
        }

        /// The checksum keeps accidents out; these bytes have a right one.
        #[test]
        fn any_payload_is_read_or_refused_without_a_panic(payload in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = read_all(&frame::seal(KIND, &payload));
        }

        #[test]
        fn a_payload_changed_in_one_place_is_read_or_refused_without_a_panic(
            images in proptest::collection::vec(image(), 1..3), at in any::<prop::sample::Index>(), byte in any::<u8>(),
        ) {
            let mut writer = Writer::new(&Head { images: images.len() as u64, ..Head::default() });
            images.iter().for_each(|image| writer.push(image));
            let mut payload = writer.payload;
            let at = at.index(payload.len());
            payload[at] = byte;
            let _ = read_all(&frame::seal(KIND, &payload));
        }
    }
}
