//! Files and icons: what is received is what is recorded, what is refused leaves nothing, and the connection goes on.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test: what cannot go on has failed"
)]

use integration::repository::{Repository, start_public};
use integration::repository_calls::{Calls, digests, expect, refused};
use integration::wait::until;
use serde_json::json;
use std::path::{Path, PathBuf};

fn bytes(length: usize) -> Vec<u8> {
    (0..length).map(|index| (index * 31 % 251) as u8).collect()
}

fn directory(repository: &Repository, uuid: &str) -> PathBuf {
    repository.base().join("images").join(&uuid[..3]).join(uuid)
}

/// Names in an image's directory; none if there is no such directory.
fn names(directory: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(directory) else {
        return Vec::new();
    };
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// Where files lie while they arrive.
fn uploads(repository: &Repository) -> PathBuf {
    repository.base().join("images/.uploads")
}

#[test]
fn a_file_is_recorded_with_what_arrived_and_replaces_the_one_before() {
    let (repository, daemon) = start_public().unwrap();
    let mut calls = Calls::to(&daemon).unwrap();
    let uuid = calls.create("", &json!({})).unwrap();
    for content in [bytes(1), bytes(5_000_003), bytes(70_000)] {
        let image = expect(calls.add_file(&uuid, &content).unwrap(), 200)
            .unwrap()
            .json()
            .unwrap();
        let wanted = digests(&content);
        assert_eq!(
            image["files"],
            json!([{"sha1": wanted.sha1, "size": content.len(), "compression": "none"}])
        );
        let file = expect(calls.get(&format!("/images/{uuid}/file")).unwrap(), 200).unwrap();
        assert!(file.body == content);
        assert_eq!(file.header("content-md5"), Some(&wanted.md5[..]));
        assert_eq!(names(&directory(&repository, &uuid)), ["file0"]);
        assert!(names(&uploads(&repository)).is_empty());
    }
    // In chunks, the sizes of which are the client's affair.
    let content = bytes(200_000);
    let mut body = Vec::new();
    for chunk in [&content[..1], &content[1..90_001], &content[90_001..]] {
        body.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
        body.extend_from_slice(chunk);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"0\r\n\r\n");
    let url = format!(
        "/images/{uuid}/file?compression=gzip&sha1={}",
        digests(&content).sha1
    );
    let image = calls
        .put(&url, &[("transfer-encoding", "chunked")], &body)
        .unwrap();
    let image = expect(image, 200).unwrap().json().unwrap();
    assert_eq!(
        (&image["files"][0]["size"], &image["files"][0]["compression"]),
        (&json!(200_000), &json!("gzip"))
    );

    expect(calls.activate(&uuid).unwrap(), 200).unwrap();
    refused(
        calls.add_file(&uuid, b"too late").unwrap(),
        422,
        "ImageFilesImmutable",
    )
    .unwrap();
    refused(calls.activate(&uuid).unwrap(), 422, "ImageAlreadyActivated").unwrap();
    assert!(calls.get(&format!("/images/{uuid}/file")).unwrap().body == content);
}

#[test]
fn a_refused_file_leaves_the_one_before_and_the_connection() {
    let (repository, daemon) = start_public().unwrap();
    let mut calls = Calls::to(&daemon).unwrap();
    let uuid = calls.create_with_file(b"good").unwrap();
    let url = |query: &str| format!("/images/{uuid}/file{query}");
    let field = |calls: &mut Calls, query: &str, field: &str, code: &str| {
        let reply = calls.put(&url(query), &[], &bytes(300_000)).unwrap();
        let error = reply.json().unwrap()["errors"][0].clone();
        refused(reply, 422, "InvalidParameter").unwrap();
        assert_eq!((&error["field"], &error["code"]), (&json!(field), &json!(code)));
    };
    field(&mut calls, "", "compression", "Missing");
    field(&mut calls, "?compression=zip", "compression", "Invalid");
    field(
        &mut calls,
        "?compression=none&storage=floppy",
        "storage",
        "Invalid",
    );
    field(&mut calls, "?compression=none&account=junk", "account", "Invalid");

    let wrong = "046c168df2244d3a13985f042a50e479fe56455e";
    let content = bytes(3_000_000);
    let reply = calls
        .put(&url(&format!("?compression=none&sha1={wrong}")), &[], &content)
        .unwrap();
    let message = refused(reply, 400, "Download").unwrap();
    let right = digests(&content).sha1;
    assert_eq!(
        message,
        format!("\"sha1\" hash, {wrong}, does not match the uploaded file sha1 hash, {right}")
    );
    let message = refused(
        calls.put(&url("?compression=none"), &[], b"").unwrap(),
        400,
        "Download",
    )
    .unwrap();
    assert_eq!(message, "image file size is 0 bytes, empty files are not allowed");

    let unknown = "00000000-1111-4222-8333-444444444444";
    refused(
        calls.add_file(unknown, b"nowhere").unwrap(),
        404,
        "ResourceNotFound",
    )
    .unwrap();
    refused(
        calls.add_file("../../../etc/passwd", b"nowhere").unwrap(),
        404,
        "ResourceNotFound",
    )
    .unwrap();
    refused(
        calls.add_file("%2e%2e%2f", b"nowhere").unwrap(),
        404,
        "ResourceNotFound",
    )
    .unwrap();
    assert_eq!(calls.get(&url("")).unwrap().body, b"good");
    assert_eq!(names(&directory(&repository, &uuid)), ["file0"]);
    assert!(names(&uploads(&repository)).is_empty());

    // One that is announced to be too long is refused before it is sent.
    let mut large = Calls::to(&daemon).unwrap();
    let length = [("Content-Length", "21474836481")];
    let head = format!(
        "PUT {} HTTP/1.1\r\nHost: h\r\n{}: {}\r\n\r\n",
        url("?compression=none"),
        length[0].0,
        length[0].1
    );
    large.talk().say(head.as_bytes()).unwrap();
    large.talk().say(&bytes(1000)).unwrap();
    let message = refused(large.talk().answer_to("PUT").unwrap(), 400, "Upload").unwrap();
    assert_eq!(
        message,
        "image file size 21474836481 (from Content-Length) exceeds the maximum allowed size, 20 GiB"
    );
}

#[test]
fn a_connection_that_breaks_leaves_nothing_of_a_whole_file() {
    let (repository, daemon) = start_public().unwrap();
    let mut calls = Calls::to(&daemon).unwrap();
    let uuid = calls.create("", &json!({})).unwrap();
    let head = format!(
        "PUT /images/{uuid}/file?compression=none HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\n"
    );
    let path = uploads(&repository);
    for says_so in [true, false] {
        let mut talk = daemon.talk().unwrap();
        talk.say(head.as_bytes()).unwrap();
        talk.say(&bytes(600_000)).unwrap();
        until("an upload", || {
            names(&path).iter().any(|name| name.starts_with(&uuid))
        });
        if says_so {
            // Sends no more, but still reads.
            talk.finish().unwrap();
            let message = refused(talk.answer_to("PUT").unwrap(), 400, "Download").unwrap();
            assert_eq!(
                message,
                "\"Content-Length\" header, 1000000, does not match uploaded size, 600000"
            );
        }
        drop(talk);
        until("nothing", || names(&path).is_empty());
    }
    expect(calls.add_file(&uuid, b"another day").unwrap(), 200).unwrap();
}

#[test]
fn a_large_file_is_never_in_memory() {
    let (_repository, daemon) = start_public().unwrap();
    let mut calls = Calls::to(&daemon).unwrap();
    let uuid = calls.create("", &json!({})).unwrap();
    let piece = bytes(1 << 20);
    let before = daemon.peak_memory_bytes().unwrap();
    let head = format!(
        "PUT /images/{uuid}/file?compression=none HTTP/1.1\r\nHost: h\r\nContent-Length: {}\r\n\r\n",
        256 << 20
    );
    calls.talk().say(head.as_bytes()).unwrap();
    for _ in 0..256 {
        calls.talk().say(&piece).unwrap();
    }
    let image = expect(calls.talk().answer_to("PUT").unwrap(), 200)
        .unwrap()
        .json()
        .unwrap();
    assert_eq!(image["files"][0]["size"], 256 << 20);
    let more = daemon.peak_memory_bytes().unwrap() - before;
    assert!(more < 64 << 20, "{more} bytes more");
}

#[test]
fn an_icon_is_one_of_three_kinds_and_small() {
    let (repository, daemon) = start_public().unwrap();
    let mut calls = Calls::to(&daemon).unwrap();
    let uuid = calls.create("", &json!({})).unwrap();
    let url = format!("/images/{uuid}/icon");
    let kind = |kind: &'static str| [("content-type", kind)];
    for wrong in [
        "text/html",
        "image/svg+xml",
        "image/png; charset=utf-8",
        "application/octet-stream",
    ] {
        let message = refused(calls.put(&url, &kind(wrong), b"x").unwrap(), 400, "Upload").unwrap();
        assert_eq!(
            message,
            format!("invalid content-type, {wrong}, must be one of image/jpeg, image/gif, image/png")
        );
    }
    refused(calls.put(&url, &[], b"x").unwrap(), 400, "Upload").unwrap();
    refused(calls.put(&url, &kind("image/gif"), b"").unwrap(), 400, "Upload").unwrap();
    refused(
        calls
            .put(&format!("{url}?sha1=abc"), &kind("image/gif"), b"x")
            .unwrap(),
        400,
        "Upload",
    )
    .unwrap();
    let message = refused(
        calls.put(&url, &kind("image/png"), &bytes(131_073)).unwrap(),
        400,
        "Upload",
    )
    .unwrap();
    assert_eq!(
        message,
        "icon size 131073 (from Content-Length) exceeds the maximum allowed size, 128 KiB"
    );
    let long = [b"20001\r\n".to_vec(), bytes(131_073), b"\r\n0\r\n\r\n".to_vec()].concat();
    let chunked = [("content-type", "image/png"), ("transfer-encoding", "chunked")];
    refused(calls.put(&url, &chunked, &long).unwrap(), 400, "Upload").unwrap();
    refused(calls.get(&url).unwrap(), 404, "ResourceNotFound").unwrap();
    refused(calls.delete(&url).unwrap(), 404, "ResourceNotFound").unwrap();
    assert!(names(&directory(&repository, &uuid)).is_empty());
    assert!(names(&uploads(&repository)).is_empty());

    // Also on an image that is activated, and again and again.
    expect(calls.add_file(&uuid, b"file").unwrap(), 200).unwrap();
    expect(calls.activate(&uuid).unwrap(), 200).unwrap();
    for (name, content) in [
        ("image/jpeg", bytes(131_072)),
        ("image/gif", bytes(1)),
        ("image/png", bytes(1000)),
    ] {
        let image = expect(calls.put(&url, &kind(name), &content).unwrap(), 200)
            .unwrap()
            .json()
            .unwrap();
        assert_eq!(image["icon"], true);
        let icon = calls.get(&url).unwrap();
        assert_eq!(
            (icon.body == content, icon.header("content-type")),
            (true, Some(name))
        );
    }
    let without = expect(calls.delete(&url).unwrap(), 200).unwrap().json().unwrap();
    assert!(without["icon"].is_null());
    assert_eq!(names(&directory(&repository, &uuid)), ["file0"]);
    expect(calls.delete(&format!("/images/{uuid}")).unwrap(), 204).unwrap();
    assert!(!directory(&repository, &uuid).exists());
}
