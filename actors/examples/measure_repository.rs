//! Figures of the image repository on a directory given as argument: `cargo run --release --example measure_repository DIR [IMAGES]`.
//!
//! Writes some 10 kB an image below DIR and removes nothing. With `start` in place of the number it only starts on what an earlier
//! run left, for the memory of a fresh process. Nothing here judges: figures move with the machine and the hour.

// A tool for developers: it may stop with a panic.
#![allow(clippy::unwrap_used)]

use actors::image_repository::{ImageRepositorySystem, RepositoryStore, start};
use repository::catalogue::write_list;
use repository::channels::Channels;
use repository::http::{ApiVersion, Parameters};
use repository::list::{ListContext, ListQuery};
use repository::manifest::{Mode, Record, Rules};
use repository::{Uuid, layout};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::time::Instant;

const IMAGES: u32 = 100_000;
/// Changes for the figures of changing.
const CHANGES: u32 = 200;
const RULES: Rules = Rules {
    mode: Mode::Public,
    has_channels: false,
};

fn uuid(number: u32) -> Uuid {
    // As random ones: spread over all directories.
    let number = u128::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
    Uuid::from_random(number.to_be_bytes())
}

fn record(number: u32, version: &str) -> Record {
    let minutes = number % 525_600;
    let object = json!({
        "v": 2, "uuid": uuid(number).to_string(), "owner": uuid(1_000_000 + number % 100).to_string(),
        "name": format!("image-{}", number % 5000), "version": version, "state": "active", "disabled": false, "activated": true,
        "public": true, "type": "lx-dataset", "os": "linux",
        "published_at": format!("2020-{:02}-{:02}T{:02}:{:02}:00.000Z",
            minutes / 43_800 + 1, minutes / 1440 % 28 + 1, minutes / 60 % 24, minutes % 60),
        "files": [{
            "sha1": format!("{number:040x}"), "size": 123_456_789, "compression": "gzip", "stor": "local",
            "contentMD5": "jH3ZIq1HSU/ALDiOEsAOrA==", "mtime": "2013-08-22T20:41:08.978Z",
        }],
        "acl": [uuid(1_000_000 + (number + 1) % 100).to_string()],
        "description": "An image as there are many, with a line of text that says what is in it and what it is good for.",
        "homepage": "https://images.example.com/", "requirements": {"min_ram": 256, "networks": [{"name": "net0", "description": "public"}]},
        "tags": [format!("role=r{}", number % 40)], "tagsObj": {"role": format!("r{}", number % 40)},
    });
    Record::new(object.as_object().unwrap().clone(), &RULES).unwrap()
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

fn started(base: &Path, what: &str) -> ImageRepositorySystem {
    let begin = Instant::now();
    let system = start(RepositoryStore::new(base, RULES)).unwrap();
    let [now, peak] = resident_mib();
    println!(
        "{what}: {:?}, {} images, {} read, resident {now} MiB, at most {peak} MiB",
        begin.elapsed(),
        system.report().images,
        system.report().read
    );
    system
}

fn write_records(base: &Path, images: u32) {
    let begin = Instant::now();
    for area in [layout::MANIFESTS, layout::IMAGES, layout::ARCHIVE] {
        std::fs::create_dir_all(base.join(area)).unwrap();
    }
    for number in 0..images {
        let path = base.join(layout::record(uuid(number)));
        std::fs::write(path, record(number, "1.0.0").to_stored()).unwrap();
    }
    println!("{images} records written as they are: {:?}", begin.elapsed());
}

fn list(system: &ImageRepositorySystem) {
    let channels = Channels::default();
    let context = ListContext {
        mode: RULES.mode,
        is_authenticated: false,
        channels: &channels,
    };
    for text in ["", "name=image-77", "name=~age-499", "tag.role=r7"] {
        let query = ListQuery::new(&Parameters::parse(text), &context).unwrap();
        let begin = Instant::now();
        let catalogue = system.repository().catalogue();
        let found = catalogue.select(&query).unwrap();
        let mut answer = Vec::new();
        write_list(
            found.iter().map(|entry| entry.form()),
            ApiVersion::Two,
            false,
            &mut answer,
        );
        println!(
            "list ?{text}: {:?}, {} images, {} kB",
            begin.elapsed(),
            found.len(),
            answer.len() / 1000
        );
    }
}

async fn change(system: &ImageRepositorySystem) {
    let repository = system.repository();
    let begin = Instant::now();
    for number in 0..CHANGES {
        let stored = repository.record(uuid(number)).await.unwrap().unwrap();
        let next = record(number, "1.0.1");
        repository.replace(next, stored.revision).await.unwrap();
    }
    println!("one change after the other: {:?} each", begin.elapsed() / CHANGES);
    let begin = Instant::now();
    let mut tasks = Vec::new();
    for number in 0..CHANGES {
        let repository = repository.clone();
        tasks.push(tokio::spawn(async move {
            let stored = repository.record(uuid(number)).await.unwrap().unwrap();
            let next = record(number, "1.0.2");
            repository.replace(next, stored.revision).await.unwrap();
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    println!("{CHANGES} changes at once: {:?} each", begin.elapsed() / CHANGES);
}

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let base = PathBuf::from(arguments.next().unwrap_or_else(|| ".".to_owned()));
    let images = arguments.next();
    if images.as_deref() == Some("start") {
        let system = started(&base, "start");
        list(&system);
        return system.stop();
    }
    let images = images.and_then(|text| text.parse().ok()).unwrap_or(IMAGES);
    write_records(&base, images);
    let system = started(&base, "start without the index");
    let begin = Instant::now();
    system.repository().tidied().await;
    println!("archived manifests and the index written: {:?}", begin.elapsed());
    list(&system);
    change(&system).await;
    let begin = Instant::now();
    system.stop();
    println!("stop: {:?}", begin.elapsed());
    let system = started(&base, "start with the index");
    system.stop();
}
