//! The reading endpoints of the image repository, asked over the network.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test: what cannot go on has failed"
)]

use integration::http_talk::{Reply, Talk};
use integration::repository::{Imgapi, Repository};
use integration::stored_image::{bytes, put};
use repository::http::{Endpoint, ROUTES};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const UUID: &str = "c58161c0-2547-41e2-a75e-9fdca1940570";

/// A repository with one active image whose file has these bytes.
fn with_file(content: &[u8], configuration: Value) -> (Repository, Imgapi) {
    let repository = Repository::new(configuration).unwrap();
    put(&repository, UUID, content, &json!({})).unwrap();
    let daemon = repository.start().unwrap();
    (repository, daemon)
}

fn ask(talk: &mut Talk, url: &str, headers: &[(&str, &str)]) -> Reply {
    talk.ask("GET", url, headers, b"").unwrap()
}

#[test]
fn a_file_is_sent_whole_in_parts_and_not_at_all() {
    let content = bytes(3_000_001);
    let (_repository, daemon) = with_file(&content, json!({}));
    let mut talk = daemon.talk().unwrap();
    let path = format!("/images/{UUID}/file");
    let whole = ask(&mut talk, &path, &[]);
    assert_eq!((whole.status, whole.body == content), (200, true));
    let image = ask(&mut talk, &format!("/images/{UUID}"), &[]).json().unwrap();
    let tag = whole.header("etag").unwrap().to_owned();
    assert_eq!(Some(tag.as_str()), image["files"][0]["sha1"].as_str());
    assert_eq!(whole.header("content-md5").map(str::len), Some(24));
    assert_eq!(
        whole.header("last-modified"),
        Some("Sun, 22 Nov 2026 05:23:55 GMT")
    );
    assert_eq!(whole.header("content-type"), Some("application/octet-stream"));
    assert_eq!(whole.header("content-length"), Some("3000001"));

    let range = |value: &'static str| ("range", value);
    let date = "Sun, 22 Nov 2026 05:23:55 GMT";
    for (headers, status, part) in [
        (vec![range("bytes=0-0")], 206, 0..1),
        (vec![range("bytes=1000000-")], 206, 1_000_000..3_000_001),
        (vec![range("bytes=-1")], 206, 3_000_000..3_000_001),
        (vec![range("bytes=5-9"), ("if-range", &tag)], 206, 5..10),
        (vec![range("bytes=5-9"), ("if-range", date)], 206, 5..10),
        (
            vec![range("bytes=5-9"), ("if-range", "\"another\"")],
            200,
            0..3_000_001,
        ),
        (vec![range("bytes=5-9,20-29")], 200, 0..3_000_001),
    ] {
        let reply = ask(&mut talk, &path, &headers);
        assert_eq!(reply.status, status, "{headers:?}");
        assert!(reply.body == content[part.clone()], "{headers:?}");
        if status == 206 {
            let expected = format!("bytes {}-{}/3000001", part.start, part.end - 1);
            assert_eq!(reply.header("content-range"), Some(expected.as_str()));
        }
    }
    let beyond = ask(&mut talk, &path, &[range("bytes=3000001-")]);
    assert_eq!(
        (beyond.status, beyond.header("content-range")),
        (416, Some("bytes */3000001"))
    );
    let known = ask(&mut talk, &path, &[("if-none-match", &tag)]);
    assert_eq!((known.status, known.body.len()), (304, 0));
    let head = talk.ask("HEAD", &path, &[], b"").unwrap();
    assert_eq!((head.status, head.header("allow")), (405, Some("PUT, GET")));
    assert_eq!(ask(&mut talk, &format!("{path}?index=1"), &[]).status, 404);
}

#[test]
fn a_file_is_sent_as_long_as_its_record_says_and_one_that_is_too_short_is_an_error() {
    let repository = Repository::new(json!({})).unwrap();
    let other = UUID.replace('c', "d");
    let file =
        |size: u64| json!({"files": [{"sha1": "0", "size": size, "compression": "none", "stor": "local"}]});
    put(&repository, UUID, &bytes(100), &file(40)).unwrap();
    put(&repository, &other, &bytes(100), &file(140)).unwrap();
    let daemon = repository.start().unwrap();
    let mut talk = daemon.talk().unwrap();
    let longer = ask(&mut talk, &format!("/images/{UUID}/file"), &[]);
    assert_eq!((longer.status, longer.body), (200, bytes(100)[..40].to_vec()));
    let shorter = ask(&mut talk, &format!("/images/{other}/file"), &[]);
    assert_eq!((shorter.status, shorter.code().as_str()), (500, "InternalError"));
    let text = shorter.text();
    assert!(!text.contains(repository.path().to_str().unwrap()), "{text}");
    assert_eq!(ask(&mut talk, "/ping", &[]).status, 200);
}

