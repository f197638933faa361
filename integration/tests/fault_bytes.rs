//! Damage to every kind of file that a server keeps, while it runs and while it does not: no wrong byte is served, what is
//! damaged is told, the rest is served, and what can be brought back comes back.

// Helpers of tests are tests.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use anyhow::{Context, Result, ensure};
use gob::Time;
use integration::damage::{self, Damage};
use integration::images::{add, delete, make_directory, names, object_sizes, store};
use integration::plain_call::call;
use integration::random::{Random, rounds};
use integration::server::{Home, INSECURE, ImageServer};
use integration::told::{add_whole, image_of};
use integration::whole::{self, Contents};
use protocol::image_server::{
    GetImageArchiveRequest, GetImageArchiveResponse, RestoreImageFromArchiveRequest,
    RestoreImageFromArchiveResponse,
};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Environment variable with the number of places in a file that are damaged.
const PLACES_VARIABLE: &str = "IMAGEWRIGHT_DAMAGED_PLACES";
const SHORT_PLACES: usize = 4;
/// Where nothing happened for so long, nothing will.
const PATIENCE: Duration = Duration::from_secs(60);

/// An image that is damaged, and how.
struct Victim {
    name: String,
    contents: Contents,
    damage: Damage,
}

struct Stage {
    home: Home,
    random: Random,
    victims: Vec<Victim>,
    /// Nobody touches this one.
    control: Contents,
}

const CONTROL: &str = "d/control";

impl Stage {
    /// One image for each way of damage, each with an object of its own.
    fn new(test: &str) -> Result<(Self, ImageServer)> {
        let home = Home::new()?;
        let mut random = Random::for_test(test);
        let server = home.start(INSECURE)?;
        make_directory(&server, "d")?;
        let control = Contents::from([("file".to_owned(), random.bytes(5000))]);
        add_whole(&server, CONTROL, &control, Time::ZERO)?;
        let mut victims = Vec::new();
        let places = rounds(PLACES_VARIABLE, SHORT_PLACES);
        for (number, damage) in damage::all(&mut random, places).into_iter().enumerate() {
            // Every third one is read in pieces.
            let length = if number % 3 == 2 { (1 << 20) + 5000 } else { 3000 };
            let contents = Contents::from([("file".to_owned(), random.bytes(length))]);
            let name = format!("d/{number}");
            add_whole(&server, &name, &contents, Time::ZERO)?;
            victims.push(Victim {
                name,
                contents,
                damage,
            });
        }
        Ok((
            Self {
                home,
                random,
                victims,
                control,
            },
            server,
        ))
    }

    fn object_path(&self, victim: &Victim) -> PathBuf {
        let hex = hash::of(&victim.contents["file"]).to_string();
        self.home
            .objects()
            .join(&hex[..2])
            .join(&hex[2..4])
            .join(&hex[4..])
    }

    fn image_path(&self, victim: &Victim) -> PathBuf {
        self.home.images().join(&victim.name)
    }

    fn damage(&mut self, path: fn(&Self, &Victim) -> PathBuf) -> Result<()> {
        for number in 0..self.victims.len() {
            let path = path(self, &self.victims[number]);
            self.victims[number].damage.apply(&path, &mut self.random)?;
        }
        Ok(())
    }

    fn check_control(&self, server: &ImageServer) -> Result<()> {
        let found = whole::fetch(server, CONTROL)?.context("the rest is not served")?;
        ensure!(found == self.control, "the rest is not what it was");
        Ok(())
    }

    /// Nothing wrong comes out, the damage is told, and adding the same contents again repairs it.
    fn check_objects(&self, server: &ImageServer) -> Result<()> {
        for victim in &self.victims {
            let fetched = whole::fetch(server, &victim.name);
            let error = match fetched {
                Ok(found) => anyhow::bail!("{:?} was not noticed: {}", victim.damage, found.is_some()),
                Err(error) => format!("{error:#}"),
            };
            ensure!(
                !error.contains("a wrong byte was served"),
                "{:?}: {error}",
                victim.damage
            );
            self.check_control(server)?;
        }
        let condition = server.condition()?;
        ensure!(condition.starts_with("degraded: "), "not told: {condition}");
        let hashes: Vec<_> = self
            .victims
            .iter()
            .map(|victim| hash::of(&victim.contents["file"]))
            .collect();
        let sizes = object_sizes(server, &hashes)?;
        ensure!(
            sizes.iter().all(|size| *size == 0),
            "a client would not send them again: {sizes:?}"
        );
        for victim in &self.victims {
            store(server, &[&victim.contents["file"]]).with_context(|| format!("{:?}", victim.damage))?;
        }
        Ok(())
    }

