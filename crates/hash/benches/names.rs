//! Naming objects one by one and many at once.

#![allow(missing_docs)] // criterion's macros make public items

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};

/// Lengths in bytes, and how many of each: a megabyte or so.
const SHAPES: [(usize, usize); 4] = [(600, 1700), (4 << 10, 256), (64 << 10, 16), (1 << 20, 8)];

fn names(criterion: &mut Criterion) {
    for (length, count) in SHAPES {
        let contents: Vec<Vec<u8>> = (0..count).map(|salt| vec![salt as u8; length]).collect();
        let slices: Vec<&[u8]> = contents.iter().map(Vec::as_slice).collect();
        let mut group = criterion.benchmark_group(format!("{count} objects of {length} bytes"));
        group.throughput(Throughput::Bytes((length * count) as u64));
        group.bench_function("one by one", |bencher| {
            bencher.iter(|| slices.iter().map(|content| hash::of(content)).collect::<Vec<_>>());
        });
        group.bench_function("many at once", |bencher| {
            bencher.iter_batched(
                || slices.clone(),
                |slices| hash::of_each(&slices),
                BatchSize::SmallInput,
            );
        });
        group.finish();
    }
}

criterion_group!(benches, names);
criterion_main!(benches);
