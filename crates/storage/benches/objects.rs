//! Objects into a real directory, durable: staging and group commit. The directory is below the temporary directory of the
//! system (`TMPDIR`): on a `tmpfs` flushing costs nothing, so point it at a disk.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    reason = "criterion's macros, and a bench that cannot go on has failed"
)]

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use std::cell::Cell;
use storage::{LocalObjects, ObjectBackend, Staged};

/// Bytes of each object: about the middle of those of a system.
const OBJECT_BYTES: usize = 4_000;
/// Objects of one commit.
const GROUPS: [usize; 3] = [1, 32, 512];

/// Contents that were never stored before.
fn contents(next: &Cell<u64>, count: usize) -> Vec<Vec<u8>> {
    let content = |_| {
        let number = next.replace(next.get() + 1);
        let mut data = vec![b'x'; OBJECT_BYTES];
        data[..8].copy_from_slice(&number.to_le_bytes());
        data
    };
    (0..count).map(content).collect()
}

fn add(objects: &LocalObjects, contents: &[Vec<u8>]) {
    let staged: Vec<Staged> = contents
        .iter()
        .map(|data| objects.stage_bytes(data).unwrap())
        .collect();
    for committed in objects.commit(staged) {
        assert!(committed.unwrap().newly_added);
    }
}

fn adding(criterion: &mut Criterion) {
    let directory = tempfile::tempdir().unwrap();
    let objects = LocalObjects::open(directory.path()).unwrap();
    let next = Cell::new(0);
    let mut group = criterion.benchmark_group("add objects");
    // Each run leaves its objects on the disk.
    group.sample_size(10);
    for count in GROUPS {
        group.throughput(Throughput::Elements(count as u64));
        group.bench_function(format!("groups of {count}"), |bencher| {
            bencher.iter_batched(
                || contents(&next, count),
                |contents| add(&objects, &contents),
                BatchSize::PerIteration,
            );
        });
    }
    group.finish();
}

criterion_group!(benches, adding);
criterion_main!(benches);
