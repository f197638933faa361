//! Matching the paths of a machine against a filter of usual size.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    reason = "criterion's macros, and a bench that cannot go on has failed"
)]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use image::filter::CompiledFilter;

/// About as many as a Debian server has files.
const PATHS: usize = 30_000;

/// Lines as filters of real images have them; the last three are no literal form.
const LINES: [&str; 12] = [
    "/data/.*",
    "/home/.*",
    "/tmp/.*",
    "/var/log/.*",
    "/var/mail/.*",
    "/etc/machine-id$",
    "/var/cache(|/.*)$",
    "/.*[.]dpkg-new.*",
    "/etc/ssh/ssh_host_.*_key(|.pub)$",
    "/etc/.*[.]db",
    "/var/lib/(dpkg|apt)/lists",
    "/usr/lib/python3[.][0-9]+/.*[.]pyc$",
];

fn paths() -> Vec<String> {
    let directories = [
        "/usr/share/doc",
        "/usr/lib/python3.11/site-packages",
        "/etc/ssh",
        "/var/lib/dpkg/info",
        "/bin",
    ];
    (0..PATHS)
        .map(|at| {
            format!(
                "{}/package-{}/file{at}.py",
                directories[at % directories.len()],
                at / 40
            )
        })
        .collect()
}

fn matching(criterion: &mut Criterion) {
    let paths = paths();
    let mut group = criterion.benchmark_group("filter");
    group.throughput(Throughput::Elements(PATHS as u64));
    for (name, lines) in [("literal", &LINES[..8]), ("mixed", &LINES[..])] {
        let filter = CompiledFilter::from_lines(lines.iter().copied()).unwrap();
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                paths
                    .iter()
                    .filter(|path| filter.matches(path.as_bytes()))
                    .count()
            });
        });
    }
    group.finish();
    criterion.bench_function("filter/compile", |bencher| {
        bencher.iter(|| CompiledFilter::from_lines(LINES).unwrap());
    });
}

criterion_group!(benches, matching);
criterion_main!(benches);