    fn check_all(&self, server: &ImageServer) -> Result<()> {
        for victim in &self.victims {
            let found = whole::fetch(server, &victim.name).with_context(|| format!("{:?}", victim.damage))?;
            ensure!(
                found.as_ref() == Some(&victim.contents),
                "{:?} is not repaired",
                victim.damage
            );
        }
        self.check_control(server)
    }
}

/// What a figure stands at.
fn figure(server: &ImageServer, name: &str) -> Result<f64> {
    let (_, text) = server.page("/metrics")?;
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    Ok(line.with_context(|| format!("no {name}"))?.parse()?)
}

#[test]
fn objects_damaged_under_a_running_server_are_noticed_told_and_repaired() {
    let (mut stage, server) =
        Stage::new("objects_damaged_under_a_running_server_are_noticed_told_and_repaired").unwrap();
    // All have been read and found right before.
    stage.check_all(&server).unwrap();
    stage.damage(Stage::object_path).unwrap();
    stage.check_objects(&server).unwrap();
    let found = figure(&server, "imageserver_damaged_objects_found_total").unwrap();
    assert_eq!(found, stage.victims.len() as f64);
    assert!(server.logs("is damaged", stage.victims.len()));
    stage.check_all(&server).unwrap();
    server.kill().unwrap();
    let server = stage.home.start(INSECURE).unwrap();
    stage.check_all(&server).unwrap();
    assert_eq!(server.condition().unwrap(), "healthy");
}

#[test]
fn objects_damaged_while_the_server_is_stopped_are_noticed_told_and_repaired() {
    let (mut stage, server) =
        Stage::new("objects_damaged_while_the_server_is_stopped_are_noticed_told_and_repaired").unwrap();
    server.stop().unwrap();
    stage.damage(Stage::object_path).unwrap();
    let server = stage.home.start(INSECURE).unwrap();
    // An image whose object is gone is quarantined at the start; what that says is as good as a failed read.
    stage.check_objects(&server).unwrap();
    server.kill().unwrap();
    let server = stage.home.start(INSECURE).unwrap();
    stage.check_all(&server).unwrap();
}

#[test]
fn image_files_damaged_while_the_server_is_stopped_are_quarantined_and_come_back() {
    let (mut stage, server) =
        Stage::new("image_files_damaged_while_the_server_is_stopped_are_quarantined_and_come_back").unwrap();
    server.stop().unwrap();
    let whole: Vec<Vec<u8>> = stage
        .victims
        .iter()
        .map(|victim| std::fs::read(stage.image_path(victim)).unwrap())
        .collect();
    stage.damage(Stage::image_path).unwrap();
    let server = stage.home.start(INSECURE).unwrap();
    let listed = names(&server).unwrap();
    for victim in &stage.victims {
        match whole::fetch(&server, &victim.name) {
            // By the format an empty file is a deleted image, and no file is none.
            Ok(None) => assert!(
                victim.damage == Damage::Truncate(0) || !victim.damage.leaves_file(),
                "{:?}: it is gone without a word",
                victim.damage
            ),
            // Bytes behind its end may be of no account; wrong ones may not.
            Ok(Some(found)) => assert_eq!(found, victim.contents, "{:?}", victim.damage),
            Err(error) => {
                let error = format!("{error:#}");
                assert!(!error.contains("a wrong byte was served"), "{error}");
                // Replicas delete what is not listed any more.
                assert!(listed.contains(&victim.name), "{:?} lost its name", victim.damage);
                assert!(server.logs(&format!("image {} is quarantined", victim.name), 1));
                let refused = add(&server, &victim.name, image_of(&victim.contents, Time::ZERO));
                assert!(refused.is_err(), "{:?}: its name was given away", victim.damage);
            }
        }
        stage.check_control(&server).unwrap();
    }
    let condition = server.condition().unwrap();
    assert!(condition.contains("cannot be served"), "{condition}");
    server.stop().unwrap();
    for (victim, content) in stage.victims.iter().zip(whole) {
        let path = stage.image_path(victim);
        let _ = std::fs::remove_file(&path);
        let _ = std::fs::remove_dir(&path);
        let _ = std::fs::remove_file(path.with_extension("elsewhere"));
        std::fs::write(path, content).unwrap();
    }
    let server = stage.home.start(INSECURE).unwrap();
    stage.check_all(&server).unwrap();
}

