//! Doors for fuzz targets into what is private; not part of the interface.

use super::stored::{self, Head, StoredImage, Writer};
use storage::frame::{Kind, Refused};

/// What the index of images is.
pub const INDEX_KIND: Kind = stored::KIND;

/// An index read and written again.
///
/// # Errors
/// It is not believed.
pub fn rewrite_index(content: &[u8]) -> Result<Vec<u8>, Refused> {
    let read = stored::read(
        content,
        |head| Ok(Writer::new(&head)),
        |writer, image| {
            writer.push(&image);
            Ok(())
        },
    );
    read.map(Writer::finish)
}

/// The payload of an index with an image in it.
pub fn sample_index() -> Vec<u8> {
    let head = Head {
        directory_inode: 7,
        images: 1,
        hashes: vec![1; 128],
        runs: vec![vec![0, 1], vec![1]],
        packages: vec![image::Package {
            name: "a".to_owned(),
            size: 1,
            version: "1.0".to_owned(),
        }],
    };
    let mut writer = Writer::new(&head);
    writer.push(&StoredImage {
        name: "a/b".to_owned(),
        file_bytes: 100,
        inodes: [1, 2, 3, 4, 5, 6],
        runs: vec![0, 1],
        of_tree: 2,
        packages: vec![0],
        ..StoredImage::default()
    });
    let sealed = writer.finish();
    storage::frame::open(stored::KIND, &sealed)
        .map(<[u8]>::to_vec)
        .unwrap_or_default()
}
