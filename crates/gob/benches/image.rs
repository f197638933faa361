//! An image of 30,000 inodes, as the imageserver decodes and encodes it: `cargo bench -p gob`.

#![allow(missing_docs, reason = "criterion's macros make undocumented functions")]

#[path = "../tests/models/mod.rs"]
mod models;

use criterion::{Criterion, criterion_group, criterion_main};
use gob::{Decoder, Limits, Progress};

use models::{Image, sample};

fn image(c: &mut Criterion) {
    let image = sample::distribution(30_000);
    let bytes = gob::to_vec(&image);
    println!("{} bytes", bytes.len());

    c.bench_function("encode 30,000 inodes", |b| b.iter(|| gob::to_vec(&image)));
    c.bench_function("decode 30,000 inodes", |b| {
        b.iter_with_large_drop(|| match gob::from_slice::<Image>(&bytes, Limits::default()) {
            Ok((image, _)) => image,
            Err(error) => panic!("{error}"),
        });
    });
    c.bench_function("skip 30,000 inodes", |b| {
        b.iter(|| match Decoder::new(Limits::default()).skip_value(&bytes) {
            Ok(Progress::Value { consumed, .. }) => consumed,
            other => panic!("{other:?}"),
        });
    });
    let small = models::GetImageResponse {
        image: None,
        information_database_url: "http://x/".into(),
    };
    let small_bytes = gob::to_vec(&small);
    c.bench_function("encode a small reply with all definitions", |b| {
        b.iter(|| gob::to_vec(&small))
    });
    c.bench_function("decode a small reply with all definitions", |b| {
        b.iter(|| gob::from_slice::<models::GetImageResponse>(&small_bytes, Limits::default()).is_ok());
    });
}

criterion_group!(benches, image);
criterion_main!(benches);
