//! Clients of the image repository that mean no good, or know no better.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test: what cannot go on has failed"
)]

use integration::http_talk::Talk;
use integration::repository::{Imgapi, Repository};
use integration::stored_image::{bytes, put};
use integration::wait;
use serde_json::{Value, json};

const UUID: &str = "c58161c0-2547-41e2-a75e-9fdca1940570";
const UNKNOWN: &str = "11111111-1111-4111-8111-111111111111";

fn with_file(content: &[u8], configuration: Value) -> (Repository, Imgapi) {
    let repository = Repository::new(configuration).unwrap();
    put(&repository, UUID, content, &json!({})).unwrap();
    let daemon = repository.start().unwrap();
    (repository, daemon)
}

/// That it answers others.
fn check_alive(daemon: &mut Imgapi) {
    assert_eq!(daemon.get("/ping").unwrap().status, 200);
    assert!(daemon.is_running());
}

#[test]
fn clients_that_take_nothing_and_clients_that_leave_cost_nothing_lasting() {
    let (_repository, mut daemon) = with_file(&bytes(64 << 20), json!({}));
    check_alive(&mut daemon);
    let before = daemon.open_files().unwrap();
    let request = format!("GET /images/{UUID}/file HTTP/1.1\r\nHost: x\r\n\r\n");
    let mut stalled = Vec::new();
    for _ in 0..50 {
        let mut talk = daemon.talk().unwrap();
        talk.say(request.as_bytes()).unwrap();
        assert_eq!(talk.head().unwrap().0, 200);
        stalled.push(talk);
    }
    assert!(daemon.open_files().unwrap() >= before + 50);
    check_alive(&mut daemon);
    drop(stalled);
    wait::until("connections and files are let go", || {
        daemon.open_files().unwrap() <= before + 1
    });
    // 50 clients with 64 MiB each in front of them.
    let peak = daemon.peak_memory_bytes().unwrap();
    assert!(peak < 200 << 20, "{peak} bytes");
}

#[test]
fn heads_that_never_end_hold_up_nobody_and_are_ended() {
    let (_repository, mut daemon) = with_file(b"hello", json!({}));
    let mut slow: Vec<Talk> = (0..200).map(|_| daemon.talk().unwrap()).collect();
    for talk in &mut slow {
        talk.say(b"GET /ping HTTP/1.1\r\nHost: x\r\nX-Slow: ").unwrap();
    }
    check_alive(&mut daemon);
    let mut first = slow.swap_remove(0);
    let rest = String::from_utf8_lossy(&first.rest().unwrap()).into_owned();
    assert!(rest.is_empty() || rest.starts_with("HTTP/1.1 408 "), "{rest}");
}

#[test]
fn heads_that_are_none_are_refused_and_the_next_client_is_served() {
    let (_repository, mut daemon) = with_file(b"hello", json!({}));
    let long_header = format!(
        "GET /ping HTTP/1.1\r\nHost: x\r\nX-Long: {}\r\n\r\n",
        "a".repeat(2 << 20)
    );
    let long_url = format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "a".repeat(2 << 20));
    let many: String = (0..5000).map(|number| format!("X-{number}: a\r\n")).collect();
    let heads = [
        long_header,
        long_url,
        format!("GET /ping HTTP/1.1\r\nHost: x\r\n{many}\r\n"),
        "\0\0\0\0\r\n\r\n".to_owned(),
        "GET\r\n\r\n".to_owned(),
        "GET /ping HTTP/9.9\r\n\r\n".to_owned(),
        "GET /ping HTTP/1.1\r\nHost: x\r\nBad Name: x\r\n\r\n".to_owned(),
        "GET /pi\u{1}ng HTTP/1.1\r\nHost: x\r\n\r\n".to_owned(),
        "POST /images HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n".to_owned(),
        "POST /images HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!".to_owned(),
        "POST /images HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n".to_owned(),
        "POST /images HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n".to_owned(),
    ];
    for head in heads {
        let mut talk = daemon.talk().unwrap();
        // It may be cut off while it still talks.
        let _ = talk.say(head.as_bytes());
        let _ = talk.finish();
        let shown: String = head.chars().take(60).collect();
        match talk.answer_to("GET") {
            Ok(reply) => assert!(
                (400..600).contains(&reply.status) && reply.status != 500,
                "{shown:?}: {reply:?}"
            ),
            Err(error) => assert!(!error.to_string().contains("no status"), "{shown:?}: {error}"),
        }
        check_alive(&mut daemon);
    }
}