#[test]
fn image_files_damaged_under_a_running_server_yield_the_image_or_an_error() {
    let (mut stage, server) =
        Stage::new("image_files_damaged_under_a_running_server_yield_the_image_or_an_error").unwrap();
    stage.damage(Stage::image_path).unwrap();
    for victim in &stage.victims {
        // The tree may be in memory, which is as good.
        match whole::fetch(&server, &victim.name) {
            Ok(found) => assert_eq!(found.as_ref(), Some(&victim.contents), "{:?}", victim.damage),
            Err(error) => assert!(!format!("{error:#}").contains("a wrong byte was served")),
        }
        stage.check_control(&server).unwrap();
    }
    // They can be deleted, whatever lies there.
    for victim in stage.victims.iter().filter(|victim| victim.damage.leaves_file()) {
        delete(&server, &victim.name)
            .with_context(|| format!("{:?}", victim.damage))
            .unwrap();
    }
}

/// Waits until both indexes have been written since the last change of the files.
fn indexes(home: &Home) -> Result<[PathBuf; 2]> {
    let indexes = [
        home.images().join(".imagewright.images.index"),
        home.objects().join(".imagewright.objects.index"),
    ];
    let deadline = Instant::now() + PATIENCE;
    while !indexes.iter().all(|index| index.exists()) {
        ensure!(Instant::now() < deadline, "no index is written");
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(indexes)
}

#[test]
fn damaged_indexes_cost_time_and_nothing_else() {
    let (stage, server) = Stage::new("damaged_indexes_cost_time_and_nothing_else").unwrap();
    server.stop().unwrap();
    let mut random = stage.random.clone();
    for damage in damage::all(&mut random, rounds(PLACES_VARIABLE, SHORT_PLACES)) {
        for index in indexes(&stage.home).unwrap() {
            damage.apply(&index, &mut random).unwrap();
        }
        let server = stage.home.start(INSECURE).unwrap();
        stage
            .check_all(&server)
            .with_context(|| format!("{damage:?}"))
            .unwrap();
        assert_eq!(
            names(&server).unwrap().len(),
            stage.victims.len() + 1,
            "{damage:?}"
        );
        server.stop().unwrap();
        // A directory is not ours to remove.
        for index in [
            "images/.imagewright.images.index",
            "objects/.imagewright.objects.index",
        ] {
            let _ = std::fs::remove_dir(stage.home.path().join(index));
        }
        if indexes_are_missing(&stage.home) {
            stage.home.start(INSECURE).unwrap().stop().unwrap();
        }
    }
}

fn indexes_are_missing(home: &Home) -> bool {
    let is_file = |path: PathBuf| path.symlink_metadata().is_ok_and(|found| found.is_file());
    !is_file(home.images().join(".imagewright.images.index"))
        || !is_file(home.objects().join(".imagewright.objects.index"))
}

#[test]
fn a_damaged_tombstone_is_no_image_and_still_blocks_its_name() {
    let (stage, server) = Stage::new("a_damaged_tombstone_is_no_image_and_still_blocks_its_name").unwrap();
    let contents = &stage.victims[0].contents;
    add_whole(&server, "d/deleted", contents, Time::ZERO).unwrap();
    delete(&server, "d/deleted").unwrap();
    let path = stage.home.images().join("d/deleted");
    let check = |server: &ImageServer| {
        // Quarantined or not there, but not served.
        assert!(whole::fetch(server, "d/deleted").map_or(true, |found| found.is_none()));
        assert!(add(server, "d/deleted", image_of(contents, Time::ZERO)).is_err());
        stage.check_control(server).unwrap();
    };
    std::fs::write(&path, "more").unwrap();
    check(&server);
    server.kill().unwrap();
    let server = stage.home.start(INSECURE).unwrap();
    check(&server);
    // What is quarantined can be deleted, and is a tombstone again.
    delete(&server, "d/deleted").unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().len(), 0);
    check(&server);
}

