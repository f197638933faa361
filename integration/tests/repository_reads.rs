//! The reading endpoints of the image repository, asked over the network.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test: what cannot go on has failed"
)]

use integration::repository::{Imgapi, Repository};
use serde_json::{Value, json};
use std::fs;

const UUID: &str = "c58161c0-2547-41e2-a75e-9fdca1940570";

/// A repository with one active image whose file has these bytes.
fn with_file(bytes: &[u8], configuration: Value) -> (Repository, Imgapi) {
    let repository = Repository::new(configuration).unwrap();
    put(&repository, UUID, bytes, json!({}));
    let daemon = repository.start().unwrap();
    (repository, daemon)
}

/// Puts an active image there as the original would have stored it.
fn put(repository: &Repository, uuid: &str, bytes: &[u8], fields: Value) {
    let base = repository.base();
    let files = base.join("images").join(&uuid[..3]).join(uuid);
    fs::create_dir_all(&files).unwrap();
    fs::create_dir_all(base.join("manifests")).unwrap();
    fs::write(files.join("file0"), bytes).unwrap();
    let mut record = json!({
        "v": 2, "uuid": uuid, "owner": "352971aa-31ba-496c-9ade-a379feaecd52", "name": "base", "version": "1.0.0",
        "disabled": false, "activated": true, "public": true, "published_at": "2013-01-01T00:00:00.000Z", "state": "active",
        "type": "zone-dataset", "os": "smartos",
        "files": [{
            "sha1": sha1(bytes), "size": bytes.len(), "compression": "none", "contentMD5": "AKzi0jlyHr8MNDy8hg6SIQ==",
            "mtime": "2026-11-22T05:23:55.123Z", "stor": "local",
        }],
    });
    for (key, value) in fields.as_object().unwrap() {
        record[key] = value.clone();
    }
    fs::write(
        base.join("manifests").join(format!("{uuid}.raw")),
        record.to_string(),
    )
    .unwrap();
}

fn sha1(bytes: &[u8]) -> String {
    let mut digester = repository::digest::Digester::new().unwrap();
    digester.update(bytes).unwrap();
    digester.finish().unwrap().sha1
}

fn bytes(length: usize) -> Vec<u8> {
    (0..length).map(|index| (index * 31 % 251) as u8).collect()
}

#[test]
fn a_file_is_sent_whole_in_parts_and_not_at_all() {
    let content = bytes(3_000_001);
    let (_repository, daemon) = with_file(&content, json!({}));
    let mut talk = daemon.talk().unwrap();
    let path = format!("/images/{UUID}/file");
    let whole = talk.ask("GET", &path, &[], b"").unwrap();
    assert_eq!((whole.status, whole.body == content), (200, true));
    let tag = whole.header("etag").unwrap().to_owned();
    assert_eq!(tag, sha1(&content));
    assert_eq!(whole.header("content-md5"), Some("AKzi0jlyHr8MNDy8hg6SIQ=="));
    assert_eq!(
        whole.header("last-modified"),
        Some("Sun, 22 Nov 2026 05:23:55 GMT")
    );
    assert_eq!(whole.header("content-type"), Some("application/octet-stream"));

    let range = |value: &'static str| ("range", value);
    for (headers, status, part) in [
        (vec![range("bytes=0-0")], 206, 0..1),
        (vec![range("bytes=1000000-")], 206, 1_000_000..3_000_001),
        (vec![range("bytes=-1")], 206, 3_000_000..3_000_001),
        (vec![range("bytes=5-9"), ("if-range", &tag)], 206, 5..10),
        (
            vec![range("bytes=5-9"), ("if-range", "Sun, 22 Nov 2026 05:23:55 GMT")],
            206,
            5..10,
        ),
        (
            vec![range("bytes=5-9"), ("if-range", "\"another\"")],
            200,
            0..3_000_001,
        ),
        (vec![range("bytes=5-9,20-29")], 200, 0..3_000_001),
    ] {
        let reply = talk.ask("GET", &path, &headers, b"").unwrap();
        assert_eq!(reply.status, status, "{headers:?}");
        assert!(reply.body == content[part.clone()], "{headers:?}");
        if status == 206 {
            let expected = format!("bytes {}-{}/3000001", part.start, part.end - 1);
            assert_eq!(reply.header("content-range"), Some(expected.as_str()));
        }
    }
    let beyond = talk.ask("GET", &path, &[range("bytes=3000001-")], b"").unwrap();
    assert_eq!(
        (beyond.status, beyond.header("content-range")),
        (416, Some("bytes */3000001"))
    );
    let known = talk.ask("GET", &path, &[("if-none-match", &tag)], b"").unwrap();
    assert_eq!((known.status, known.body.len()), (304, 0));
    let head = talk.ask("HEAD", &path, &[], b"").unwrap();
    assert_eq!((head.status, head.header("allow")), (405, Some("PUT, GET")));
    let other = talk.ask("GET", &format!("{path}?index=1"), &[], b"").unwrap();
    assert_eq!(other.status, 404);
}