#[test]
fn odd_names_lead_nowhere() {
    let (_repository, mut daemon) = with_file(b"hello", json!({}));
    let mut talk = daemon.talk().unwrap();
    for url in [
        "/images/../../../../etc/passwd",
        "/images/..%2f..%2f..%2fetc%2fpasswd/file",
        "/images/%2e%2e/%2e%2e/file",
        "/images/%00/file",
        "/images/%ff%fe",
        "/images/%25s%25d",
        "/images/c58161c0-2547-41e2-a75e-9fdca1940570%00/file",
        "/images/C58161C0-2547-41E2-A75E-9FDCA1940570",
        "/images//file",
        "/docs/../images",
        "/jobs/../../run/jobs",
        "/%",
        "/images/%zz",
    ] {
        let reply = talk.ask("GET", url, &[], b"").unwrap();
        assert_eq!(
            (reply.status, reply.code().as_str()),
            (404, "ResourceNotFound"),
            "{url}"
        );
    }
    for (query, status) in [
        ("name=%ff%fe", 200),
        ("name=%00", 200),
        ("tag.%ff=1", 200),
        ("limit=99999999999999999999999", 200),
        ("limit=1e400", 200),
        ("marker=%00", 422),
        ("sort=%ff", 422),
        ("public=maybe", 422),
        ("billing_tag=x", 200),
        ("account=x", 200),
    ] {
        let reply = talk.ask("GET", &format!("/images?{query}"), &[], b"").unwrap();
        assert_eq!(reply.status, status, "{query}: {}", reply.text());
    }
    let many: String = (0..20_000).map(|number| format!("tag.a{number}=b&")).collect();
    let reply = talk.ask("GET", &format!("/images?{many}"), &[], b"");
    assert!(reply.is_err() || reply.unwrap().status < 500);
    check_alive(&mut daemon);
}

#[test]
fn odd_headers_are_answered() {
    let (_repository, mut daemon) = with_file(b"hello", json!({}));
    for (name, value) in [
        ("Range", "bytes=99999999999999999999-"),
        ("Range", "bytes=9-1"),
        ("Range", "bytes=-0"),
        ("Range", "lines=1-2"),
        ("If-Range", "\u{fc}"),
        ("If-None-Match", "\u{fc}"),
        ("If-Modified-Since", "yesterday"),
        ("Accept-Version", "\u{fc}"),
        ("Accept-Version", "1.0.0 - "),
        ("Accept-Version", "99999999999999999999999.0"),
        ("Accept", "\u{fc}"),
        ("Authorization", "Signature \u{fc}"),
        ("X-Request-Id", "\u{fc}"),
        ("X-Request-Id", "../../../etc"),
        ("Expect", "100-continue"),
        ("Connection", "upgrade"),
        ("Upgrade", "h2c"),
    ] {
        for path in ["/file", "", "/icon"] {
            let url = format!("/images/{UUID}{path}");
            let reply = daemon.ask("GET", &url, &[(name, value)], b"").unwrap();
            assert!(reply.status < 500, "{name}: {value} of {url}: {reply:?}");
        }
    }
    check_alive(&mut daemon);
}

#[test]
fn a_body_that_nobody_wants_leaves_the_connection_usable_and_a_long_one_is_not_waited_for() {
    let (_repository, mut daemon) = with_file(b"hello", json!({}));
    let mut talk = daemon.talk().unwrap();
    for url in [
        "/images",
        "/nosuch",
        &format!("/images/{UNKNOWN}/file?compression=gzip"),
    ] {
        let reply = talk.ask("PUT", url, &[], &bytes(300_000)).unwrap();
        assert!((400..500).contains(&reply.status), "{url}: {reply:?}");
        assert_eq!(
            talk.ask("GET", "/ping", &[], b"").unwrap().status,
            200,
            "behind {url}"
        );
    }
    let mut talk = daemon.talk().unwrap();
    let url = format!("/images/{UNKNOWN}/file?compression=gzip");
    let head = format!("PUT {url} HTTP/1.1\r\nHost: x\r\nContent-Length: 20000000000\r\n\r\n");
    talk.say(head.as_bytes()).unwrap();
    talk.say(&bytes(100_000)).unwrap();
    let reply = talk.answer_to("PUT").unwrap();
    assert_eq!((reply.status, reply.header("connection")), (404, Some("close")));
    check_alive(&mut daemon);
}

