//! Files of a manifest that become part of the image's record (`image-manifest.md §6`).

use builder::manifest::SideFiles;
use image::{ComputedFile, Filter, Trigger, Triggers};

use crate::tree::Place;

fn load(place: &Place) -> Result<SideFiles, String> {
    SideFiles::load(&place.manifest(), &*place.watcher).map_err(|error| error.to_string())
}

fn filter(lines: &[&str]) -> Filter {
    Filter {
        filter_lines: lines.iter().map(|&line| line.to_owned()).collect(),
    }
}

fn computed(name: &str, source: &str) -> ComputedFile {
    ComputedFile {
        filename: name.to_owned(),
        source: source.to_owned(),
    }
}

#[test]
fn without_any_nothing_is_inherited() {
    let place = Place::without_tree();
    let mut files = load(&place).unwrap();
    let triggers = Triggers {
        triggers: vec![Trigger::default()],
    };
    files.join(Some(&filter(&["/a"])), Some(&triggers), &[computed("/x", "y:1")]);
    assert!(files.filter.is_none() && files.triggers.is_none());
    assert!(files.computed_files.0.is_empty() && files.tags.is_empty());
}

#[test]
fn a_plain_file_is_taken_as_it_is_and_odd_expressions_are_listed() {
    let place = Place::without_tree();
    place.write("filter", "/b\n# comment\n/a.b\n\n/a\n");
    place.write("computed-files", "/etc/x host:1\n");
    place.write(
        "computed-files.json",
        r#"[{"filename": "/etc/y", "Source": "host:2"}]"#,
    );
    place.write(
        "triggers",
        "// comment\n[{\"MatchLines\": [\"/x\"], \"Service\": \"s\", \"SortName\": \"9\"}]",
    );
    place.write("owners.json", r#"{"Groups": ["g"], "Users": ["u"]}"#);
    place.write("tags.json", r#"{"key": "$VALUE"}"#);
    let mut files = load(&place).unwrap();
    files.join(Some(&filter(&["/z"])), None, &[computed("/z", "y:1")]);
    assert_eq!(files.filter.unwrap().0, filter(&["/b", "/a.b", "/a"]));
    assert_eq!(files.computed_files.0, [computed("/etc/y", "host:2")]);
    assert_eq!(files.triggers.unwrap().0.triggers[0].sort_name, "9");
    assert_eq!(
        (files.owners.groups, files.owners.users),
        (vec!["g".to_owned()], vec!["u".to_owned()])
    );
    assert_eq!(files.tags["key"], "$VALUE");
    assert_eq!(
        place.log(),
        "The following filter expressions are unoptimised:\n/a.b\n"
    );
}

#[test]
fn added_ones_are_joined_with_the_source_image_s() {
    let place = Place::without_tree();
    place.write("filter.add", "/b\n/a\n");
    place.write("computed-files.add", "/etc/x new:1\n");
    place.write(
        "triggers.add",
        r#"[{"MatchLines": ["/b"], "Service": "s", "DoReboot": true}]"#,
    );
    let mut files = load(&place).unwrap();
    let source = Triggers {
        triggers: vec![Trigger {
            match_lines: vec!["/a".to_owned()],
            service: "s".to_owned(),
            ..Trigger::default()
        }],
    };
    files.join(
        Some(&filter(&["/c", "/a"])),
        Some(&source),
        &[computed("/etc/x", "old:1"), computed("/etc/a", "old:1")],
    );
    assert_eq!(files.filter.unwrap().0, filter(&["/a", "/b", "/c"]));
    assert_eq!(
        files.computed_files.0,
        [computed("/etc/a", "old:1"), computed("/etc/x", "new:1")]
    );
    let (triggers, _) = files.triggers.unwrap();
    assert_eq!(triggers.triggers.len(), 1);
    assert_eq!(triggers.triggers[0].match_lines, ["/a", "/b"]);
    assert!(triggers.triggers[0].do_reboot);
}

#[test]
fn an_empty_added_filter_makes_an_image_that_is_not_sparse_and_a_merge_of_no_triggers_gives_none() {
    let place = Place::without_tree();
    place.write("filter.add", "");
    place.write("triggers.add", "[]");
    let mut files = load(&place).unwrap();
    files.join(None, None, &[]);
    assert_eq!(files.filter.unwrap().0, filter(&[]));
    assert!(files.triggers.is_none());
}

#[test]
fn what_is_wrong_is_told_before_anything_is_built() {
    for (files, expected) in [
        (
            vec![("filter", ""), ("filter.add", "")],
            "filter and filter.add files both present",
        ),
        (
            vec![("triggers", "[]"), ("triggers.add", "[]")],
            "triggers and triggers.add files both present",
        ),
        (
            vec![("computed-files", ""), ("computed-files.add.json", "[]")],
            "computed-files and computed-files.add files both present",
        ),
        (vec![("filter", "/a(")], "error compiling filter: "),
        (vec![("filter.add", "/a(")], "error compiling filter.add: "),
        (vec![("triggers", "[")], "error decoding triggers "),
        (
            vec![("computed-files", "one two three\n")],
            "bad line: one two three",
        ),
        (vec![("owners.json", "[")], "owners.json: "),
        (vec![("tags.json", "[]")], "tags.json: "),
    ] {
        let place = Place::without_tree();
        for (name, text) in &files {
            place.write(name, text);
        }
        let error = load(&place).unwrap_err();
        assert!(error.contains(expected), "{files:?}: {error}");
    }
}

#[test]
fn a_link_out_of_the_manifest_is_not_read() {
    let place = Place::without_tree();
    std::os::unix::fs::symlink("/etc/passwd", place.manifest().join("filter")).unwrap();
    let error = load(&place).unwrap_err();
    assert!(error.starts_with("filter: "), "{error}");
    assert!(!error.contains("root:"), "{error}");
}
