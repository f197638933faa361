//! Many images that share almost all their objects, as the images of a stream do.

use super::scratch::{Home, Scratch};
use super::stock::{Stock, keep};
use anyhow::{Context, anyhow};
use image::{FileSystem, Filter, Image, Inode, Triggers};
use std::num::NonZeroUsize;
use std::path::Path;

/// Files in which each image differs from all others.
const CHANGES: usize = 2;
/// Images of one directory.
const IMAGES_PER_DIRECTORY: u32 = 100;

/// Name of an image by its number, counted from 0.
pub(crate) fn name(number: u32) -> String {
    let (stream, version) = (number / IMAGES_PER_DIRECTORY, number % IMAGES_PER_DIRECTORY);
    format!("streams/stream-{stream:04}/{version:02}")
}

/// Adds the images of these numbers to a store, on all cores.
pub(crate) fn fill(
    scratch: &Scratch,
    stock: &Stock,
    home: &Home,
    numbers: std::ops::Range<u32>,
) -> anyhow::Result<()> {
    let threads = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|first| {
                let own = numbers.clone().skip(first).step_by(threads);
                scope.spawn(move || -> anyhow::Result<()> {
                    for number in own {
                        add(stock, home, number)?;
                    }
                    Ok(())
                })
            })
            .collect();
        for worker in workers {
            worker
                .join()
                .map_err(|_| anyhow!("a thread that makes images died"))??;
        }
        Ok::<_, anyhow::Error>(())
    })?;
    scratch.hand_over(&home.images)?;
    scratch.hand_over(&home.objects)
}

fn add(stock: &Stock, home: &Home, number: u32) -> anyhow::Result<()> {
    let mut tree = stock.tree.clone();
    let name = name(number);
    for data in change(&mut tree, &name, CHANGES) {
        keep(&home.objects, &hash::of(&data), &data)?;
    }
    write_image(&home.images.join(&name), tree)
}

/// Gives some files contents that no other tree has, and tells these.
pub(crate) fn change(tree: &mut FileSystem, name: &str, count: usize) -> Vec<Vec<u8>> {
    let files = Stock::files(tree);
    let step = (files.len() / count.max(1)).max(1);
    let chosen: Vec<u64> = files.into_iter().step_by(step).take(count).collect();
    let mut contents = Vec::new();
    for number in chosen {
        let Some(Inode::Regular(file)) = tree.inode_table.get_mut(number) else {
            continue;
        };
        let data = format!("inode {number} of {name}\n").into_bytes();
        file.hash = hash::of(&data);
        file.size = data.len() as u64;
        contents.push(data);
    }
    tree.recount();
    contents
}

/// Writes an image file (imageserver.md §6.2).
pub(crate) fn write_image(path: &Path, tree: FileSystem) -> anyhow::Result<()> {
    let image = Image {
        created_by: "bench".to_owned(),
        // With none, the other implementation finds no latest image.
        created_on: std::time::SystemTime::now().into(),
        filter: Some(Filter::default()),
        triggers: Some(Triggers::default()),
        file_system: Some(tree),
        ..Image::default()
    };
    let directory = path.parent().context("an image lies in a directory")?;
    std::fs::create_dir_all(directory)?;
    std::fs::write(path, protocol::image_file::encode(&image)).with_context(|| path.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::RegularInode;

    #[test]
    fn each_variant_has_contents_of_its_own() {
        let file = |size| {
            Inode::Regular(RegularInode {
                size,
                ..RegularInode::default()
            })
        };
        let mut base = FileSystem {
            inode_table: vec![(1, file(0)), (2, file(5)), (3, file(6)), (4, file(7))].into(),
            ..FileSystem::default()
        };
        base.recount();
        let (mut one, mut two) = (base.clone(), base.clone());
        let (ones, twos) = (change(&mut one, "one", CHANGES), change(&mut two, "two", CHANGES));
        assert_eq!((ones.len(), twos.len()), (CHANGES, CHANGES));
        assert!(ones.iter().all(|data| !twos.contains(data)));
        assert_ne!(one, two);
        assert_eq!(
            one.inode_table.get(1),
            base.inode_table.get(1),
            "an empty file has no object"
        );
    }
}
