//! A full disk under an image repository: what does not fit is refused in plain words and leaves nothing, the rest goes on.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test: what cannot go on has failed"
)]

use integration::repository::Repository;
use integration::repository_calls::{Calls, digests, expect, refused};
use integration::small_disk::{SmallDisk, obstacle};
use serde_json::json;

#[test]
fn what_does_not_fit_is_refused_and_fits_when_there_is_room() {
    if let Some(obstacle) = obstacle() {
        integration::skip(
            "what_does_not_fit_is_refused_and_fits_when_there_is_room",
            obstacle,
        );
        return;
    }
    let place = tempfile::tempdir().unwrap();
    let disk = SmallDisk::mount(place.path(), "size=4m,mode=755").unwrap();
    let repository = Repository::at(place.path(), json!({"mode": "public"})).unwrap();
    let daemon = repository.start().unwrap();
    let mut calls = Calls::to(&daemon).unwrap();
    let small = vec![1; 100_000];
    let kept = calls.create_with_file(&small).unwrap();
    let deleted = calls.create_with_file(&small).unwrap();
    let (whole, pieces) = (
        calls.create("", &json!({})).unwrap(),
        calls.create("", &json!({})).unwrap(),
    );
    let large: Vec<u8> = (0..6_000_000u32).map(|number| (number % 251) as u8).collect();
    let uploads = || {
        std::fs::read_dir(place.path().join("images/.uploads"))
            .unwrap()
            .count()
    };

    for _ in 0..2 {
        let message = refused(calls.add_file(&whole, &large).unwrap(), 500, "InternalError").unwrap();
        assert!(message.contains("no space left"), "{message}");
        assert!(
            !message.contains(&place.path().display().to_string()),
            "a path of the server: {message}"
        );
        assert_eq!(uploads(), 0);
        // A new connection: behind so long a rest the old one may be closed.
        calls = Calls::to(&daemon).unwrap();
    }
    let url = format!("/images/{pieces}/file?compression=none");
    let all = [("content-range", "bytes 0-5999999/6000000")];
    refused(calls.put(&url, &all, &large).unwrap(), 500, "InternalError").unwrap();
    let mut calls = Calls::to(&daemon).unwrap();
    assert!(uploads() <= 1);
    assert!(calls.get(&format!("/images/{kept}/file")).unwrap().body == small);
    expect(calls.delete(&format!("/images/{deleted}")).unwrap(), 204).unwrap();
    refused(
        calls.get(&format!("/images/{whole}/file")).unwrap(),
        404,
        "ResourceNotFound",
    )
    .unwrap();

    disk.change("size=64m").unwrap();
    expect(calls.add_file(&whole, &large).unwrap(), 200).unwrap();
    let asked = calls
        .put(&url, &[("content-range", "bytes */6000000")], b"")
        .unwrap();
    let there = expect(asked, 202).unwrap().json().unwrap()["received"]
        .as_u64()
        .unwrap();
    let rest = &large[usize::try_from(there).unwrap()..];
    let range = format!("bytes {there}-5999999/6000000");
    let image = expect(calls.put(&url, &[("content-range", &range)], rest).unwrap(), 200).unwrap();
    assert_eq!(image.json().unwrap()["files"][0]["sha1"], digests(&large).sha1);
    expect(calls.activate(&pieces).unwrap(), 200).unwrap();
    drop(daemon);
    drop(repository);
}
