//! Files that arrive in pieces, on several days (`docs/imgapi.md`).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test: what cannot go on has failed"
)]

use integration::http_talk::Reply;
use integration::repository::start_public;
use integration::repository_calls::{Calls, digests, expect, refused};
use serde_json::{Value, json};

fn bytes(length: usize) -> Vec<u8> {
    (0..length).map(|index| (index * 37 % 253) as u8).collect()
}

fn piece(calls: &mut Calls, url: &str, range: &str, body: &[u8]) -> Reply {
    calls.put(url, &[("content-range", range)], body).unwrap()
}

/// What an answer to a piece says is there.
fn received(reply: Reply, status: u16) -> u64 {
    let reply = expect(reply, status).unwrap();
    let told = reply.header("x-received-bytes").unwrap().parse().unwrap();
    if status == 202 {
        assert_eq!(reply.json().unwrap()["received"], told);
    }
    told
}

#[test]
fn a_file_in_pieces_is_that_of_one_piece() {
    let (_repository, daemon) = start_public().unwrap();
    let mut calls = Calls::to(&daemon).unwrap();
    let content = bytes(1_000_000);
    let (uuid, wanted) = (calls.create("", &json!({})).unwrap(), digests(&content));
    let url = format!("/images/{uuid}/file?compression=none&sha1={}", wanted.sha1);
    assert_eq!(received(piece(&mut calls, &url, "bytes */1000000", b""), 202), 0);
    assert_eq!(
        received(
            piece(&mut calls, &url, "bytes 0-299999/*", &content[..300_000]),
            202
        ),
        300_000
    );
    let asked = piece(&mut calls, &url, "bytes */1000000", b"");
    assert_eq!(
        asked.json().unwrap(),
        json!({"received": 300_000, "total": 1_000_000})
    );
    // What is there may come again.
    let again = piece(
        &mut calls,
        &url,
        "bytes 200000-599999/1000000",
        &content[200_000..600_000],
    );
    assert_eq!(received(again, 202), 600_000);
    let gap = piece(
        &mut calls,
        &url,
        "bytes 700000-999999/1000000",
        &content[700_000..],
    );
    assert_eq!(
        (gap.code(), received(gap, 416)),
        ("RangeNotSatisfiable".to_owned(), 600_000)
    );
    refused(calls.activate(&uuid).unwrap(), 422, "NoActivationNoFile").unwrap();
    refused(
        calls.get(&format!("/images/{uuid}/file")).unwrap(),
        404,
        "ResourceNotFound",
    )
    .unwrap();
    let last = piece(
        &mut calls,
        &url,
        "bytes 600000-999999/1000000",
        &content[600_000..],
    );
    let image = expect(last, 200).unwrap().json().unwrap();
    assert_eq!(
        image["files"],
        json!([{"sha1": wanted.sha1, "size": 1_000_000, "compression": "none"}])
    );
    let file = calls.get(&format!("/images/{uuid}/file")).unwrap();
    assert!(file.body == content);
    assert_eq!(file.header("content-md5"), Some(&wanted.md5[..]));
    assert_eq!(received(piece(&mut calls, &url, "bytes */*", b""), 202), 0);
}

