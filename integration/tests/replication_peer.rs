//! Replication from the original to us and from us to the original: the same load once each, the same content in the end.
//!
//! Run by `scripts/test-peer.sh DIR`, where DIR has the original's programs.

// Helpers of tests are tests.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use gob::Time;
use integration::certificates::Authority;
use integration::images::{add, delete, described, image, make_directory, store};
use integration::random::Random;
use integration::replica::{Node, converges, delete_directory, holding, write_owner};
use integration::server::{Home, ImageServer};
use integration::told::{add_whole, change_expiration, in_minutes};
use integration::tool::Tool;
use integration::whole::{self, Contents};
use std::path::PathBuf;

/// Environment variable with the directory of the original's programs.
const PEER_VARIABLE: &str = "IMAGEWRIGHT_PEER";
/// Images of one half of the load.
const IMAGES: usize = 40;

fn original() -> Home {
    let directory = std::env::var(PEER_VARIABLE).expect("IMAGEWRIGHT_PEER=DIR of the original's programs");
    Home::of_program(&PathBuf::from(directory).join("imageserver")).unwrap()
}

/// The original runs without certificates of others only if it has one of its own.
fn flags(home: &Home) -> Vec<String> {
    if !home.is_foreign() {
        return Vec::new();
    }
    let ssl = home.path().join("ssl");
    let authority = Authority::new(&home.path().join("ca"), "Test CA").unwrap();
    authority
        .issue("imageserver", &["--server", "localhost,127.0.0.1"], &ssl)
        .unwrap();
    vec![
        "-generateMissingWebcert=false".to_owned(),
        "-CAfile=/nonexistent".to_owned(),
        format!("-certFile={}", ssl.join("cert.pem").display()),
        format!("-keyFile={}", ssl.join("key.pem").display()),
    ]
}

fn node(home: Home, master: Option<u16>) -> Node {
    let flags = flags(&home);
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let mut node = Node::prepare(home, master, &flags).unwrap();
    node.up().unwrap();
    node
}

/// The Debian tree, with the tool, if there is one: links, devices, owners, times.
fn add_debian(master: &ImageServer, name: &str) {
    let Some(tree) = std::env::var_os("IMAGEWRIGHT_DEBIAN_TREE") else {
        return;
    };
    let home = tempfile::tempdir().unwrap();
    let none = home.path().join("none");
    std::fs::write(&none, "").unwrap();
    let tool = Tool::new(master, &home.path().join("no-certificates"), home.path());
    let tree = tree.to_string_lossy();
    let none = none.to_string_lossy();
    tool.must(&["-requiredPaths=", "add", name, &*tree, &*none, ""])
        .unwrap();
}

/// Adds, deletes, changes of expirations and directories; `half` keeps the names of two calls apart.
fn load(master: &ImageServer, half: &str, random: &mut Random) {
    make_directory(master, &format!("team/{half}")).unwrap();
    make_directory(master, &format!("passing{half}")).unwrap();
    let shared = random.bytes(5000);
    for number in 0..IMAGES {
        let mut contents = Contents::from([("shared".to_owned(), shared.clone())]);
        for file in 0..random.below(30) {
            let length = random.below(4000);
            contents.insert(format!("file{file}"), random.bytes(length));
        }
        if number == 7 {
            contents.insert("large".to_owned(), random.bytes(5 << 20));
        }
        let expires_at = if number % 4 == 0 {
            in_minutes(60)
        } else {
            Time::ZERO
        };
        add_whole(
            master,
            &format!("team/{half}/image{number}"),
            &contents,
            expires_at,
        )
        .unwrap();
    }
    for number in (0..IMAGES).step_by(5) {
        delete(master, &format!("team/{half}/image{number}")).unwrap();
    }
    for number in [4, 8, 12] {
        change_expiration(master, &format!("team/{half}/image{number}"), in_minutes(180)).unwrap();
    }
    change_expiration(master, &format!("team/{half}/image16"), Time::ZERO).unwrap();
    let note = format!("what is new {half}");
    store(master, &[b"1", note.as_bytes()]).unwrap();
    let described = described(image(&[("a", b"1")]), note.as_bytes());
    add(master, &format!("team/{half}/described"), described).unwrap();
    delete_directory(master, &format!("passing{half}")).unwrap();
}

fn the_same_in_the_end(master: Home, replica: Home) {
    let mut random = Random::for_test("the_same_in_the_end");
    write_owner(&master, "team", "users").unwrap();
    let master = node(master, None);
    load(master.server().unwrap(), "before", &mut random);
    let mut replica = node(replica, Some(master.port));
    let took = converges(replica.server().unwrap(), master.server().unwrap()).unwrap();
    println!("first list: {took:?}");
    load(master.server().unwrap(), "after", &mut random);
    add_debian(master.server().unwrap(), "team/after/debian");
    let took = converges(replica.server().unwrap(), master.server().unwrap()).unwrap();
    println!("changes: {took:?}");
    let held = holding(replica.server().unwrap()).unwrap();
    println!(
        "{} images in {} directories",
        held.images.len(),
        held.directories.len()
    );
    assert_eq!(held.directories["team/after"], "users");
    assert_eq!(held.images["team/after/described"].owner_users, ["alice", "bob"]);
    assert_eq!(held.images["team/after/image16"].expires_at, Time::ZERO);
    assert!(!held.images["team/after/image4"].expires_at.is_zero());
    // Away, and back.
    replica.kill().unwrap();
    load(master.server().unwrap(), "meanwhile", &mut random);
    replica.up().unwrap();
    let took = converges(replica.server().unwrap(), master.server().unwrap()).unwrap();
    println!("after a restart: {took:?}");
    whole::check_images_on_disk(&replica.home.images()).unwrap();
    whole::check_objects_on_disk(&replica.home.objects()).unwrap();
}

#[test]
#[ignore = "needs the original's programs: scripts/test-peer.sh DIR"]
fn we_replicate_from_the_original() {
    the_same_in_the_end(original(), Home::new().unwrap());
}

#[test]
#[ignore = "needs the original's programs: scripts/test-peer.sh DIR"]
fn the_original_replicates_from_us() {
    the_same_in_the_end(Home::new().unwrap(), original());
}
