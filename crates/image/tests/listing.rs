//! Listings are those the original's client printed for the same images.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use image::filter::{CompiledFilter, parse_lines};
use image::listing::{self, Fields};
use image::{FileSystem, InodeRef};

fn listing(tree: &FileSystem, skip: &str) -> String {
    let mut out = Vec::new();
    listing::write(&mut out, tree, Fields::without(skip), common::utc).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn whole_images_are_listed_as_recorded() {
    assert_eq!(listing(&common::v1(), ""), include_str!("data/v1.show"));
    assert_eq!(listing(&common::v2(), ""), include_str!("data/v2.show"));
}

#[test]
fn skipped_fields_are_left_out_as_recorded() {
    assert_eq!(
        listing(&common::v1(), "tms"),
        include_str!("data/033-show-skipFields.out")
    );
}

#[test]
fn a_filtered_listing_is_as_recorded() {
    let filter = CompiledFilter::new(&parse_lines(include_bytes!("data/filter1"))).unwrap();
    // The recording is of the same files without a computed one.
    let mut tree = common::v1();
    tree.apply_filter(&filter);
    let without_computed = |text: &str| {
        let lines = text.lines().filter(|line| !line.contains("/etc/computed.conf"));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    let recorded = include_str!("data/034-show-with-filterFile.out");
    assert_eq!(without_computed(&listing(&tree, "")), without_computed(recorded));
}

#[test]
fn single_inodes_are_listed_as_recorded() {
    let tree = common::v1();
    let links = image::walk::LinkCounts::of(&tree);
    for (path, line) in [
        (
            "/etc",
            "drwxr-xr-x   1     0     0                                     /etc\n",
        ),
        (
            "/usr/bin/hi",
            "lrwxrwxrwx   1     0     0                                     /usr/bin/hi -> hello\n",
        ),
        (
            "/dev/sda",
            "brw-rw----   1     0     6      0x800 02 Jan 2024 03:04:05 UTC /dev/sda\n",
        ),
    ] {
        let (number, inode): (_, InodeRef<'_>) = tree.lookup(path.as_bytes()).unwrap();
        let mut out = Vec::new();
        let count = links.get(&tree, number);
        listing::write_line(
            &mut out,
            path.as_bytes(),
            inode,
            count,
            Fields::default(),
            common::utc,
        )
        .unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), line);
    }
}

#[test]
fn the_usage_estimate_is_as_recorded() {
    let estimate = image::usage::estimate(&common::v1());
    assert_eq!(human::bytes(estimate), "348 KiB");
}
