//! Lists of a repository of 100,000 images: the filters that look at everything, and the pages that stop early.
#![allow(clippy::unwrap_used, missing_docs, reason = "a benchmark")]

use criterion::{Criterion, criterion_group, criterion_main};
use repository::catalogue::{Catalogue, Entry, write_list, write_one};
use repository::channels::Channels;
use repository::http::{ApiVersion, Parameters};
use repository::list::{ListContext, ListQuery};
use repository::manifest::{Mode, Record, Rules};
use serde_json::json;
use std::hint::black_box;

const IMAGES: u32 = 100_000;
const RULES: Rules = Rules {
    mode: Mode::Datacenter,
    has_channels: false,
};

fn uuid(number: u32) -> String {
    format!("{number:08x}-0000-4000-8000-{number:012x}")
}

fn record(number: u32) -> Record {
    let minutes = number % 525_600;
    let object = json!({
        "v": 2, "uuid": uuid(number), "owner": uuid(1_000_000 + number % 100), "name": format!("image-{}", number % 5000),
        "version": format!("1.{}.0", number / 5000), "state": "active", "disabled": false, "activated": true,
        "public": !number.is_multiple_of(3), "type": "lx-dataset", "os": "linux",
        "published_at": format!("20{:02}-{:02}-{:02}T{:02}:{:02}:00.000Z",
            10 + number / 525_600, minutes / 43_800 + 1, minutes / 1440 % 28 + 1, minutes / 60 % 24, minutes % 60),
        "files": [{
            "sha1": format!("{number:040x}"), "size": 123_456_789, "compression": "gzip", "stor": "local",
            "contentMD5": "jH3ZIq1HSU/ALDiOEsAOrA==", "mtime": "2013-08-22T20:41:08.978Z",
        }],
        "acl": [uuid(1_000_000 + (number + 1) % 100)],
        "description": "An image as there are many, with a line of text that says what is in it and what it is good for.",
        "homepage": "https://images.example.com/", "requirements": {"min_ram": 256, "networks": [{"name": "net0", "description": "public"}]},
        "tags": [format!("role=r{}", number % 40)], "tagsObj": {"role": format!("r{}", number % 40)},
    });
    Record::new(object.as_object().unwrap().clone(), &RULES).unwrap()
}

fn lists(criterion: &mut Criterion) {
    let catalogue = Catalogue::of_entries((0..IMAGES).map(|number| Entry::new(&record(number), RULES.mode)));
    let channels = Channels::default();
    let context = ListContext {
        mode: RULES.mode,
        is_authenticated: false,
        channels: &channels,
    };
    let mut group = criterion.benchmark_group("select of 100,000");
    let queries = [
        ("first page", "limit=20".to_owned()),
        (
            "page in the middle",
            format!("limit=20&marker={}", uuid(IMAGES / 2)),
        ),
        ("last page", "limit=20&sort=published_at.desc".to_owned()),
        ("thousand", String::new()),
        ("name", "name=image-77".to_owned()),
        ("no such name", "name=nothing".to_owned()),
        ("part of a name", "name=~age-499".to_owned()),
        ("no such part", "name=~qq".to_owned()),
        ("no such type", "type=docker".to_owned()),
        ("tag", "tag.role=r7&name=image-7".to_owned()),
        (
            "account and owner",
            format!(
                "account={}&owner={}&public=false&name=image-3",
                uuid(1_000_004),
                uuid(1_000_003)
            ),
        ),
    ];
    for (name, text) in &queries {
        let query = ListQuery::new(&Parameters::parse(text), &context).unwrap();
        group.bench_function(*name, |bencher| {
            bencher.iter(|| catalogue.select(black_box(&query)).unwrap().len())
        });
    }
    group.finish();

    let mut group = criterion.benchmark_group("answer");
    let thousand = catalogue
        .select(&ListQuery::new(&Parameters::default(), &context).unwrap())
        .unwrap();
    group.bench_function("list of 1,000", |bencher| {
        bencher.iter(|| {
            let mut answer = Vec::new();
            write_list(
                thousand.iter().map(|entry| entry.form()),
                ApiVersion::Two,
                false,
                &mut answer,
            );
            answer.len()
        });
    });
    group.bench_function("one image and its tag", |bencher| {
        bencher.iter(|| {
            let mut answer = Vec::new();
            write_one(thousand[0].form(), ApiVersion::Two, false, &mut answer);
            (
                answer.len(),
                thousand[0].form().entity_tag(ApiVersion::Two, false),
            )
        });
    });
    group.finish();

    let text = record(IMAGES / 2).to_stored();
    let name = record(IMAGES / 2).uuid();
    criterion.bench_function("load a record", |bencher| {
        bencher.iter(|| Entry::new(&Record::load(text.as_bytes(), name, &RULES).unwrap(), RULES.mode));
    });
    criterion.bench_function("change one of 100,000", |bencher| {
        bencher.iter_batched(
            || Entry::new(&record(IMAGES / 2), RULES.mode),
            |entry| catalogue.with(entry),
            criterion::BatchSize::SmallInput,
        );
    });
}

criterion_group!(benches, lists);
criterion_main!(benches);