#[test]
fn bodies_that_are_too_long_or_unpack_to_too_much_are_refused() {
    let (_repository, mut daemon) = with_file(b"hello", json!({}));
    let json = ("content-type", "application/json");
    let announced = daemon
        .ask(
            "POST",
            "/images",
            &[json, ("content-length", "999999999999")],
            b"{",
        )
        .unwrap();
    assert_eq!(announced.status, 413);
    let nested = "[".repeat(1 << 20);
    let reply = daemon.ask("POST", "/images", &[json], nested.as_bytes()).unwrap();
    assert_eq!((reply.status, reply.code().as_str()), (400, "InvalidContent"));
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::copy(
        &mut std::io::Read::take(std::io::repeat(b' '), 100 << 20),
        &mut packer,
    )
    .unwrap();
    let packed = packer.finish().unwrap();
    let reply = daemon
        .ask("POST", "/images", &[json, ("content-encoding", "gzip")], &packed)
        .unwrap();
    assert_eq!(reply.status, 413);
    check_alive(&mut daemon);
}

#[test]
fn what_ended_the_original_is_answered() {
    let channels = json!([{"name": "dev", "description": "d", "default": true}]);
    let repository = Repository::new(json!({ "channels": channels })).unwrap();
    put(
        &repository,
        UUID,
        b"hello",
        &json!({"channels": ["dev"], "state": "unactivated", "activated": false, "files": []}),
    )
    .unwrap();
    let mut daemon = repository.start().unwrap();
    let manifest = |owner: Value| {
        json!({"name": "a", "version": "1", "type": "other", "os": "linux", "public": true, "owner": owner})
            .to_string()
    };
    let mut tags =
        serde_json::from_str::<Value>(&manifest(json!("352971aa-31ba-496c-9ade-a379feaecd52"))).unwrap();
    tags["tags"] = Value::Null;
    let image = format!("/images/{UUID}");
    let import = format!("/images/{UNKNOWN}?action=import");
    let owner_missing = manifest(Value::Null);
    let owner_wrong = manifest(json!("nobody"));
    let tags = tags.to_string();
    let json = "application/json";
    for (method, url, kind, body, status) in [
        ("GET", "/images/%25s%25d", "", "", 404),
        ("GET", "/images?public=maybe", "", "", 422),
        ("GET", "/images?billing_tag=x", "", "", 200),
        ("POST", "/images", json, owner_missing.as_str(), 422),
        ("POST", "/images", json, owner_wrong.as_str(), 422),
        ("POST", "/images", "", "", 422),
        ("POST", "/images", json, "null", 422),
        ("POST", "/images", json, "[]", 422),
        ("POST", "/images", json, "\"x\"", 422),
        ("POST", "/images", "text/plain", "hello", 422),
        ("POST", "/images", json, tags.as_str(), 422),
        ("POST", "/images?action=bogus", json, "{}", 422),
        ("POST", import.as_str(), "", "", 422),
        (
            "POST",
            &format!("{image}/file/from-url?compression=gzip"),
            "",
            "",
            422,
        ),
        ("POST", &format!("{image}?action=update"), json, "null", 422),
        ("POST", &format!("{image}?action=channel-add"), "", "", 422),
        ("DELETE", &format!("{image}/icon"), "", "", 404),
        (
            "POST",
            &format!("{image}?action=update"),
            json,
            "{\"uuid\": \"22222222-2222-4222-8222-222222222222\"}",
            200,
        ),
    ] {
        let headers = [("content-type", kind)];
        let headers = if kind.is_empty() {
            &headers[..0]
        } else {
            &headers[..]
        };
        let reply = daemon.ask(method, url, headers, body.as_bytes()).unwrap();
        assert_eq!(reply.status, status, "{method} {url} {body}: {}", reply.text());
        check_alive(&mut daemon);
    }
    let renamed = "/images/22222222-2222-4222-8222-222222222222/file?compression=none";
    let reply = daemon
        .ask("PUT", renamed, &[("x-request-id", "no/uuid")], b"hello")
        .unwrap();
    assert_eq!(reply.status, 200, "{}", reply.text());
    check_alive(&mut daemon);
}
