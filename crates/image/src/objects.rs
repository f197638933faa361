//! The objects an image needs (imageserver.md §2.4, §6.8).

use std::collections::HashSet;

use hash::Hash;

use crate::{FileSystem, Image, Inode};

/// Every reference of a tree to an object with its size in bytes, by inode number: one per regular inode that is not
/// empty, so an object used by two inodes comes twice.
pub fn of_tree(tree: &FileSystem) -> impl Iterator<Item = (Hash, u64)> {
    tree.inode_table.iter().filter_map(|(_, inode)| match inode {
        Inode::Regular(inode) if inode.size > 0 => Some((inode.hash, inode.size)),
        _ => None,
    })
}

/// The objects of the release notes and the build log.
pub fn of_annotations(image: &Image) -> impl Iterator<Item = Hash> {
    [&image.release_notes, &image.build_log]
        .into_iter()
        .flatten()
        .filter_map(|annotation| annotation.object)
}

/// Every reference of an image, as reference counts are kept: tree, release notes, build log. The size of an annotation
/// is not known from the image: `None`.
pub fn references(image: &Image) -> impl Iterator<Item = (Hash, Option<u64>)> {
    let tree = image
        .file_system
        .iter()
        .flat_map(of_tree)
        .map(|(hash, size)| (hash, Some(size)));
    tree.chain(of_annotations(image).map(|hash| (hash, None)))
}

/// The objects of an image, each once, in order of first appearance.
pub fn distinct(image: &Image) -> Vec<(Hash, Option<u64>)> {
    let mut seen = HashSet::new();
    references(image).filter(|(hash, _)| seen.insert(*hash)).collect()
}

/// What [`missing_error`] says about objects that are not available.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MissingObjects {
    /// One.
    #[error("object: {0} is not available")]
    One(Hash),
    /// Several.
    #[error("{0} objects are not available")]
    Several(usize),
}

/// The error for objects an image needs that are not there; `None` if all are.
pub fn missing_error(missing: &[Hash]) -> Option<MissingObjects> {
    match missing {
        [] => None,
        [one] => Some(MissingObjects::One(*one)),
        several => Some(MissingObjects::Several(several.len())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Annotation, RegularInode};

    #[test]
    fn references_count_every_use_and_empty_files_have_none() {
        let (a, b) = (hash::of(b"a"), hash::of(b"b"));
        let file = |hash, size| {
            Inode::Regular(RegularInode {
                hash,
                size,
                ..RegularInode::default()
            })
        };
        let table = [(1, file(a, 1)), (2, file(a, 1)), (3, file(Hash::ZERO, 0))]
            .into_iter()
            .collect();
        let image = Image {
            file_system: Some(FileSystem {
                inode_table: table,
                ..FileSystem::default()
            }),
            build_log: Some(Annotation {
                object: Some(b),
                url: String::new(),
            }),
            release_notes: Some(Annotation {
                object: None,
                url: "http://host".into(),
            }),
            ..Image::default()
        };
        assert_eq!(
            references(&image).collect::<Vec<_>>(),
            [(a, Some(1)), (a, Some(1)), (b, None)]
        );
        assert_eq!(distinct(&image), [(a, Some(1)), (b, None)]);
    }

    #[test]
    fn the_error_names_one_object_and_counts_more() {
        let hash = hash::of(b"a");
        assert_eq!(missing_error(&[]), None);
        let one = missing_error(&[hash]).map(|error| error.to_string());
        assert_eq!(one, Some(format!("object: {hash} is not available")));
        let two = missing_error(&[hash, hash]).map(|error| error.to_string());
        assert_eq!(two, Some("2 objects are not available".into()));
    }
}
