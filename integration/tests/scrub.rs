//! Bits that flip on the disk are found by the scrub before anybody asks for them, none of them is served, and all are
//! repaired from another server, while that one and this one go on with their work.

// Helpers of tests are tests.
#![allow(clippy::unwrap_used)]

use anyhow::{Context, Result, ensure};
use gob::Time;
use integration::damage::Damage;
use integration::images::{make_directory, names, store};
use integration::random::{Random, rounds};
use integration::replica::{Node, converges, holding};
use integration::server::{Home, ImageServer, free_port};
use integration::small_disk::{LoopDisk, obstacle};
use integration::told::add_whole;
use integration::tool::{Outcome, Tool};
use integration::whole::{self, Contents};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Environment variable with the number of files in which a bit flips, on each of the two servers.
const FLIPS_VARIABLE: &str = "IMAGEWRIGHT_FLIPPED_BITS";
const SHORT_FLIPS: usize = 30;
/// Images for each flipped bit, and files in each of them.
const IMAGES_PER_FLIP: usize = 1;
const FILES: usize = 4;
/// Where nothing happened for so long, nothing will.
const PATIENCE: Duration = Duration::from_secs(60);
/// As fast as it goes, and only when asked for.
const FLAGS: &[&str] = &["-scrubRate=0", "-scrubInterval=0s"];

fn tool(server: &ImageServer, home: &Home) -> Tool {
    Tool::new(server, Path::new("/nonexistent"), home.path())
}

/// A number out of the JSON that `imagetool scrub` prints.
fn figure(outcome: &Outcome, name: &str) -> Result<u64> {
    let value: serde_json::Value = serde_json::from_str(&outcome.out)?;
    value[name]
        .as_u64()
        .with_context(|| format!("no {name} in {value}"))
}

/// A master and its replica, each of which repairs from the other.
fn pair() -> Result<(Node, Node)> {
    let master_port = free_port()?;
    let mut replica = Node::prepare(Home::new()?, Some(master_port), FLAGS)?;
    let source = format!("-repairFrom=127.0.0.1:{}", replica.port);
    let mut master = Node::prepare(Home::new()?, None, &[FLAGS, &[&source]].concat())?;
    master.port = master_port;
    master.up()?;
    replica.up()?;
    Ok((master, replica))
}

/// Flips one bit in each of so many files of a server, chosen among those not chosen before; paths below its home.
fn flip(
    home: &Home,
    count: usize,
    random: &mut Random,
    spared: &mut BTreeSet<PathBuf>,
) -> Result<Vec<PathBuf>> {
    let mut flipped = Vec::new();
    for part in ["objects", "images"] {
        let root = home.path().join(part);
        let mut files = whole::files_below(&root)?;
        files.retain(|file| !file.to_string_lossy().starts_with('.'));
        files.retain(|file| !spared.contains(&Path::new(part).join(file)));
        // Three objects for each image.
        let wanted = if part == "images" {
            count - flipped.len()
        } else {
            count * 3 / 4
        };
        for _ in 0..wanted {
            ensure!(!files.is_empty(), "fewer files than bits");
            let file = files.swap_remove(random.below(files.len()));
            Damage::Flip(random.below(1000)).apply(&root.join(&file), random)?;
            spared.insert(Path::new(part).join(&file));
            flipped.push(Path::new(part).join(file));
        }
    }
    Ok(flipped)
}

