//! Files that the image repository fetches from a web server (imgapi.md §12.5): over real TLS, from good servers and bad ones.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test: what cannot go on has failed"
)]

use integration::certificates::Authority;
use integration::http_talk::Reply;
use integration::repository::{Imgapi, Repository};
use integration::repository_calls::{Calls, digests, expect, refused};
use integration::small_disk::{SmallDisk, obstacle};
use integration::stored_image::bytes;
use openssl::ssl::{SslAcceptor, SslFiletype, SslMethod, SslStream};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Bytes of a good file.
const SIZE: usize = 3_000_001;
/// A length that no file may have.
const TOO_LONG: u64 = 30 << 30;

/// A web server with TLS, one request a connection. It lives as long as the test.
struct Web {
    port: u16,
    /// Bytes of files that went out, and requests that came in.
    sent: Arc<AtomicU64>,
    asked: Arc<AtomicU64>,
    authority: Authority,
    _directory: tempfile::TempDir,
}

impl Web {
    fn new() -> Self {
        let directory = tempfile::Builder::new()
            .prefix("imagewright-web.")
            .tempdir()
            .unwrap();
        let authority = Authority::new(&directory.path().join("authority"), "web").unwrap();
        let ssl = directory.path().join("ssl");
        let server = ["--server", "localhost,127.0.0.1"];
        authority.issue("web", &server, &ssl).unwrap();
        let mut acceptor = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls()).unwrap();
        acceptor.set_certificate_chain_file(ssl.join("cert.pem")).unwrap();
        acceptor
            .set_private_key_file(ssl.join("key.pem"), SslFiletype::PEM)
            .unwrap();
        let acceptor = Arc::new(acceptor.build());
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let (sent, asked) = (Arc::<AtomicU64>::default(), Arc::<AtomicU64>::default());
        let counts = (sent.clone(), asked.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (acceptor, counts) = (acceptor.clone(), counts.clone());
                // Who asks may go away at any time, also in the middle of the handshake.
                std::thread::spawn(move || {
                    let mut stream = acceptor.accept(stream).ok()?;
                    let path = request(&mut stream)?;
                    counts.1.fetch_add(1, Ordering::SeqCst);
                    answer(&path, &mut stream, &counts.0).ok()
                });
            }
        });
        Self {
            port,
            sent,
            asked,
            authority,
            _directory: directory,
        }
    }

    fn url(&self, path: &str) -> String {
        format!("https://127.0.0.1:{}{path}", self.port)
    }
}

/// The path that is asked for.
fn request(stream: &mut SslStream<TcpStream>) -> Option<String> {
    let mut lines = BufReader::new(stream).lines();
    let first = lines.next()?.ok()?;
    while !lines.next()?.ok()?.is_empty() {}
    first.split(' ').nth(1).map(str::to_owned)
}

fn answer(path: &str, stream: &mut SslStream<TcpStream>, sent: &AtomicU64) -> std::io::Result<()> {
    let content = bytes(SIZE);
    let ok = "HTTP/1.1 200 OK\r\nconnection: close\r\n";
    let (head, body): (String, &[u8]) = match path {
        "/whole" => (format!("{ok}content-length: {SIZE}\r\n\r\n"), &content),
        "/cut" => (
            format!("{ok}content-length: {SIZE}\r\n\r\n"),
            &content[..SIZE / 2],
        ),
        "/empty" => (format!("{ok}content-length: 0\r\n\r\n"), &[]),
        "/long" => (format!("{ok}content-length: {TOO_LONG}\r\n\r\n"), &content),
        "/moved" => (
            "HTTP/1.1 302 Found\r\nconnection: close\r\nlocation: /whole\r\ncontent-length: 0\r\n\r\n"
                .to_owned(),
            &[],
        ),
        "/chunks" | "/cut-chunks" | "/endless" => {
            (format!("{ok}transfer-encoding: chunked\r\n\r\n"), &content)
        }
        _ => (
            "HTTP/1.1 404 Not Found\r\nconnection: close\r\ncontent-length: 0\r\n\r\n".to_owned(),
            &[],
        ),
    };
    stream.write_all(head.as_bytes())?;
    if !path.ends_with("chunks") && path != "/endless" {
        sent.fetch_add(body.len() as u64, Ordering::SeqCst);
        stream.write_all(body)?;
        return end(stream);
    }
    let mut chunks = body.chunks(100_000).cycle();
    let count = if path == "/endless" {
        usize::MAX
    } else {
        body.len().div_ceil(100_000)
    };
    for chunk in (&mut chunks).take(if path == "/cut-chunks" { count / 2 } else { count }) {
        write!(stream, "{:x}\r\n", chunk.len())?;
        stream.write_all(chunk)?;
        stream.write_all(b"\r\n")?;
        sent.fetch_add(chunk.len() as u64, Ordering::SeqCst);
    }
    if path == "/chunks" {
        stream.write_all(b"0\r\n\r\n")?;
    }
    end(stream)
}

