//! Bootstrap streams (`imaginator.md §8.2`).

use std::collections::BTreeMap;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::Path;

use builder::Environment;
use recipe::{BootstrapStream, Owners, Packager};

use crate::tree::{Place, assert_in_order};

fn stream(script: &str) -> BootstrapStream {
    let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
    BootstrapStream {
        command: ["sh", "-c", script, "$dir", "$SUITE", "-$nothing-"]
            .map(str::to_owned)
            .to_vec(),
        bind_mounts: Vec::new(),
        filter_lines: Vec::new(),
        image_filter: None,
        image_triggers: None,
        image_tags: BTreeMap::new(),
        owners: Owners::default(),
        packager_type: "test".to_owned(),
        packager: Packager {
            clean_command: words("/bin/sh -c true"),
            clean_patterns: vec!["/var/cache/.*".to_owned()],
            ..Packager::default()
        },
    }
}

/// Fills the directory with what the host has; its programs are in `/usr`, read-only.
fn fill(place: &Place) -> String {
    // Made before as root of the host; the command finds it where it may change things.
    let root = place.root();
    std::fs::write(root.join("etc/resolv.conf"), "of the host\n").unwrap();
    std::fs::remove_file(root.join("usr/bin/generic-packager")).unwrap();
    "echo \"in $SUITE and $nothing\"; id -u; echo made > $dir/made; chown 7:8 $dir/made; touch /etc/x 2>&1; true".to_owned()
}

fn variables() -> Environment {
    [("SUITE".to_owned(), "stable".to_owned())].into()
}

#[test]
fn a_command_of_the_host_fills_the_directory_and_the_packager_is_written() {
    let Some(place) = Place::new() else { return };
    let script = fill(&place);
    builder::bootstrap::run(&place.room(), &stream(&script), &variables()).unwrap();
    let root = place.root();
    assert_in_order(
        &place.log(),
        &[
            "Running command: sh with args:\n    -c\n",
            &format!("    {}\n    stable\n    --\nin stable and \n0\n", root.display()),
            "Read-only file system\n",
            "\nBuild time: ",
            "\n\nCleaning packages:\nPackage clean took: ",
        ],
    );
    assert!(!Path::new("/etc/x").exists());
    assert_eq!(place.image("made"), "made\n");
    let owner = root.join("made").metadata().unwrap();
    assert_eq!((owner.uid(), owner.gid()), (7, 8));
    assert_eq!(place.image("etc/resolv.conf"), "");
    assert!(!root.join("var/cache/left").exists());
    let packager = root.join("usr/bin/generic-packager").metadata().unwrap();
    assert_eq!((packager.mode() & 0o7777, packager.uid()), (0o755, 0));
    assert!(
        place
            .image("usr/bin/generic-packager")
            .starts_with("#! /bin/sh\n")
    );
}

#[test]
fn a_command_that_fails_is_the_error_of_the_build() {
    let Some(place) = Place::new() else { return };
    let error = builder::bootstrap::run(&place.room(), &stream("echo why >&2; exit 1"), &variables());
    assert_eq!(error.unwrap_err().to_string(), "exit status 1");
    assert!(place.log().ends_with("why\n"), "{}", place.log());
}

#[test]
fn a_program_that_is_not_there_is_told_with_what_to_do() {
    let Some(place) = Place::new() else { return };
    let mut stream = stream("");
    stream.command[0] = "no-such-bootstrap".to_owned();
    let error = builder::bootstrap::run(&place.room(), &stream, &variables()).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("no-such-bootstrap: no such program"),
        "{error}"
    );
}

#[test]
fn the_packager_is_not_written_through_a_link_to_the_host() {
    let Some(place) = Place::new() else { return };
    let script = fill(&place);
    let victim = place.path().join("victim");
    std::fs::write(&victim, "host").unwrap();
    symlink(&victim, place.root().join("usr/bin/generic-packager")).unwrap();
    builder::bootstrap::run(&place.room(), &stream(&script), &variables()).unwrap();
    assert_eq!(std::fs::read_to_string(victim).unwrap(), "host");
}
