//! What the image server's methods answer, where neither a recorded conversation nor a test of the actors shows it.

// Helpers of tests are tests.
#![allow(clippy::unwrap_used)]

mod expirations;
mod finding;
mod methods;

use gob::Time;
use image::Image;
use integration::images::{add, add_trusted, delete, get, image, make_directory, names, put, store};
use integration::plain_call::{call, connect};
use integration::secured::Secured;
use integration::server::{Home, ImageServer};
use protocol::image_server::*;
use std::collections::BTreeMap;
use std::io::{BufRead, Write};
use std::net::Shutdown;
use std::time::{Duration, SystemTime};

const HOUR: Duration = Duration::from_secs(3600);

/// The lines up to the empty one that ends a listing, sorted.
fn lines_after(server: &ImageServer, call: &[u8]) -> Vec<String> {
    let mut stream = connect(server.address()).unwrap();
    stream.get_mut().write_all(call).unwrap();
    let mut lines = stream.lines().map(Result::unwrap);
    assert_eq!(lines.next().unwrap(), "", "the call is accepted");
    let mut names: Vec<String> = lines.by_ref().take_while(|line| !line.is_empty()).collect();
    names.sort();
    names
}

#[test]
fn adding_tells_who_it_was_and_deleting_needs_the_right_to() {
    let stage = Secured::new(&[]).unwrap();
    let admin = stage.issue("admin", &["--preset", "admin"]).unwrap();
    let other = stage.issue("other", &[]).unwrap();
    let adder = stage
        .issue(
            "adder",
            &[
                "--methods",
                "ImageServer.AddImage,ObjectServer.AddObjects,ObjectServer.CheckObjects",
            ],
        )
        .unwrap();
    let tree = stage.directory.path().join("tree");
    std::fs::create_dir(&tree).unwrap();
    std::fs::write(tree.join("file"), "content").unwrap();
    let filter = stage.directory.path().join("filter");
    std::fs::write(&filter, "").unwrap();
    let path = |path: &std::path::Path| path.display().to_string();
    let add = |name: &str| {
        adder
            .must(&["-requiredPaths=", "add", name, &path(&tree), &path(&filter), ""])
            .unwrap()
    };
    add("one");
    add("two");
    let refused = other.run(&["delete", "one"]).unwrap();
    assert!(
        refused.code == 1 && refused.err.contains("no access to image"),
        "{refused:?}"
    );
    // Who added an image may delete it, without the power to delete any.
    adder.must(&["delete", "one"]).unwrap();
    admin.must(&["delete", "two"]).unwrap();
    for line in [
        "AddImage(one) by adder",
        "DeleteImage(one) by adder",
        "DeleteImage(two) by admin",
    ] {
        assert!(stage.server.logs(line, 1), "{line} is not logged");
    }
}

#[test]
fn what_an_adder_tells_of_creator_and_time_is_not_believed() {
    let home = Home::new().unwrap();
    let server = home.start_insecure(&[]).unwrap();
    let told = || Image {
        created_by: "somebody else".to_owned(),
        created_for: "bob".to_owned(),
        created_on: Time::new(1_000_000, 0, gob::Zone::Utc),
        owner_users: vec!["carl".to_owned()],
        owner_groups: vec!["dev".to_owned()],
        source_image: "source".to_owned(),
        tags: [("os".to_owned(), "a".to_owned())].into(),
        ..image(&[])
    };
    let before = SystemTime::now();
    add(&server, "added", told()).unwrap();
    add_trusted(&server, "trusted", told()).unwrap();
    let added = get(&server, "added").unwrap().unwrap();
    assert_eq!(added.created_by, "");
    assert!(added.created_on.to_system_time().unwrap() >= before - Duration::from_secs(1));
    let trusted = get(&server, "trusted").unwrap().unwrap();
    assert_eq!(
        (trusted.created_by.as_str(), trusted.created_on.unix_seconds()),
        ("somebody else", 1_000_000)
    );
    for image in [added, trusted] {
        let told = told();
        assert_eq!(
            (image.created_for, image.owner_users, image.owner_groups),
            (told.created_for, told.owner_users, told.owner_groups)
        );
        assert_eq!((image.source_image, image.tags), (told.source_image, told.tags));
    }
}

#[test]
fn a_deleted_image_leaves_its_name_taken_and_an_empty_file() {
    let home = Home::new().unwrap();
    let server = home.start_insecure(&[]).unwrap();
    put(&server, "gone", &[("file", b"content")]).unwrap();
    delete(&server, "gone").unwrap();
    assert_eq!(std::fs::metadata(home.images().join("gone")).unwrap().len(), 0);
    assert!(names(&server).unwrap().is_empty());
    let error = |result: anyhow::Result<()>| result.unwrap_err().to_string();
    assert_eq!(error(delete(&server, "gone")), "image does not exist");
    assert_eq!(
        error(put(&server, "gone", &[])),
        "cannot add previously deleted image: gone"
    );
}
