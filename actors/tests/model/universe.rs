//! The few names, contents and callers that sequences are about: few, so that steps meet.

use super::step::{Caller, Content, Owner, Spec, Tree};
use crate::common;
use actors::image_index::Requester;
use gob::{Time, Zone};
use hash::Hash;
use image::{Annotation, DirectoryEntry, Image};
use std::time::{Duration, SystemTime};

pub const CONTENTS: Content = 12;
/// Larger than what is read in one piece (1 MiB): costs some milliseconds, so it comes seldom.
pub const LARGE: Content = CONTENTS - 1;
pub const CONNECTIONS: u8 = 3;

/// Known on every host.
pub const GROUP: &str = "daemon";
pub const GROUPS: &[&str] = &["", GROUP, "root", "no-such-group"];

pub const NAMES: &[&str] = &[
    "one",
    "two",
    "a/one",
    "a/two",
    "a/b/one",
    "c/one",
    "nowhere/one",
    "a",
];
pub const BAD_NAMES: &[&str] = &["", "/one", "../one", ".one", "a/.metadata", "one~", "a//one"];
pub const DIRECTORIES: &[&str] = &["a", "a/b", "c", "a/b/d/e", "nowhere/d", "one"];
pub const ODD_DIRECTORIES: &[&str] = &[".", "", "a//b/", "a/../c", "..", ".hidden"];
pub const LISTINGS: &[&str] = &["", ".", "a", "a/", "a/b", "c", "./"];

/// When every sequence begins.
pub const BEGIN_UNIX_SECONDS: i64 = 1_800_000_000;

pub fn content(number: Content) -> Vec<u8> {
    match number {
        LARGE => vec![number; (1 << 20) + 5],
        // Two of equal length each.
        _ => vec![b'a' + number; 1 + usize::from(number / 2) * 7],
    }
}

pub fn size(number: Content) -> u64 {
    content(number).len() as u64
}

pub fn hash_of(number: Content) -> Hash {
    static ALL: std::sync::LazyLock<Vec<Hash>> =
        std::sync::LazyLock::new(|| (0..CONTENTS).map(|number| hash::of(&content(number))).collect());
    ALL[usize::from(number)]
}

pub fn number_of(hash: &Hash) -> Content {
    (0..CONTENTS).find(|number| hash_of(*number) == *hash).unwrap()
}

/// A time of a sequence, seconds since its beginning.
pub fn time(seconds: i64) -> Time {
    Time::new(BEGIN_UNIX_SECONDS + seconds, 0, Zone::Utc)
}

pub fn system_time(seconds: i64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs((BEGIN_UNIX_SECONDS + seconds).cast_unsigned())
}

pub fn requester(caller: Caller) -> Requester {
    match caller {
        Caller::Internal => Requester::internal(),
        Caller::Privileged => common::privileged("joe"),
        Caller::Member => common::user("ann", &[GROUP]),
        Caller::Ordinary => common::user("bob", &[]),
        Caller::Nobody => Requester::default(),
    }
}

/// The image of a specification, as it is sent.
pub fn image(spec: &Spec, now: i64) -> Image {
    let contents: Vec<Vec<u8>> = spec.files.iter().map(|file| content(*file)).collect();
    let names: Vec<String> = (0..contents.len()).map(|number| format!("f{number}")).collect();
    let mut files: Vec<(&str, &[u8])> = names
        .iter()
        .zip(&contents)
        .map(|(name, content)| (name.as_str(), content.as_slice()))
        .collect();
    files.push(("empty", b""));
    let mut tree = common::tree(&files);
    if spec.tree == Tree::Hostile {
        tree.directory_inode.entry_list.push(DirectoryEntry {
            name: "../etc".into(),
            inode_number: 1,
        });
    }
    let annotation = |content: Option<Content>| {
        content.map(|content| Annotation {
            object: Some(hash_of(content)),
            url: String::new(),
        })
    };
    let mut image = Image {
        file_system: (spec.tree != Tree::Nil).then_some(tree),
        release_notes: annotation(spec.notes),
        build_log: annotation(spec.log),
        build_commit_id: commit(spec.commit).into(),
        tags: image::tags::parse(&format!("t={}", spec.tag)).unwrap(),
        created_by: "maker".into(),
        created_on: time(now - 500),
        expires_at: spec.expires_in.map_or(Time::ZERO, |seconds| time(now + seconds)),
        ..Image::default()
    };
    match spec.owner {
        Owner::Unowned => {}
        Owner::UserBob => image.owner_users.push("bob".into()),
        Owner::CreatedForBob => image.created_for = "bob".into(),
        Owner::Group => image.owner_groups.push(GROUP.into()),
    }
    image
}

/// 0 is none.
pub fn commit(number: u8) -> &'static str {
    ["", "c0ffee", "facade"][usize::from(number)]
}

/// 0 matches everything.
pub fn tags_to_match(number: u8) -> image::tags::TagsToMatch {
    let text = if number == 0 {
        String::new()
    } else {
        format!("t={number}")
    };
    image::tags::parse_match(&text).unwrap()
}
