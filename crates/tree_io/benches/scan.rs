//! Scanning and hashing a directory tree that is in the page cache.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    reason = "criterion's macros, and a bench that cannot go on has failed"
)]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::num::NonZeroUsize;
use std::path::Path;
use tree_io::{NoSink, ScanOptions};

/// Files of usual size, in directories of forty.
const FILES: usize = 2_000;
const FILES_PER_DIRECTORY: usize = 40;
/// Bytes of each: half of the files of a system are smaller than 2 kB, a few are much larger.
const SMALL_BYTES: usize = 2_000;
const LARGE_BYTES: usize = 200_000;
/// One file in so many is large.
const LARGE_EVERY: usize = 20;

/// Makes the tree; gives the bytes of its files.
fn make(root: &Path) -> u64 {
    let mut total = 0;
    for number in 0..FILES {
        let directory = root.join(format!("directory{:03}", number / FILES_PER_DIRECTORY));
        std::fs::create_dir_all(&directory).unwrap();
        let size = if number % LARGE_EVERY == 0 {
            LARGE_BYTES
        } else {
            SMALL_BYTES
        };
        let mut data = vec![b'x'; size];
        data[..8].copy_from_slice(&number.to_le_bytes());
        std::fs::write(directory.join(format!("file{number:05}")), &data).unwrap();
        total += size as u64;
    }
    total
}

fn scanning(criterion: &mut Criterion) {
    let directory = tempfile::tempdir().unwrap();
    let bytes = make(directory.path());
    let mut group = criterion.benchmark_group("scan");
    group.throughput(Throughput::Bytes(bytes));
    for (name, threads) in [("1 thread", NonZeroUsize::new(1)), ("all cores", None)] {
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let options = ScanOptions {
                    threads,
                    ..ScanOptions::default()
                };
                tree_io::scan(directory.path(), &options, &NoSink).unwrap()
            });
        });
    }
    group.finish();
}

criterion_group!(benches, scanning);
criterion_main!(benches);