#[test]
fn long_lists_and_files_come_whole_and_in_order_to_who_asks_for_many_at_once() {
    let repository = Repository::new(json!({})).unwrap();
    for number in 0..300 {
        let uuid = format!("{number:08x}-2547-41e2-a75e-9fdca1940570");
        let fields = json!({"name": format!("image-{number}"), "description": "d".repeat(400)});
        put(&repository, &uuid, &bytes(200_000 + number), &fields).unwrap();
    }
    let daemon = repository.start().unwrap();
    let mut talk = daemon.talk().unwrap();
    let mut requests = String::new();
    let urls: Vec<String> = (0..40)
        .map(|number| match number % 4 {
            0 => "/images".to_owned(),
            1 => "/ping".to_owned(),
            2 => format!("/images/{number:08x}-2547-41e2-a75e-9fdca1940570/file"),
            _ => format!("/images/{number:08x}-2547-41e2-a75e-9fdca1940570"),
        })
        .collect();
    for url in &urls {
        requests.push_str(&format!("GET {url} HTTP/1.1\r\nHost: x\r\n\r\n"));
    }
    talk.say(requests.as_bytes()).unwrap();
    for (number, url) in urls.iter().enumerate() {
        let reply = talk.answer_to("GET").unwrap();
        assert_eq!(reply.status, 200, "{url}");
        match number % 4 {
            0 => assert_eq!(reply.json().unwrap().as_array().unwrap().len(), 300),
            1 => assert_eq!(reply.json().unwrap()["ping"], "pong"),
            2 => assert!(reply.body == bytes(200_000 + number), "{url}"),
            _ => assert_eq!(reply.json().unwrap()["name"], format!("image-{number}")),
        }
    }
}

#[test]
fn every_answer_has_the_headers_that_clients_look_for() {
    let (_repository, daemon) = with_file(b"hello", json!({"serverName": "repository/1"}));
    let mut talk = daemon.talk().unwrap();
    for url in [
        "/ping",
        "/nosuch",
        "/images?state=odd",
        "/images",
        "/datasets",
        "/docs/",
    ] {
        let reply = ask(&mut talk, url, &[("x-request-id", "mine")]);
        assert_eq!(reply.header("server"), Some("repository/1"), "{url}");
        assert_eq!(reply.header("x-request-id"), Some("mine"), "{url}");
        assert!(
            reply.header("x-response-time").unwrap().parse::<u64>().is_ok(),
            "{url}"
        );
        assert!(
            reply.header("x-server-name").is_some() && reply.header("date").is_some(),
            "{url}"
        );
    }
    let made = ask(&mut talk, "/ping", &[]);
    assert_eq!(made.header("x-request-id").map(str::len), Some(36));
    let wanted = ask(&mut talk, "/images", &[("accept", "text/html")]);
    assert_eq!((wanted.status, wanted.body.len()), (406, 0));
    let version = ask(&mut talk, "/images", &[("accept-version", "~9")]);
    assert_eq!((version.status, version.code().as_str()), (400, "InvalidVersion"));
}

#[test]
fn images_that_are_not_active_are_hidden_from_strangers_where_that_is_wanted() {
    let repository = Repository::new(json!({"hideInactiveImages": true})).unwrap();
    put(
        &repository,
        UUID,
        b"hello",
        &json!({"disabled": true, "state": "disabled"}),
    )
    .unwrap();
    let daemon = repository.start().unwrap();
    for path in ["", "/file", "/icon", "/jobs"] {
        let reply = daemon.get(&format!("/images/{UUID}{path}")).unwrap();
        assert_eq!(
            (reply.status, reply.code().as_str()),
            (404, "ResourceNotFound"),
            "{path}"
        );
    }
}

#[test]
fn what_is_said_to_docker_and_lxd_is_a_plain_sentence() {
    let (_repository, daemon) = with_file(b"hello", json!({}));
    let post = |url: &str| daemon.send("POST", url, &json!({})).unwrap();
    let bare = post("/images?action=import-docker-image");
    assert_eq!((bare.status, bare.code().as_str()), (422, "ValidationFailed"));
    for url in [
        "/images?action=import-docker-image&repo=busybox&tag=latest",
        "/images?action=import-lxd-image&alias=images:alpine/edge",
    ] {
        let reply = post(url);
        assert_eq!(
            (reply.status, reply.code().as_str()),
            (501, "NotSupported"),
            "{url}"
        );
    }
    let push = post(&format!("/images/{UUID}/push"));
    assert_eq!((push.status, push.code().as_str()), (422, "ValidationFailed"));
}

