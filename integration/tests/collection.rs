//! What no image needs any more is deleted when room is wanted, longest unneeded first; what an image needs, or is about to
//! need, never is.

// Helpers of tests are tests.
#![allow(clippy::unwrap_used)]

use anyhow::{Result, ensure};
use gob::Time;
use integration::images::{add, delete, names, object_sizes, put, store};
use integration::random::{Random, rounds};
use integration::server::{Home, INSECURE, ImageServer};
use integration::small_disk::{SmallDisk, obstacle};
use integration::told::{add_whole, image_of};
use integration::tool::Tool;
use integration::wait::until;
use integration::whole::{self, Contents};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Environment variable with the seconds for which clients and the collector race.
const SECONDS_VARIABLE: &str = "IMAGEWRIGHT_COLLECTION_SECONDS";
const SHORT_SECONDS: usize = 4;
const CLIENTS: usize = 8;
/// Contents that images are made of: few enough that they come again, and enough that some are unneeded meanwhile.
const POOL: usize = 8000;
/// Images of a client before it deletes one.
const KEPT_IMAGES: usize = 6;

fn tool(server: &ImageServer, home: &Home) -> Tool {
    Tool::new(server, Path::new("/nonexistent"), home.path())
}

/// Names of unreferenced objects with their sizes, in the server's order.
fn unreferenced(tool: &Tool) -> Vec<String> {
    let listed = tool.must(&["showunrefobj"]).unwrap();
    listed.lines().map(str::to_owned).collect()
}

struct Client<'s> {
    server: &'s ImageServer,
    number: usize,
    random: Random,
    images: Vec<(String, Contents)>,
    added: u64,
    deleted: u64,
    again: u64,
}

impl Client<'_> {
    fn pooled(&mut self) -> Vec<u8> {
        let number = self.random.below(POOL);
        Random::new(number as u64).bytes(200 + number % 2000)
    }

    /// As a client does: what is there is not sent.
    fn add(&mut self) -> Result<()> {
        let mut contents = Contents::from([("own".to_owned(), self.random.bytes(500))]);
        for file in 0..4 {
            contents.insert(file.to_string(), self.pooled());
        }
        let name = format!("{}-{}", self.number, self.added);
        let all: BTreeSet<Vec<u8>> = contents.values().cloned().collect();
        let hashes: Vec<_> = all.iter().map(|content| hash::of(content)).collect();
        let sizes = object_sizes(self.server, &hashes)?;
        let missing = all.iter().zip(sizes).filter(|(_, size)| *size == 0);
        store(
            self.server,
            &missing.map(|(content, _)| content.as_slice()).collect::<Vec<_>>(),
        )?;
        match add(self.server, &name, image_of(&contents, Time::ZERO)) {
            Ok(()) => {}
            Err(error) => {
                // It may be told to send them again, never that all is well when it is not.
                ensure!(error.to_string().contains("not available"), "{error:#}");
                self.again += 1;
                add_whole(self.server, &name, &contents, Time::ZERO)?;
            }
        }
        self.images.push((name, contents));
        self.added += 1;
        Ok(())
    }

    fn step(&mut self) -> Result<()> {
        self.add()?;
        let at = self.random.below(self.images.len());
        let (name, contents) = &self.images[at];
        ensure!(
            whole::fetch(self.server, name)?.as_ref() == Some(contents),
            "{name} is not whole"
        );
        if self.images.len() > KEPT_IMAGES {
            let (name, _) = self.images.swap_remove(at);
            delete(self.server, &name)?;
            self.deleted += 1;
        }
        Ok(())
    }
}

