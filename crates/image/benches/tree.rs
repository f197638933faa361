//! What is done to every tree a server takes or a client looks at.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    reason = "criterion's macros, and a bench that cannot go on has failed"
)]

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use gob::Limits;
use image::filter::CompiledFilter;
use image::walk::Walk;
use image::{DirectoryEntry, DirectoryInode, FileSystem, Inode, RegularInode};

/// Files of the tree, in directories of forty.
const FILES: u64 = 30_000;
const FILES_PER_DIRECTORY: u64 = 40;

fn tree() -> FileSystem {
    let mut table = Vec::new();
    let mut root = Vec::new();
    for directory in 0..FILES / FILES_PER_DIRECTORY {
        let first = 1 + directory * (FILES_PER_DIRECTORY + 1);
        let mut entry_list = Vec::new();
        for number in first + 1..=first + FILES_PER_DIRECTORY {
            let hash = hash::of(&number.to_be_bytes());
            let inode = RegularInode {
                mode: 0o100_644,
                size: number,
                hash,
                ..RegularInode::default()
            };
            table.push((number, Inode::Regular(inode)));
            entry_list.push(DirectoryEntry {
                name: format!("file{number:08}").into(),
                inode_number: number,
            });
        }
        let inode = DirectoryInode {
            entry_list,
            mode: 0o040_755,
            ..DirectoryInode::default()
        };
        table.push((first, Inode::Directory(inode)));
        root.push(DirectoryEntry {
            name: format!("directory{directory:05}").into(),
            inode_number: first,
        });
    }
    let mut tree = FileSystem {
        inode_table: table.into(),
        ..FileSystem::default()
    };
    tree.directory_inode.entry_list = root;
    tree.recount();
    tree
}

fn trees(criterion: &mut Criterion) {
    let tree = tree();
    let encoded = gob::to_vec(&tree);
    let filter = CompiledFilter::from_lines(["/directory0000", "/.*file0000.*"]).unwrap();
    let mut group = criterion.benchmark_group("tree");
    group.throughput(Throughput::Elements(FILES));
    group.bench_function("decode", |bencher| {
        bencher.iter(|| gob::from_slice::<FileSystem>(&encoded, Limits::default()).unwrap());
    });
    group.bench_function("encode", |bencher| bencher.iter(|| gob::to_vec(&tree)));
    group.bench_function("json", |bencher| {
        bencher.iter(|| image::go_json::to_line(&tree).unwrap())
    });
    group.bench_function("check", |bencher| bencher.iter(|| tree.check().unwrap()));
    group.bench_function("walk", |bencher| {
        bencher.iter(|| {
            let mut walk = Walk::new(&tree);
            let mut bytes = 0;
            while let Some(visit) = walk.next_visit() {
                bytes += visit.path.len();
            }
            bytes
        });
    });
    group.bench_function("diff", |bencher| {
        bencher.iter(|| image::diff::diff(&tree, &tree).len())
    });
    group.bench_function("apply filter", |bencher| {
        bencher.iter_batched(
            || tree.clone(),
            |mut tree| tree.apply_filter(&filter),
            BatchSize::LargeInput,
        );
    });
    group.finish();
}

criterion_group!(benches, trees);
criterion_main!(benches);