/// As a good server ends a connection: so that what is missing is missing in HTTP, not in TLS.
fn end(stream: &mut SslStream<TcpStream>) -> std::io::Result<()> {
    stream.shutdown().map(drop).map_err(std::io::Error::other)
}

/// A daemon that knows the authority of the server's certificate.
fn start(web: &Web, repository: &Repository) -> Imgapi {
    // Where an unprivileged user may read it.
    let authority = repository.path().join("CA.pem");
    std::fs::copy(web.authority.directory().join("CA.pem"), &authority).unwrap();
    let authority = authority.display().to_string();
    repository.start_in(&[("SSL_CERT_FILE", &authority)]).unwrap()
}

fn fetch(calls: &mut Calls, image: &str, query: &str, url: &str) -> Reply {
    let path = format!("/images/{image}/file/from-url?compression=gzip{query}");
    calls.post_json(&path, &json!({ "file_url": url })).unwrap()
}

fn uploads(base: &Path) -> usize {
    std::fs::read_dir(base.join("images/.uploads")).unwrap().count()
}

#[test]
fn a_file_of_a_web_server_is_recorded_as_one_that_was_sent() {
    let web = Web::new();
    let repository = Repository::new(json!({})).unwrap();
    let daemon = start(&web, &repository);
    let mut calls = Calls::to(&daemon).unwrap();
    let expected = digests(&bytes(SIZE));
    for path in ["/whole", "/chunks"] {
        let image = calls.create("", &json!({})).unwrap();
        let query = format!("&sha1={}&dataset_guid=1234", expected.sha1);
        let reply = expect(fetch(&mut calls, &image, &query, &web.url(path)), 200).unwrap();
        let manifest = reply.json().unwrap();
        assert_eq!(reply.header("etag").map(str::len), Some(40));
        let file = &manifest["files"][0];
        assert_eq!(
            (
                &file["sha1"],
                &file["size"],
                &file["compression"],
                &file["dataset_guid"]
            ),
            (
                &json!(expected.sha1),
                &json!(SIZE),
                &json!("gzip"),
                &json!("1234")
            )
        );
        let download = calls.get(&format!("/images/{image}/file")).unwrap();
        assert!(download.body == bytes(SIZE));
        assert_eq!(download.header("content-md5"), Some(expected.md5.as_str()));
        // Once it is activated nobody is asked.
        expect(calls.activate(&image).unwrap(), 200).unwrap();
        let before = web.asked.load(Ordering::SeqCst);
        let late = fetch(&mut calls, &image, "", &web.url(path));
        refused(late, 422, "ImageFilesImmutable").unwrap();
        assert_eq!(web.asked.load(Ordering::SeqCst), before);
    }
    assert_eq!(uploads(repository.base()), 0);
}