#[test]
fn what_arrived_before_a_connection_broke_or_the_server_died_is_there() {
    let (repository, daemon) = start_public().unwrap();
    let mut calls = Calls::to(&daemon).unwrap();
    let content = bytes(2_000_000);
    let uuid = calls.create("", &json!({})).unwrap();
    let url = format!("/images/{uuid}/file?compression=none");
    let mut talk = daemon.talk().unwrap();
    let head = format!(
        "PUT {url} HTTP/1.1\r\nHost: h\r\nContent-Range: bytes 0-1999999/2000000\r\nContent-Length: 2000000\r\n\r\n"
    );
    talk.say(head.as_bytes()).unwrap();
    talk.say(&content[..1_200_000]).unwrap();
    drop(talk);
    // While the first is not over, a second is told to wait.
    let mut there = 0;
    for _ in 0..3000 {
        let asked = piece(&mut calls, &url, "bytes */2000000", b"");
        if asked.status == 202 {
            there = received(asked, 202);
            if there > 0 {
                break;
            }
        } else {
            refused(asked, 503, "ServiceUnavailableError").unwrap();
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    assert!(there > 0 && there <= 1_200_000, "{there}");
    daemon.kill().unwrap();

    let daemon = repository.start().unwrap();
    let mut calls = Calls::to(&daemon).unwrap();
    assert_eq!(
        received(piece(&mut calls, &url, "bytes */2000000", b""), 202),
        there
    );
    let rest = format!("bytes {there}-1999999/2000000");
    let last = piece(
        &mut calls,
        &url,
        &rest,
        &content[usize::try_from(there).unwrap()..],
    );
    let image = expect(last, 200).unwrap().json().unwrap();
    assert_eq!(image["files"][0]["sha1"], digests(&content).sha1);
}

#[test]
fn pieces_that_do_not_fit_together_are_refused() {
    let (repository, daemon) = start_public().unwrap();
    let mut calls = Calls::to(&daemon).unwrap();
    let content = bytes(100_000);
    let uuid = calls.create("", &json!({})).unwrap();
    let url = format!("/images/{uuid}/file?compression=none");
    for range in [
        "bytes 0-99/50",
        "bytes 5-3/10",
        "lines 0-9/10",
        "bytes 0-/10",
        "bytes 0-9/10, 5-6/10",
    ] {
        refused(
            piece(&mut calls, &url, range, b"0123456789"),
            400,
            "InvalidHeader",
        )
        .unwrap();
    }
    refused(piece(&mut calls, &url, "bytes 0-9/100", b"0123"), 400, "Upload").unwrap();
    refused(
        piece(&mut calls, &url, "bytes 0-9/21474836481", b"0123456789"),
        400,
        "Upload",
    )
    .unwrap();
    // Of chunks nobody knows beforehand how long they are; what came is kept.
    let chunked = [
        ("content-range", "bytes 0-9/100"),
        ("transfer-encoding", "chunked"),
    ];
    assert_eq!(
        received(calls.put(&url, &chunked, b"4\r\n0123\r\n0\r\n\r\n").unwrap(), 400),
        4
    );
    let long = calls
        .put(&url, &chunked, b"b\r\n0123456789a\r\n0\r\n\r\n")
        .unwrap();
    assert_eq!(long.status, 400);

    // From the beginning is anew.
    assert_eq!(
        received(
            piece(&mut calls, &url, "bytes 0-49999/100000", &bytes(50_000)),
            202
        ),
        50_000
    );
    assert_eq!(
        received(piece(&mut calls, &url, "bytes 0-9/100000", &content[..10]), 202),
        10
    );
    // Another total than what is there leaves room for.
    assert_eq!(
        received(piece(&mut calls, &url, "bytes 1-4/5", &content[1..5]), 416),
        10
    );
    // The last piece shows that it is not what was announced: nothing of it is left.
    let wrong = format!("{url}&sha1={}", digests(b"another").sha1);
    refused(
        piece(&mut calls, &wrong, "bytes 10-99999/100000", &content[10..]),
        400,
        "Download",
    )
    .unwrap();
    assert_eq!(received(piece(&mut calls, &url, "bytes */100000", b""), 202), 0);

    // Activation forgets what was begun, and so does a deletion.
    assert_eq!(
        received(piece(&mut calls, &url, "bytes 0-9/100000", &content[..10]), 202),
        10
    );
    expect(calls.add_file(&uuid, b"whole").unwrap(), 200).unwrap();
    expect(calls.activate(&uuid).unwrap(), 200).unwrap();
    refused(
        piece(&mut calls, &url, "bytes */100000", b""),
        422,
        "ImageFilesImmutable",
    )
    .unwrap();
    let uploads = repository.base().join("images/.uploads");
    let kept = || std::fs::read_dir(&uploads).unwrap().count();
    assert_eq!(kept(), 0);
    let other = calls.create("", &json!({})).unwrap();
    let url = format!("/images/{other}/file?compression=none");
    assert_eq!(
        received(piece(&mut calls, &url, "bytes 0-9/*", &content[..10]), 202),
        10
    );
    expect(calls.delete(&format!("/images/{other}")).unwrap(), 204).unwrap();
    assert_eq!(kept(), 0);
    assert!(
        !repository
            .base()
            .join("images")
            .join(&other[..3])
            .join(&other)
            .exists()
    );
    assert_eq!(
        calls.get("/ping").unwrap().json().unwrap()["ping"],
        Value::from("pong")
    );
}
