//! Packages and what cleaning them deletes (`imaginator.md §9.2, §13`).

use std::os::unix::fs::symlink;

use builder::packages;
use builder::process::process_manifest;

use crate::tree::{Place, environment, write};

#[test]
fn packages_are_listed_by_name_and_warnings_are_none_of_them() {
    let Some(place) = Place::new() else { return };
    let found: Vec<(String, String, u64)> = packages::list(&place.room())
        .unwrap()
        .into_iter()
        .map(|package| (package.name, package.version, package.size))
        .collect();
    let expected = [("adduser", "3.134", 686 * 1024), ("zlib", "1.3", 7 * 1024)];
    let expected = expected.map(|(name, version, size)| (name.to_owned(), version.to_owned(), size));
    assert_eq!(found, expected);
    assert_eq!(place.log(), "");
}

#[test]
fn a_list_that_cannot_be_had_says_why() {
    let Some(place) = Place::new() else { return };
    place.replace_in_packager("fail) exit 100", "nothing) exit 100");
    place.replace_in_packager("list) echo", "list) echo broken >&2; exit 3; echo");
    let error = packages::list(&place.room()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "error listing packages: error running package lister: exit status 3: broken"
    );
}

#[test]
fn cleaning_deletes_what_patterns_match_and_follows_no_link() {
    let Some(place) = Place::new() else { return };
    let victim = place.path().join("victim");
    write(&victim.join("file"), "host");
    symlink(&victim, place.root().join("var/cache/out")).unwrap();
    symlink(&victim, place.root().join("var/out")).unwrap();
    write(&place.root().join("var/cache/a/b/c"), "deep");
    write(&place.root().join("var/log/kept"), "kept");
    process_manifest(&place.room(), &place.manifest(), &environment()).unwrap();
    assert_eq!(place.root().join("var/cache").read_dir().unwrap().count(), 0);
    assert!(victim.join("file").exists());
    assert!(place.root().join("var/out").symlink_metadata().is_ok());
    assert_eq!(place.image("var/log/kept"), "kept");
}

#[test]
fn a_packager_of_old_images_that_knows_no_patterns_is_no_error() {
    let Some(place) = Place::new() else { return };
    place.replace_in_packager("show-clean-patterns) echo", "show-clean-patterns) exit 2; echo");
    process_manifest(&place.room(), &place.manifest(), &environment()).unwrap();
    assert!(
        place.log().contains("Deep clean failed: exit status 2\n"),
        "{}",
        place.log()
    );
    assert!(place.root().join("var/cache/left").exists());
}

#[test]
fn cleaning_that_fails_is_an_error_and_so_is_a_bad_pattern() {
    let Some(place) = Place::new() else { return };
    place.replace_in_packager("fail) exit 100", "clean) exit 100");
    let run = || process_manifest(&place.room(), &place.manifest(), &environment()).unwrap_err();
    assert_eq!(run().to_string(), "error cleaning: exit status 100");
    place.replace_in_packager("clean) exit 100", "fail) exit 100");
    place.replace_in_packager("/var/cache/.*", "/var/(cache");
    let error = run().to_string();
    assert!(error.starts_with("error compiling clean patterns: "), "{error}");
}

#[test]
fn a_tree_deeper_than_a_path_may_be_long_is_deleted() {
    let Some(place) = Place::new() else { return };
    place.script(
        "scripts/dig",
        "cd /var/cache; i=0; while [ $i -lt 60 ]; do mkdir ddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd; \
         cd -P d*; i=$((i+1)); done; touch bottom; echo dug",
    );
    process_manifest(&place.room(), &place.manifest(), &environment()).unwrap();
    assert!(place.log().contains("dug\n"), "{}", place.log());
    assert_eq!(place.root().join("var/cache").read_dir().unwrap().count(), 0);
}

#[test]
fn more_clean_patterns_than_there_may_be_are_refused_before_any_is_compiled() {
    let Some(place) = Place::new() else { return };
    place.replace_in_packager(
        "show-clean-patterns) echo",
        "show-clean-patterns) i=0; while [ $i -le 256 ]; do echo '('; i=$((i+1)); done; echo",
    );
    let error = process_manifest(&place.room(), &place.manifest(), &environment()).unwrap_err();
    let text = error.to_string();
    assert!(text.contains("clean patterns are more than 256"), "{text}");
}