#[test]
fn what_is_not_the_file_leaves_the_one_before_and_says_why() {
    let web = Web::new();
    let repository = Repository::new(json!({})).unwrap();
    let daemon = start(&web, &repository);
    let mut calls = Calls::to(&daemon).unwrap();
    let image = calls.create_with_file(b"the one before").unwrap();
    let (found, wanted) = (digests(&bytes(SIZE)).sha1, "0".repeat(40));
    let other = format!("&sha1={wanted}");
    let broken = "Error getting image: ";
    for (path, query, code, message) in [
        (
            "/whole",
            other.as_str(),
            "Download",
            format!("expected sha1 hash, {wanted}, does not match the uploaded file sha1 hash, {found}"),
        ),
        (
            "/moved",
            "",
            "Download",
            "HTTP 302 error attempting to download image".to_owned(),
        ),
        (
            "/nosuch",
            "",
            "Download",
            "HTTP 404 error attempting to download image".to_owned(),
        ),
        ("/cut", "", "Download", broken.to_owned()),
        ("/cut-chunks", "", "Download", broken.to_owned()),
        ("/empty", "", "Download", "image file size is 0 bytes".to_owned()),
        ("/long", "", "Upload", format!("image file size {TOO_LONG} ")),
    ] {
        let asked = web.asked.load(Ordering::SeqCst);
        let reply = fetch(&mut calls, &image, query, &web.url(path));
        assert_eq!(reply.status, 400, "{path}: {}", reply.text());
        let said = refused(reply, 400, code).unwrap();
        assert!(said.starts_with(&message), "{path}: {said}");
        assert!(!said.contains(path), "an address may hold a secret: {said}");
        // Redirections least of all: exactly one request was made.
        assert_eq!(web.asked.load(Ordering::SeqCst), asked + 1, "{path}");
        assert_eq!(uploads(repository.base()), 0, "{path}");
    }
    let file = calls.get(&format!("/images/{image}/file")).unwrap();
    assert_eq!(file.body, b"the one before");
}

#[test]
fn a_server_whose_certificate_nobody_vouches_for_is_not_believed() {
    let (web, stranger) = (Web::new(), Web::new());
    let repository = Repository::new(json!({})).unwrap();
    let daemon = start(&web, &repository);
    let mut calls = Calls::to(&daemon).unwrap();
    let image = calls.create("", &json!({})).unwrap();
    // That of another authority, and that of another name.
    let other_name = web.url("/whole").replace("127.0.0.1", "127.0.0.2");
    for url in [stranger.url("/whole"), other_name] {
        let said = refused(fetch(&mut calls, &image, "", &url), 400, "Download").unwrap();
        assert!(said.starts_with("Error getting image: "), "{said}");
        assert!(!said.contains("/whole"), "an address may hold a secret: {said}");
    }
    assert_eq!(stranger.asked.load(Ordering::SeqCst), 0);
    expect(fetch(&mut calls, &image, "", &web.url("/whole")), 200).unwrap();
}

#[test]
fn a_file_that_never_ends_fills_the_disk_and_then_leaves_it_as_it_was() {
    let name = "a_file_that_never_ends_fills_the_disk_and_then_leaves_it_as_it_was";
    if let Some(obstacle) = obstacle() {
        integration::skip(name, obstacle);
        return;
    }
    let web = Web::new();
    let place = tempfile::tempdir().unwrap();
    let _disk = SmallDisk::mount(place.path(), "size=16m,mode=755").unwrap();
    let repository = Repository::at(place.path(), json!({})).unwrap();
    let daemon = start(&web, &repository);
    let mut calls = Calls::to(&daemon).unwrap();
    let image = calls.create("", &json!({})).unwrap();
    for _ in 0..2 {
        let reply = fetch(&mut calls, &image, "", &web.url("/endless"));
        let said = refused(reply, 500, "InternalError").unwrap();
        assert!(said.contains("no space left"), "{said}");
        assert_eq!(uploads(place.path()), 0);
    }
    // What is sent after the disk is full is not taken.
    assert!(web.sent.load(Ordering::SeqCst) < 100 << 20);
    let manifest: Value = calls.get(&format!("/images/{image}")).unwrap().json().unwrap();
    assert_eq!(manifest["files"], json!([]));
    expect(fetch(&mut calls, &image, "", &web.url("/whole")), 200).unwrap();
    drop(daemon);
    drop(repository);
}
