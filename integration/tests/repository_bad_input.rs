//! Requests that must not be: each is answered as specified, leaves nothing, and the connection and the process go on. Among them
//! all kinds that end the original's process.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test: what cannot go on has failed"
)]

use integration::repository::Repository;
use integration::repository_calls::{Calls, expect, manifest, refused};
use integration::repository_images::datacenter;
use serde_json::{Value, json};

const JSON: (&str, &str) = ("content-type", "application/json");

#[test]
fn what_ends_the_original_is_answered() {
    let repository = Repository::new(datacenter()).unwrap();
    let mut daemon = repository.start().unwrap();
    let mut calls = Calls::to(&daemon).unwrap();
    let uuid = calls.create("", &json!({})).unwrap();
    let of = |rest: &str| format!("/images/{uuid}{rest}");
    let without = |field: &str| {
        let mut body = manifest(&json!({}));
        body.as_object_mut().unwrap().remove(field);
        body.to_string()
    };
    let with = |fields: Value| manifest(&fields).to_string();
    let first_version =
        json!({"creator_uuid": "33333333-3333-4333-8333-333333333333", "name": "x"}).to_string();
    let (invalid, failed) = ("InvalidParameter", "ValidationFailed");
    let cases = [
        (
            "GET",
            "/images/%25s%25d".to_owned(),
            String::new(),
            404,
            "ResourceNotFound",
        ),
        (
            "GET",
            "/images?public=maybe".to_owned(),
            String::new(),
            422,
            invalid,
        ),
        ("GET", "/images?billing_tag=x".to_owned(), String::new(), 200, ""),
        ("POST", "/images".to_owned(), without("owner"), 422, failed),
        (
            "POST",
            "/images".to_owned(),
            with(json!({"owner": "nobody"})),
            422,
            failed,
        ),
        (
            "POST",
            "/images".to_owned(),
            with(json!({"owner": 5})),
            422,
            failed,
        ),
        (
            "POST",
            "/images".to_owned(),
            with(json!({"owner": null})),
            422,
            failed,
        ),
        ("POST", "/images".to_owned(), String::new(), 422, failed),
        ("POST", "/images".to_owned(), "null".to_owned(), 422, failed),
        ("POST", "/images".to_owned(), "[]".to_owned(), 422, failed),
        ("POST", "/images".to_owned(), "\"text\"".to_owned(), 422, failed),
        (
            "POST",
            "/images?action=bogus".to_owned(),
            with(json!({})),
            422,
            invalid,
        ),
        ("POST", of("?action=import"), String::new(), 422, failed),
        (
            "POST",
            of("/file/from-url?compression=none"),
            String::new(),
            422,
            invalid,
        ),
        ("POST", of("?action=update"), "null".to_owned(), 422, failed),
        ("POST", of("?action=channel-add"), String::new(), 422, invalid),
        ("DELETE", of("/icon"), String::new(), 404, "ResourceNotFound"),
        (
            "POST",
            "/images/33333333-3333-4333-8333-333333333333?action=import".to_owned(),
            first_version,
            422,
            invalid,
        ),
    ];
    for (method, url, body, status, code) in cases {
        let headers: &[_] = if method == "GET" { &[] } else { &[JSON] };
        let reply = calls.ask(method, &url, headers, body.as_bytes()).unwrap();
        assert_eq!(
            (reply.status, reply.code()),
            (status, code.to_owned()),
            "{method} {url} {body}: {}",
            reply.text()
        );
    }
    let text = calls
        .ask("POST", "/images", &[("content-type", "text/plain")], b"hello")
        .unwrap();
    refused(text, 422, failed).unwrap();
    // Null is no object of tags.
    let tags = calls
        .post_json("/images", &manifest(&json!({"tags": null})))
        .unwrap();
    let field = tags.json().unwrap()["errors"][0]["field"].clone();
    assert_eq!((tags.status, field), (422, json!("tags")));
    // A name of a request that is no UUID is a name all the same.
    for id in ["../../etc/passwd", "not-a-uuid", "%00"] {
        let reply = calls
            .put(&of("/file?compression=none"), &[("x-request-id", id)], b"file")
            .unwrap();
        assert_eq!(expect(reply, 200).unwrap().header("x-request-id"), Some(id));
    }
    let renamed = json!({"uuid": "aaaaaaaa-1111-4222-8333-bbbbbbbbbbbb"});
    let other = calls.create("", &json!({})).unwrap();
    let reply = calls
        .post_json(&format!("/images/{other}?action=update"), &renamed)
        .unwrap();
    assert_eq!(
        expect(reply, 200).unwrap().json().unwrap()["uuid"],
        renamed["uuid"]
    );
    refused(
        calls.get(&format!("/images/{other}")).unwrap(),
        404,
        "ResourceNotFound",
    )
    .unwrap();
    assert!(daemon.is_running());
}

#[test]
fn a_manifest_that_breaks_rules_leaves_nothing() {
    let repository = Repository::new(datacenter()).unwrap();
    let daemon = repository.start().unwrap();
    let mut calls = Calls::to(&daemon).unwrap();
    let long = "x".repeat(10 << 20);
    let field = |reply: integration::http_talk::Reply| reply.json().unwrap()["errors"][0]["field"].clone();
    let reply = calls
        .post_json("/images", &manifest(&json!({"description": long})))
        .unwrap();
    assert_eq!((reply.status, field(reply)), (422, json!("description")));
    let reply = calls
        .post_json("/images", &manifest(&json!({"tags": {"k": long}})))
        .unwrap();
    assert_eq!((reply.status, field(reply)), (422, json!("tags")));
    let reply = calls
        .post_json(
            "/images",
            &manifest(&json!({"__proto__x": 1, "uuid": "x", "activated": true})),
        )
        .unwrap();
    assert_eq!(field(reply.clone()), "__proto__x");
    refused(reply, 422, "InvalidParameter").unwrap();
    for name in ["", "a\u{0}b", "../../etc\u{7f}", "ü", &"n".repeat(1025)] {
        let reply = calls
            .post_json("/images", &manifest(&json!({"name": name})))
            .unwrap();
        refused(reply, 422, "ValidationFailed").unwrap();
    }
    for body in ["{", "{\"name\": }", "\u{feff}{}", &"[".repeat(100_000)] {
        let reply = calls.ask("POST", "/images", &[JSON], body.as_bytes()).unwrap();
        refused(reply, 400, "InvalidContent").unwrap();
    }
    let md5 = ("content-md5", "AAAAAAAAAAAAAAAAAAAAAA==");
    let body = manifest(&json!({})).to_string();
    refused(
        calls
            .ask("POST", "/images", &[JSON, md5], body.as_bytes())
            .unwrap(),
        400,
        "BadDigest",
    )
    .unwrap();
    let origin = json!({"origin": "aaaaaaaa-1111-4222-8333-bbbbbbbbbbbb"});
    refused(
        calls.post_json("/images", &manifest(&origin)).unwrap(),
        422,
        "OriginDoesNotExist",
    )
    .unwrap();

    // One that is longer than any may be is refused before it is sent; its connection ends behind the answer.
    let mut large = Calls::to(&daemon).unwrap();
    let head = "POST /images HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: 99999999\r\n\r\n";
    large.talk().say(head.as_bytes()).unwrap();
    assert_eq!(large.talk().answer_to("POST").unwrap().status, 413);

    assert!(calls.list("?state=all").unwrap().is_empty());
    assert_eq!(
        std::fs::read_dir(repository.base().join("manifests"))
            .unwrap()
            .count(),
        0
    );
}