#[test]
fn bits_flipped_at_random_are_found_none_is_served_and_all_are_repaired_from_the_other_server() {
    let count = rounds(FLIPS_VARIABLE, SHORT_FLIPS);
    let mut random = Random::for_test("bits_flipped_at_random");
    let (master, replica) = pair().unwrap();
    let server = master.server().unwrap();
    make_directory(server, "d").unwrap();
    let shared = random.bytes(5000);
    let mut images: Vec<(String, Contents)> = Vec::new();
    for number in 0..count * IMAGES_PER_FLIP {
        let mut contents = Contents::from([("shared".to_owned(), shared.clone())]);
        for file in 1..FILES {
            // Some are read in pieces.
            let length = if random.percent(5) {
                (1 << 20) + 7777
            } else {
                1 + random.below(20_000)
            };
            contents.insert(file.to_string(), random.bytes(length));
        }
        let name = format!("d/{number}");
        add_whole(server, &name, &contents, Time::ZERO).unwrap();
        images.push((name, contents));
    }
    converges(replica.server().unwrap(), server).unwrap();
    let before: BTreeSet<String> = names(server).unwrap().into_iter().collect();
    let spared = &mut BTreeSet::new();
    let here = flip(&master.home, count, &mut random, spared).unwrap();
    let there = flip(&replica.home, count / 2, &mut random, spared).unwrap();

    let is_over = AtomicBool::new(false);
    let (served, refused, fed) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
    let added: Mutex<Vec<(String, Contents)>> = Mutex::default();
    let start = Instant::now();
    let outcomes = std::thread::scope(|scope| {
        let over = || is_over.load(Ordering::Relaxed);
        for node in [&master, &replica] {
            let (images, mut random) = (&images, random.fork());
            let (served, refused) = (&served, &refused);
            scope.spawn(move || {
                while !over() {
                    let (name, contents) = random.choose(images).unwrap();
                    match whole::fetch(node.server().unwrap(), name) {
                        // Every byte was hashed by then.
                        Ok(found) => {
                            assert_eq!(found.as_ref(), Some(contents), "{name}");
                            served.fetch_add(1, Ordering::Relaxed);
                        }
                        Err(error) => {
                            assert!(
                                !format!("{error:#}").contains("a wrong byte was served"),
                                "{error:#}"
                            );
                            refused.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                }
            });
        }
        let mut feeding = random.fork();
        let (fed, added, before, replica) = (&fed, &added, &before, &replica);
        scope.spawn(move || {
            for number in 0.. {
                if over() {
                    break;
                }
                let contents = Contents::from([("file".to_owned(), feeding.bytes(3000))]);
                let name = format!("d/fed{number}");
                add_whole(server, &name, &contents, Time::ZERO).unwrap();
                added.lock().unwrap().push((name, contents));
                fed.fetch_add(1, Ordering::Relaxed);
                let there: BTreeSet<String> = names(replica.server().unwrap()).unwrap().into_iter().collect();
                assert!(before.is_subset(&there), "the replica lost an image");
            }
        });
        // Not before the other two are at it.
        let deadline = Instant::now() + PATIENCE;
        while served.load(Ordering::Relaxed) == 0 || fed.load(Ordering::Relaxed) == 0 {
            assert!(Instant::now() < deadline, "nothing is served or added");
            std::thread::sleep(Duration::from_millis(5));
        }
        let outcomes = [&master, replica].map(|node| {
            let tool = tool(node.server().unwrap(), &node.home);
            tool.run(&["-json", "scrub"]).unwrap()
        });
        is_over.store(true, Ordering::Relaxed);
        outcomes
    });
    for (outcome, flipped) in outcomes.iter().zip([&here, &there]) {
        assert_eq!(outcome.code, 0, "{outcome:?}");
        let sum = |names: [&str; 2]| {
            names
                .iter()
                .map(|name| figure(outcome, name).unwrap())
                .sum::<u64>()
        };
        println!("{}", outcome.out.trim());
        let unrepaired = sum(["UnrepairedImages", "UnrepairedObjects"]);
        assert_eq!(unrepaired, 0);
        let found = sum(["DamagedImages", "DamagedObjects"]);
        assert_eq!(found, flipped.len() as u64, "found, and flipped");
        assert_eq!(sum(["RepairedImages", "RepairedObjects"]), found);
    }
    println!(
        "{} and {} bits, {} images served and {} refused, {} added meanwhile, {:?}",
        here.len(),
        there.len(),
        served.load(Ordering::Relaxed),
        refused.load(Ordering::Relaxed),
        fed.load(Ordering::Relaxed),
        start.elapsed(),
    );
    images.extend(added.into_inner().unwrap());
    for node in [&master, &replica] {
        converges(replica.server().unwrap(), server).unwrap();
        for (name, contents) in &images {
            let found = whole::fetch(node.server().unwrap(), name).unwrap();
            assert_eq!(found.as_ref(), Some(contents), "{name} is not what it was");
        }
        // On the disk as well.
        whole::check_objects_on_disk(&node.home.objects()).unwrap();
        whole::check_images_on_disk(&node.home.images()).unwrap();
        for (name, _) in &images {
            let file = std::fs::read(node.home.images().join(name)).unwrap();
            protocol::image_file::decode(&file).unwrap();
        }
        assert_eq!(node.server().unwrap().condition().unwrap(), "healthy");
    }
    let held = holding(replica.server().unwrap()).unwrap();
    assert_eq!(held.images.len(), images.len());
}

#[test]
fn without_a_source_the_scrub_says_what_is_left_and_is_content_once_it_was_added_again() {
    let home = Home::new().unwrap();
    let server = home.start_insecure(FLAGS).unwrap();
    let contents = Contents::from([("file".to_owned(), b"content".to_vec())]);
    add_whole(&server, "image", &contents, Time::ZERO).unwrap();
    let tool = tool(&server, &home);
    let clean = tool.run(&["scrub"]).unwrap();
    assert_eq!(clean.code, 0, "{clean:?}");
    assert!(
        clean.out.contains("1 image files and 1 objects (7 B) read"),
        "{}",
        clean.out
    );
    let hex = hash::of(b"content").to_string();
    let path = home.objects().join(&hex[..2]).join(&hex[2..4]).join(&hex[4..]);
    Damage::Flip(500).apply(&path, &mut Random::new(1)).unwrap();
    let dirty = tool.run(&["scrub"]).unwrap();
    assert_eq!((dirty.code, dirty.err.as_str()), (1, ""), "{dirty:?}");
    assert!(
        dirty.out.contains("objects: 1 damaged, 0 repaired, 1 left"),
        "{}",
        dirty.out
    );
    assert!(dirty.out.contains("imagetool list-damaged"), "{}", dirty.out);
    assert_eq!(tool.run(&["list-damaged"]).unwrap().code, 1);
    let (_, metrics) = server.page("/metrics").unwrap();
    for line in [
        "imageserver_scrub_unrepaired{kind=\"object\"} 1",
        "imageserver_scrub_found_total{kind=\"object\"} 1",
        "imageserver_scrub_running 0",
    ] {
        assert!(metrics.contains(line), "no {line} in {metrics}");
    }
    let (_, status) = server.page_as("/", "text/html").unwrap();
    assert!(status.contains("damage is left"), "{status}");
    store(&server, &[b"content"]).unwrap();
    assert_eq!(tool.run(&["-scrubRate=1MiB", "scrub"]).unwrap().code, 0);
    assert!(server.logs("Scrub(1048576)", 1));
}

/// The stamps of the files are what they were, and memory has the right bytes.
#[test]
fn a_bit_that_flips_on_the_disk_itself_is_found_although_no_file_was_touched() {
    const NAME: &str = "a_bit_that_flips_on_the_disk_itself_is_found_although_no_file_was_touched";
    if let Some(obstacle) = obstacle() {
        return integration::skip(NAME, obstacle);
    }
    let home = Home::new().unwrap();
    let Ok(disk) = LoopDisk::make(&home.path().join("disk"), &home.objects(), 16) else {
        return integration::skip(NAME, "needs loop devices and ext4");
    };
    let server = home.start_insecure(FLAGS).unwrap();
    let content = Random::for_test(NAME).bytes(1000);
    let contents = Contents::from([("file".to_owned(), content.clone())]);
    add_whole(&server, "image", &contents, Time::ZERO).unwrap();
    assert_eq!(whole::fetch(&server, "image").unwrap().as_ref(), Some(&contents));
    assert_eq!(tool(&server, &home).run(&["scrub"]).unwrap().code, 0);
    disk.rot(&content).unwrap();
    let outcome = tool(&server, &home).run(&["-json", "scrub"]).unwrap();
    assert_eq!(
        (outcome.code, figure(&outcome, "DamagedObjects").unwrap()),
        (1, 1),
        "{outcome:?}"
    );
    store(&server, &[&content]).unwrap();
    assert_eq!(tool(&server, &home).run(&["scrub"]).unwrap().code, 0);
}