/// A repository with one image.
struct Place {
    daemon: Imgapi,
    /// Every path there is, with what is there by method, in the order of the specification.
    paths: BTreeMap<String, Vec<(&'static str, Endpoint)>>,
    _repository: Repository,
}

/// One repository with channels and one of a datacenter: between them they have all paths.
fn places(kind_of_users: &str) -> [Place; 2] {
    let channels = json!([{ "name": "dev", "description": "for the brave", "default": true }]);
    let public = json!({ "mode": "public", "channels": channels, "authType": kind_of_users });
    let dc = json!({ "mode": "dc", "datacenterName": "here", "authType": kind_of_users });
    let place = |configuration, absent, fields| {
        let repository = Repository::new(configuration).unwrap();
        put(&repository, UUID, b"hello", &fields).unwrap();
        let mut paths = BTreeMap::<String, Vec<_>>::new();
        for route in ROUTES.iter().filter(|route| route.endpoint != absent) {
            let path = route.path.replace('*', UUID);
            paths
                .entry(path)
                .or_default()
                .push((route.method, route.endpoint));
        }
        Place {
            daemon: repository.start().unwrap(),
            paths,
            _repository: repository,
        }
    };
    [
        place(public, Endpoint::CloneImage, json!({ "channels": ["dev"] })),
        place(dc, Endpoint::ListChannels, json!({})),
    ]
}

#[test]
fn on_every_path_a_method_that_is_not_there_is_told_which_are_whoever_asks() {
    for place in places("signature") {
        check_methods(&place);
    }
}

fn check_methods(place: &Place) {
    let daemon = &place.daemon;
    let mut talk = daemon.talk().unwrap();
    for (path, there) in &place.paths {
        let allow: Vec<&str> = there.iter().map(|(method, _)| *method).collect();
        let methods = [
            "HEAD", "OPTIONS", "PATCH", "TRACE", "BREW", "GET", "POST", "PUT", "DELETE",
        ];
        for method in methods.into_iter().filter(|method| !allow.contains(method)) {
            let reply = talk.ask(method, path, &[("x-request-id", "mine")], b"").unwrap();
            let what = format!("{method} {path}: {reply:?}");
            assert_eq!(reply.status, 405, "{what}");
            assert_eq!(reply.header("allow"), Some(allow.join(", ").as_str()), "{what}");
            assert_eq!(reply.header("x-request-id"), Some("mine"), "{what}");
            assert!(reply.header("server").is_some(), "{what}");
            if method == "HEAD" {
                assert!(reply.body.is_empty(), "{what}");
            } else {
                let expected = json!({
                    "code": "MethodNotAllowedError", "message": format!("{method} is not allowed")
                });
                assert_eq!(reply.json().unwrap(), expected, "{what}");
            }
        }
    }
    // What asks for a tunnel, or for all of the server, is answered like the rest.
    for (head, status) in [
        ("CONNECT /images", 405),
        ("CONNECT images.example.com:443", 405),
        ("OPTIONS *", 404),
        ("PATCH /nosuch", 404),
    ] {
        let mut talk = daemon.talk().unwrap();
        talk.say(format!("{head} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes())
            .unwrap();
        let reply = talk.answer_to("GET").unwrap();
        assert_eq!(reply.status, status, "{head}: {reply:?}");
    }
    let mut talk = daemon.talk().unwrap();
    let upgrade = [("connection", "upgrade"), ("upgrade", "websocket")];
    assert_eq!(ask(&mut talk, "/nosuch", &upgrade).status, 404);
}

#[test]
fn who_does_not_take_json_gets_none_and_changes_nothing() {
    for place in places("none") {
        check_not_acceptable(&place);
    }
}

fn check_not_acceptable(place: &Place) {
    let mut talk = place.daemon.talk().unwrap();
    let accept = [
        ("accept", "text/html, image/png"),
        ("content-type", "application/json"),
    ];
    for (path, there) in &place.paths {
        for (method, endpoint) in there {
            let reply = talk.ask(method, path, &accept, b"").unwrap();
            let status = match endpoint {
                Endpoint::GetImageFile => 200,
                Endpoint::GetImageIcon => 404,
                Endpoint::Favicon => 204,
                Endpoint::ListDatasets | Endpoint::GetDataset => 301,
                // `/` and `/docs` lead to the page.
                Endpoint::PublicDocs if path != "/docs/" => 301,
                Endpoint::PublicDocs => 200,
                _ => 406,
            };
            assert_eq!(reply.status, status, "{method} {path}: {reply:?}");
            if status == 406 {
                assert!(
                    reply.body.is_empty() && reply.header("x-request-id").is_some(),
                    "{reply:?}"
                );
            }
        }
    }
    // Nothing was deleted, uploaded or made, and others are served on the same connection.
    for accept in ["application/json", "*/*", "text/html, */*;q=0.1"] {
        let list = ask(&mut talk, "/images?state=all", &[("accept", accept)]);
        assert_eq!(list.json().unwrap().as_array().unwrap().len(), 1, "{accept}");
    }
    assert_eq!(
        ask(&mut talk, &format!("/images/{UUID}/file"), &[]).body,
        b"hello"
    );
}
