//! Entries as bytes, which an index keeps from one start to the next.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on has failed"
)]

use proptest::prelude::*;
use repository::catalogue::{Catalogue, ENTRY_VERSION, Entry, write_one};
use repository::http::ApiVersion;
use repository::manifest::{Mode, Record, Rules};
use serde_json::json;

const RULES: Rules = Rules {
    mode: Mode::Private,
    has_channels: true,
};

/// The bytes of [`full`] with the version they were written with. Where this fails because the bytes changed, `ENTRY_VERSION` goes up
/// with them: else a start would show what an older program made of the records.
const KNOWN: (u32, &str) = (1, "a9d97164088efaae810dbcebf6d681658f6184a1");

/// A record with everything an entry holds.
fn full() -> Record {
    let account = "86055c40-2547-11e2-8a6b-4bb37edc84ba";
    let object = json!({
        "v": 2, "uuid": "c58161c0-2547-11e2-a75e-9fdca1940570", "owner": account, "name": "base", "version": "1.0.0", "state": "active",
        "disabled": false, "activated": true, "public": false, "type": "lx-dataset", "os": "linux",
        "origin": "01b2c898-945f-11e1-a523-af1afbe22822", "published_at": "2012-11-02T22:46:45.992Z",
        "files": [{"sha1": "97f5f1f0d0f2b5d5e6b3f1a1f7f3a5c1d9e8b7a6", "size": 7, "compression": "gzip", "stor": "local",
            "dataset_guid": "1", "contentMD5": "jH3ZIq1HSU/ALDiOEsAOrA==", "mtime": "2013-08-22T20:41:08.978Z"}],
        "icon": {"sha1": "97f5f1f0d0f2b5d5e6b3f1a1f7f3a5c1d9e8b7a6", "size": 9, "contentType": "image/png",
            "contentMD5": "jH3ZIq1HSU/ALDiOEsAOrA==", "mtime": "2013-08-22T20:41:08.978Z", "stor": "local"},
        "acl": [account], "channels": ["dev"], "tags": ["role=db"], "tagsObj": {"role": "db"}, "billing_tags": ["xxl"],
        "description": "text é", "requirements": {"min_ram": 256},
    });
    Record::new(object.as_object().unwrap().clone(), &RULES).unwrap()
}

fn bytes(record: &Record) -> Vec<u8> {
    let mut bytes = Vec::new();
    Entry::new(record, RULES.mode).encode(&mut bytes);
    bytes
}

#[test]
fn bytes_that_mean_something_else_have_another_version() {
    let mut hasher = repository::digest::Digester::new().unwrap();
    hasher.update(&bytes(&full())).unwrap();
    let found = hasher.finish().unwrap().sha1;
    assert_eq!((ENTRY_VERSION, found.as_str()), KNOWN);
}

#[test]
fn an_entry_is_what_it_was() {
    let mut encoded = bytes(&full());
    encoded.extend_from_slice(b"rest");
    let mut rest = encoded.as_slice();
    let read = Entry::decode(&mut rest).unwrap();
    assert_eq!(rest, b"rest");
    let made = Entry::new(&full(), RULES.mode);
    assert_eq!(format!("{read:?}"), format!("{made:?}"));
    for version in [ApiVersion::One, ApiVersion::Two] {
        for is_admin in [false, true] {
            let answer = |entry: &Entry| {
                let mut answer = Vec::new();
                write_one(entry.form(), version, is_admin, &mut answer);
                (answer, entry.form().entity_tag(version, is_admin))
            };
            assert_eq!(answer(&read), answer(&made));
        }
    }
    assert_eq!(Catalogue::of_entries([read]).len(), 1);
}

proptest! {
    #[test]
    fn bytes_that_are_no_entry_are_refused_without_a_panic(cut in any::<prop::sample::Index>(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let good = bytes(&full());
        let mut short = &good[..cut.index(good.len())];
        prop_assert!(Entry::decode(&mut short).is_none());
        let mut spoilt = good;
        let at = at.index(spoilt.len());
        spoilt[at] = byte;
        let _ = Entry::decode(&mut spoilt.as_slice());
    }
}
