//! Figures of the store and the index on a directory given as argument: `cargo run --release --example measure DIR`.
//!
//! Writes about 1 GB below DIR and removes nothing. With a second argument it only starts on what an earlier run left, for
//! the memory of a fresh process; if that is `trees` it then asks for all trees as well. Nothing here judges: figures move with the machine and the hour.

// A tool for developers: it may stop with a panic.
#![allow(clippy::unwrap_used)]

use actors::image_index::{AddRequest, Requester};
use actors::{Config, System};
use image::{DirectoryEntry, DirectoryInode, FileSystem, Image, Inode, Package, RegularInode};
use std::path::PathBuf;
use std::time::Instant;

/// An average Debian tree: its objects and their size in bytes.
const OBJECTS: usize = 5300;
const OBJECT_BYTES: usize = 37_000;
/// Objects per commit, and commits in flight, as one AddObjects connection makes them.
const BATCH_OBJECTS: usize = 512;
/// Images for the memory figure.
const IMAGES: usize = 1000;

fn content(number: usize) -> Vec<u8> {
    let mut content = vec![0; OBJECT_BYTES];
    for (at, byte) in content.iter_mut().enumerate() {
        *byte = (at.wrapping_mul(2_654_435_761).wrapping_add(number * 7919) >> 5) as u8;
    }
    content[..8].copy_from_slice(&(number as u64).to_le_bytes());
    content
}

/// Resident memory now and at its highest, MiB.
fn resident_mib() -> [usize; 2] {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    ["VmRSS", "VmHWM"].map(|name| {
        let line = status.lines().find(|line| line.starts_with(name)).unwrap();
        let kib: usize = line.split_whitespace().nth(1).unwrap().parse().unwrap();
        kib / 1024
    })
}

/// Asks for every tree, as many at a time as four eager clients do.
async fn ask_for_trees(system: &System) {
    let begin = Instant::now();
    let names: Vec<_> = system.images.snapshot().images.keys().cloned().collect();
    for some in names.chunks(4) {
        let asked: Vec<_> = some
            .iter()
            .map(|name| {
                let (images, name) = (system.images.clone(), name.clone());
                tokio::spawn(async move { drop(images.image(&name).await.unwrap()) })
            })
            .collect();
        for answer in asked {
            answer.await.unwrap();
        }
    }
    let [now, peak] = resident_mib();
    println!(
        "all trees: {:?}, resident {now} MiB, at most {peak} MiB",
        begin.elapsed()
    );
}

fn start(root: &std::path::Path) -> System {
    let begin = Instant::now();
    let config = Config {
        image_dir: root.join("images"),
        object_dir: root.join("objects"),
        ..Config::default()
    };
    let system = actors::start(config).unwrap();
    let [now, peak] = resident_mib();
    println!(
        "start: {:?}, resident {now} MiB, at most {peak} MiB",
        begin.elapsed()
    );
    println!("{:?}", system.start_report());
    system
}

async fn commit_all(system: &System, contents: &[Vec<u8>]) {
    let lease = std::sync::Arc::new(system.objects.lease());
    let mut running = Vec::new();
    for batch in contents.chunks(BATCH_OBJECTS) {
        let room = system.objects.staging_room(batch.len()).await.unwrap();
        let objects = system.objects.clone();
        let (batch, lease) = (batch.to_vec(), lease.clone());
        running.push(tokio::spawn(async move {
            let backend = objects.backend().clone();
            let staged = tokio::task::spawn_blocking(move || {
                batch
                    .iter()
                    .map(|content| backend.stage_bytes(content).unwrap())
                    .collect()
            });
            let outcomes = objects.commit(staged.await.unwrap(), &lease).await;
            assert!(outcomes.iter().all(Result::is_ok));
            drop(room);
        }));
    }
    for commit in running {
        commit.await.unwrap();
    }
}

fn image_of(hashes: &[hash::Hash]) -> Image {
    let mut tree = FileSystem {
        directory_inode: DirectoryInode::default(),
        ..FileSystem::default()
    };
    let mut inodes = Vec::new();
    for (number, hash) in (1_u64..).zip(hashes) {
        let size = OBJECT_BYTES as u64;
        inodes.push((
            number,
            Inode::Regular(RegularInode {
                hash: *hash,
                size,
                ..RegularInode::default()
            }),
        ));
        let name = format!("file-{number}").into();
        tree.directory_inode.entry_list.push(DirectoryEntry {
            name,
            inode_number: number,
        });
    }
    tree.inode_table = inodes.into();
    tree.recount();
    let package = |number: usize| Package {
        name: format!("package-{number}"),
        size: 4096,
        version: format!("1:2.{number}-3+deb12u1"),
    };
    Image {
        file_system: Some(tree),
        packages: (0..300).map(package).collect(),
        ..Image::default()
    }
}

#[tokio::main]
async fn main() {
    let root = PathBuf::from(std::env::args().nth(1).unwrap());
    std::fs::create_dir_all(root.join("images")).unwrap();
    std::fs::create_dir_all(root.join("objects")).unwrap();
    if let Some(mode) = std::env::args().nth(2) {
        let system = start(&root);
        if mode == "trees" {
            ask_for_trees(&system).await;
        }
        system.stop();
        return;
    }
    let contents: Vec<Vec<u8>> = (0..OBJECTS).map(content).collect();
    let system = start(&root);
    let begin = Instant::now();
    commit_all(&system, &contents).await;
    let rate = OBJECTS as f64 / begin.elapsed().as_secs_f64();
    println!(
        "{OBJECTS} new objects of {OBJECT_BYTES} bytes: {:?}, {rate:.0}/s durable",
        begin.elapsed()
    );
    let begin = Instant::now();
    commit_all(&system, &contents).await;
    println!("the same again: {:?}", begin.elapsed());
    let lease = system.objects.lease();
    let begin = Instant::now();
    for number in 0..100 {
        system
            .objects
            .add(content(OBJECTS + number).into(), &lease)
            .await
            .unwrap();
    }
    println!("one at a time: {:?} each", begin.elapsed() / 100);
    let hashes: Vec<_> = contents.iter().map(|content| hash::of(content)).collect();
    drop(contents);
    for _ in 0..2 {
        let begin = Instant::now();
        let mut reader = system.objects.read_objects(hashes.clone()).unwrap();
        let mut bytes = 0;
        while let Some(chunk) = reader.next_chunk().await {
            bytes += chunk.unwrap().len();
        }
        let rate = bytes as f64 / begin.elapsed().as_secs_f64() / 1e6;
        println!("reading all: {rate:.0} MB/s");
    }
    let image = image_of(&hashes);
    let begin = Instant::now();
    for number in 0..IMAGES {
        let request = AddRequest {
            name: format!("{number}"),
            image: image.clone(),
            requester: Requester::internal(),
            trusted: false,
        };
        system.images.add(request).await.unwrap();
    }
    println!(
        "adding {IMAGES} images of {OBJECTS} objects: {:?} each",
        begin.elapsed() / IMAGES as u32
    );
    let begin = Instant::now();
    drop(system.images.image("7").await.unwrap());
    println!("decoding one: {:?}", begin.elapsed());
    system.stop();
    drop(lease);
    drop(start(&root));
}