#[test]
fn damaged_metadata_gives_nobody_rights_and_hides_no_image() {
    let (stage, server) = Stage::new("damaged_metadata_gives_nobody_rights_and_hides_no_image").unwrap();
    server.stop().unwrap();
    let path = stage.home.images().join("d/.metadata");
    let metadata = image::DirectoryMetadata {
        owner_group: "nogroup".to_owned(),
    };
    let whole = protocol::metadata_file::encode(&metadata);
    let mut random = stage.random.clone();
    for damage in damage::all(&mut random, rounds(PLACES_VARIABLE, SHORT_PLACES)) {
        std::fs::write(&path, &whole).unwrap();
        damage.apply(&path, &mut random).unwrap();
        let server = stage.home.start(INSECURE).unwrap();
        let (_, text) = server.page("/listDirectories?output=json").unwrap();
        // Bytes behind the value are stale by the format, not damage.
        assert_eq!(
            text.contains("nogroup"),
            damage == Damage::Extend,
            "{damage:?}: {text}"
        );
        stage.check_control(&server).unwrap();
        server.kill().unwrap();
        let _ = std::fs::remove_file(&path);
        let _ = std::fs::remove_dir(&path);
        let _ = std::fs::remove_file(path.with_extension("elsewhere"));
    }
    std::fs::write(&path, &whole).unwrap();
    let server = stage.home.start(INSECURE).unwrap();
    let (_, text) = server.page("/listDirectories?output=json").unwrap();
    assert!(text.contains("nogroup"), "{text}");
}

/// The archive of an image, sealed with the server's secret.
fn archive(server: &ImageServer, name: &str) -> Result<Vec<u8>> {
    let request = GetImageArchiveRequest {
        image_name: name.to_owned(),
    };
    let reply: GetImageArchiveResponse = call(server.address(), "ImageServer.GetImageArchive", &request)?;
    ensure!(reply.error.is_empty(), "{}", reply.error);
    Ok(reply.archive_data)
}

fn restore(server: &ImageServer, archive_data: Vec<u8>) -> Result<()> {
    let request = RestoreImageFromArchiveRequest {
        expires_at: Time::ZERO,
        archive_data,
    };
    let reply: RestoreImageFromArchiveResponse =
        call(server.address(), "ImageServer.RestoreImageFromArchive", &request)?;
    ensure!(reply.error.is_empty(), "{}", reply.error);
    Ok(())
}

#[test]
fn another_secret_refuses_old_archives_and_takes_new_ones() {
    let (stage, server) = Stage::new("another_secret_refuses_old_archives_and_takes_new_ones").unwrap();
    let old = archive(&server, &stage.victims[0].name).unwrap();
    server.stop().unwrap();
    let mut random = stage.random.clone();
    let path = stage.home.images().join(".secret");
    Damage::Flip(500).apply(&path, &mut random).unwrap();
    let server = stage.home.start(INSECURE).unwrap();
    delete(&server, &stage.victims[0].name).unwrap();
    restore(&server, old).expect_err("sealed with another secret");
    let name = &stage.victims[1].name;
    let new = archive(&server, name).unwrap();
    delete(&server, name).unwrap();
    restore(&server, new).unwrap();
    assert_eq!(
        whole::fetch(&server, name).unwrap().as_ref(),
        Some(&stage.victims[1].contents)
    );
    stage.check_control(&server).unwrap();
}