#[test]
fn no_image_ever_lacks_an_object_while_clients_race_the_collector() {
    let seconds = rounds(SECONDS_VARIABLE, SHORT_SECONDS) as u64;
    let mut random = Random::for_test("no_image_ever_lacks_an_object");
    let home = Home::new().unwrap();
    // Whatever is unreferenced is to go: once a second by itself, and all the time on request.
    let flags = [
        "-objectServerCleanupStartSize=2B",
        "-objectServerCleanupStopSize=1B",
    ];
    let server = home.start(&[INSECURE, &flags].concat()).unwrap();
    let end = Instant::now() + Duration::from_secs(seconds);
    let (is_over, requests) = (AtomicBool::new(false), AtomicU64::new(0));
    let clients: Vec<Client<'_>> = std::thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|number| {
                let mut client = Client {
                    server: &server,
                    number,
                    random: random.fork(),
                    images: Vec::new(),
                    added: 0,
                    deleted: 0,
                    again: 0,
                };
                scope.spawn(move || {
                    while Instant::now() < end {
                        client.step().unwrap();
                    }
                    client
                })
            })
            .collect();
        scope.spawn(|| {
            let tool = tool(&server, &home);
            while !is_over.load(Ordering::Relaxed) {
                let outcome = tool.run(&["delunrefobj", "100", "0"]).unwrap();
                assert!(
                    outcome.code == 0 || outcome.err.contains("no more objects to delete"),
                    "{outcome:?}"
                );
                requests.fetch_add(1, Ordering::Relaxed);
            }
        });
        let clients = clients.into_iter().map(|client| client.join());
        let clients: Vec<_> = clients.collect();
        is_over.store(true, Ordering::Relaxed);
        clients.into_iter().map(Result::unwrap).collect()
    });
    let sum = |figure: fn(&Client<'_>) -> u64| clients.iter().map(figure).sum::<u64>();
    println!(
        "{} images added, {} deleted, {} sent again, {} deletions of objects asked for, in {seconds} s",
        sum(|client| client.added),
        sum(|client| client.deleted),
        sum(|client| client.again),
        requests.load(Ordering::Relaxed),
    );
    let images: Vec<_> = clients.iter().flat_map(|client| client.images.clone()).collect();
    let needed: BTreeSet<_> = images
        .iter()
        .flat_map(|(_, contents)| contents.values().map(|content| hash::of(content)))
        .collect();
    // In the end everything that is not needed is gone, and nothing else.
    let on_disk = || whole::check_objects_on_disk(&home.objects()).unwrap_or(usize::MAX);
    until("all that is not needed goes", || on_disk() == needed.len());
    let check = |server: &ImageServer| {
        assert_eq!(names(server).unwrap().len(), images.len());
        for (name, contents) in &images {
            assert_eq!(
                whole::fetch(server, name).unwrap().as_ref(),
                Some(contents),
                "{name}"
            );
        }
        assert_eq!(server.condition().unwrap(), "healthy");
    };
    check(&server);
    let log = server.log_text();
    assert!(log.contains("Garbage collector deleted") || log.contains("unreferenced objects, "));
    drop(clients);
    server.kill().unwrap();
    check(&home.start(INSECURE).unwrap());
}

#[test]
fn a_dry_run_of_delunrefobj_says_what_the_real_one_then_does_in_the_order_of_becoming_unreferenced() {
    let home = Home::new().unwrap();
    let server = home.start(INSECURE).unwrap();
    let tool = tool(&server, &home);
    let contents: Vec<Vec<u8>> = (1..=6_u8)
        .map(|number| vec![number; 100 * usize::from(number)])
        .collect();
    for (number, content) in contents.iter().enumerate() {
        put(&server, &number.to_string(), &[("file", content)]).unwrap();
    }
    // In another order than they came.
    let order = [3, 0, 5, 1];
    for number in order {
        delete(&server, &number.to_string()).unwrap();
    }
    let line = |number: usize| format!("{} {}", hash::of(&contents[number]), contents[number].len());
    let expected: Vec<String> = order.into_iter().map(line).collect();
    // Not before those who sent them have gone for long enough.
    until("all are listed", || unreferenced(&tool).len() == expected.len());
    assert_eq!(unreferenced(&tool), expected);

    let planned = tool.run(&["-dryRun", "delunrefobj", "50", "0"]).unwrap();
    assert_eq!(planned.code, 0, "{planned:?}");
    assert_eq!(
        planned.out.lines().collect::<Vec<_>>(),
        expected[..2],
        "{planned:?}"
    );
    assert!(
        planned
            .err
            .contains("would delete 2 of 4 unreferenced objects (500 B of 1300 B)"),
        "{planned:?}"
    );
    // Bytes reach further than percent.
    let planned = tool.run(&["-dryRun", "delunrefobj", "1", "600"]).unwrap();
    assert_eq!(planned.out.lines().count(), 3, "{planned:?}");
    let json = tool
        .must(&["-dryRun", "-json", "delunrefobj", "1", "600"])
        .unwrap();
    let json: serde_json::Value = serde_json::from_str(json.lines().last().unwrap()).unwrap();
    assert_eq!(
        (&json["Objects"], &json["Bytes"]),
        (&3.into(), &1100.into()),
        "{json}"
    );
    let short = tool.run(&["-dryRun", "delunrefobj", "0", "1MiB"]).unwrap();
    assert!(short.err.contains("no more objects to delete"), "{short:?}");
    assert_eq!(unreferenced(&tool), expected, "a dry run changes nothing");

    assert_eq!(tool.must(&["delunrefobj", "1", "600"]).unwrap(), "");
    assert_eq!(unreferenced(&tool), expected[3..]);
    let refused = tool.run(&["delunrefobj", "0", "1MiB"]).unwrap();
    assert_eq!(refused.code, 1);
    assert!(refused.err.contains("no more objects to delete"), "{refused:?}");
    assert!(unreferenced(&tool).is_empty());
    for number in [2, 4] {
        let found = whole::fetch(&server, &number.to_string()).unwrap().unwrap();
        assert_eq!(found["file"], contents[number]);
    }
}

#[test]
fn a_full_file_system_is_emptied_of_what_no_image_needs_from_one_percentage_down_to_another() {
    const NAME: &str =
        "a_full_file_system_is_emptied_of_what_no_image_needs_from_one_percentage_down_to_another";
    if let Some(obstacle) = obstacle() {
        return integration::skip(NAME, obstacle);
    }
    let home = Home::new().unwrap();
    let _disk = SmallDisk::mount(&home.objects(), "size=10m").unwrap();
    let percentages = [
        "-objectServerCleanupStartPercent=80",
        "-objectServerCleanupStopPercent=50",
    ];
    let server = home.start(&[INSECURE, &percentages].concat()).unwrap();
    let content = |number: u8| vec![number; 1 << 20];
    for number in 0..7 {
        put(&server, &number.to_string(), &[("file", &content(number))]).unwrap();
    }
    for number in [2, 0, 1, 4] {
        delete(&server, &number.to_string()).unwrap();
    }
    let present = || -> Vec<u8> {
        let hashes: Vec<_> = (0..8).map(|number| hash::of(&content(number))).collect();
        let sizes = object_sizes(&server, &hashes).unwrap();
        (0..8)
            .zip(sizes)
            .filter(|(_, size)| *size > 0)
            .map(|(number, _)| number)
            .collect()
    };
    // Below the percentage nothing goes, however long nobody has needed it.
    let tool = tool(&server, &home);
    until("they are free to go", || unreferenced(&tool).len() == 4);
    assert_eq!(present(), [0, 1, 2, 3, 4, 5, 6]);
    put(&server, "7", &[("file", &content(7))]).unwrap();
    // 80% are reached with eight of them; thirty percent of the disk is three, longest unneeded first. Asking whether they are
    // there keeps them, so the disk is looked at.
    let there = |number: u8| {
        let hex = hash::of(&content(number)).to_string();
        home.objects()
            .join(&hex[..2])
            .join(&hex[2..4])
            .join(&hex[4..])
            .exists()
    };
    until("three of them go", || ![2, 0, 1].into_iter().any(there));
    assert!([3, 4, 5, 6, 7].into_iter().all(there));
    assert!(
        server.logs("Garbage collector deleted: 3 objects", 1),
        "{}",
        server.log_text()
    );
    for number in [3, 5, 6, 7] {
        let found = whole::fetch(&server, &number.to_string()).unwrap().unwrap();
        assert_eq!(found["file"], content(number));
    }
}
