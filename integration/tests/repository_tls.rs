//! TLS of the image repository's own, and proxies in front of it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test: what cannot go on has failed"
)]

use integration::repository::{Imgapi, Repository};
use integration::repository_jobs::{bring, ended};
use integration::server::free_port;
use integration::stored_image::bytes;
use integration::wait::{until, until_some};
use openssl::asn1::Asn1Time;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::PKey;
use openssl::rsa::Rsa;
use openssl::ssl::{SslConnector, SslMethod, SslStream, SslVerifyMode, SslVersion};
use openssl::x509::{X509, X509Name};
use serde_json::{Value, json};
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// A certificate of this name and its key, as PEM.
fn certificate(name: &str) -> (Vec<u8>, Vec<u8>) {
    let key = PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap();
    let mut names = X509Name::builder().unwrap();
    names.append_entry_by_nid(Nid::COMMONNAME, name).unwrap();
    let names = names.build();
    let mut builder = X509::builder().unwrap();
    builder.set_version(2).unwrap();
    builder.set_subject_name(&names).unwrap();
    builder.set_issuer_name(&names).unwrap();
    builder.set_pubkey(&key).unwrap();
    builder
        .set_not_before(&Asn1Time::days_from_now(0).unwrap())
        .unwrap();
    builder
        .set_not_after(&Asn1Time::days_from_now(10).unwrap())
        .unwrap();
    builder.sign(&key, MessageDigest::sha256()).unwrap();
    let certificate = builder.build().to_pem().unwrap();
    (certificate, key.private_key_to_pem_pkcs8().unwrap())
}

/// Puts both into one file, as the original has them.
fn write_both(path: &Path, name: &str) {
    let (certificate, key) = certificate(name);
    let new = path.with_extension("new");
    fs::write(&new, [certificate, key].concat()).unwrap();
    fs::rename(new, path).unwrap();
}

fn running(configuration: Value) -> (Repository, Imgapi, u16) {
    let mut repository = Repository::new(json!({})).unwrap();
    let port = free_port().unwrap();
    let file = repository.path().join("cert.pem");
    write_both(&file, "one");
    let mut all = json!({ "tlsPort": port, "tlsCertificate": file });
    for (key, value) in configuration.as_object().unwrap() {
        all[key] = value.clone();
    }
    repository.configure(all);
    let daemon = repository.start().unwrap();
    (repository, daemon, port)
}

fn connect(port: u16, most: Option<SslVersion>) -> Option<SslStream<TcpStream>> {
    let mut builder = SslConnector::builder(SslMethod::tls()).unwrap();
    builder.set_verify(SslVerifyMode::NONE);
    builder.set_max_proto_version(most).unwrap();
    // Old versions are refused by our own library's policy, too; it is the server that is asked here.
    builder.set_cipher_list("ALL:@SECLEVEL=0").unwrap();
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).ok()?;
    builder.build().connect("images.example.com", stream).ok()
}

/// Whose certificate the server shows.
fn shown(port: u16) -> String {
    let stream = connect(port, None).expect("no handshake");
    let certificate = stream.ssl().peer_certificate().unwrap();
    let entry = certificate.subject_name().entries().next().unwrap();
    entry.data().to_string().unwrap().to_string()
}

fn ask(stream: &mut SslStream<TcpStream>, request: &str) -> String {
    stream.write_all(request.as_bytes()).unwrap();
    let mut text = Vec::new();
    // Some servers end without saying so; what was sent counts.
    let _ = stream.read_to_end(&mut text);
    String::from_utf8_lossy(&text).into_owned()
}

#[test]
fn the_api_is_served_with_tls_beside_plain_http() {
    let (_repository, daemon, port) = running(json!({}));
    let mut stream = connect(port, None).expect("no handshake");
    let reply = ask(
        &mut stream,
        "GET /ping HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
    );
    assert!(reply.starts_with("HTTP/1.1 200 OK\r\n"), "{reply}");
    assert!(reply.contains("\"ping\": \"pong\""), "{reply}");
    assert_eq!(daemon.get("/ping").unwrap().status, 200);
}

#[test]
fn versions_below_1_2_and_plain_text_on_the_port_are_refused() {
    let (_repository, daemon, port) = running(json!({}));
    assert!(connect(port, Some(SslVersion::TLS1_1)).is_none());
    assert!(connect(port, Some(SslVersion::TLS1_2)).is_some());
    let mut plain = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
    plain.write_all(b"GET /ping HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    let _ = plain.read_to_end(&mut answer);
    assert!(!answer.starts_with(b"HTTP"), "{answer:?}");
    assert_eq!(daemon.get("/ping").unwrap().status, 200);
}

#[test]
fn a_new_certificate_is_taken_without_a_restart_and_a_bad_one_is_not() {
    let (repository, daemon, port) = running(json!({}));
    let file = repository.path().join("cert.pem");
    assert_eq!(shown(port), "one");
    let mut kept = connect(port, None).expect("no handshake");
    write_both(&file, "two");
    until("the new certificate is shown", || shown(port) == "two");
    // The certificate of one and the key of another.
    fs::write(&file, [certificate("three").0, certificate("four").1].concat()).unwrap();
    until("it is told", || {
        let state = daemon.get("/state").unwrap().json().unwrap();
        state["problems"].to_string().contains("cannot use certificate")
    });
    assert_eq!(shown(port), "two");
    write_both(&file, "five");
    until("the new certificate is shown", || shown(port) == "five");
    // Who is connected stays so.
    let reply = ask(
        &mut kept,
        "GET /ping HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
    );
    assert!(reply.starts_with("HTTP/1.1 200 OK\r\n"), "{reply}");
}

/// Ends what waits for it, also when the test has failed.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

const GET_FILE: &str =
    "GET /images/11111111-1111-4111-8111-111111111111/file HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";

/// What comes behind the head of the answer.
fn body(mut stream: SslStream<TcpStream>) -> Vec<u8> {
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    let head = answer
        .windows(4)
        .position(|bytes| bytes == b"\r\n\r\n")
        .expect("no head");
    answer.split_off(head + 4)
}

#[test]
fn downloads_are_whole_while_one_certificate_follows_the_other() {
    let (repository, daemon, port) = running(json!({}));
    let content = bytes(4 << 20);
    bring(&daemon, IMAGE, None, &content).unwrap();
    let file = repository.path().join("cert.pem");
    // It begins under the first certificate and ends under the last.
    let mut early = connect(port, None).expect("no handshake");
    early.write_all(GET_FILE.as_bytes()).unwrap();
    let mut first = [0; 10_000];
    early.read_exact(&mut first).unwrap();
    let (is_over, count) = (AtomicBool::new(false), AtomicUsize::new(0));
    let names = ["two", "three", "four", "five"];
    std::thread::scope(|scope| {
        let over = Over(&is_over);
        for _ in 0..4 {
            scope.spawn(|| {
                while !is_over.load(Ordering::SeqCst) {
                    let mut stream = connect(port, None).expect("no handshake");
                    stream.write_all(GET_FILE.as_bytes()).unwrap();
                    assert!(body(stream) == content, "a download that is not whole");
                    count.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
        for name in names {
            let before = count.load(Ordering::SeqCst);
            write_both(&file, name);
            until("the new certificate is shown", || shown(port) == name);
            until("downloads go on", || count.load(Ordering::SeqCst) > before + 4);
        }
        drop(over);
    });
    let mut answer = first.to_vec();
    let _ = early.read_to_end(&mut answer);
    assert!(answer.ends_with(&content) && answer.len() < content.len() + 1000);
}

#[test]
fn a_start_with_a_certificate_that_cannot_be_used_is_refused() {
    let port = free_port().unwrap();
    let repository =
        Repository::new(json!({ "tlsPort": port, "tlsCertificate": "/nonexistent/cert.pem" })).unwrap();
    let ended = repository.run_to_its_end().unwrap();
    let told = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert_eq!(ended.status.code(), Some(1), "{told}");
    assert!(
        told.contains("cannot use certificate /nonexistent/cert.pem"),
        "{told}"
    );
}

#[test]
fn the_address_of_a_client_is_told_by_trusted_proxies_only() {
    for (proxies, expected) in [(json!([]), "127.0.0.1"), (json!(["127.0.0.1"]), "192.0.2.7")] {
        let (_repository, daemon, _) = running(json!({ "trustedProxies": proxies }));
        let headers = [("x-forwarded-for", "192.0.2.7")];
        daemon.ask("GET", "/images", &headers, b"").unwrap();
        let recorded = format!("\"remoteAddress\":\"{expected}\"");
        until("the request is recorded", || {
            daemon.log_text().contains(&recorded)
        });
    }
}

const IMAGE: &str = "11111111-1111-4111-8111-111111111111";

/// Whether an image comes from a repository with that address.
fn comes(daemon: &Imgapi, source: &str) -> bool {
    let url = format!("/images/{IMAGE}?action=import-remote&source={source}");
    let reply = daemon.ask("POST", &url, &[], b"").unwrap();
    // What is wrong with a source may be told at once or by the job.
    reply.status == 200 && {
        let told = reply.json().unwrap();
        ended(daemon, told["job_uuid"].as_str().unwrap())["execution"] == "succeeded"
    }
}

#[test]
fn a_source_with_a_certificate_of_its_own_making_counts_only_where_that_is_allowed() {
    let (_source_repository, source, port) = running(json!({}));
    bring(&source, IMAGE, None, b"content").unwrap();
    let address = format!("https://127.0.0.1:{port}");
    let (_repository, careful, _) = running(json!({}));
    assert!(!comes(&careful, &address));
    let (_repository, careless, _) = running(json!({ "allowInsecure": true }));
    assert!(comes(&careless, &address));
}

#[test]
fn calls_to_other_repositories_go_through_the_proxy_of_the_configuration() {
    let proxy = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = format!("http://{}", proxy.local_addr().unwrap());
    let (_repository, daemon, _) = running(json!({ "httpProxy": address }));
    // So that nobody waits for ever where it is not asked.
    proxy.set_nonblocking(true).unwrap();
    let asked = std::thread::spawn(move || {
        let (mut stream, _) = until_some("the proxy is asked", || proxy.accept().ok());
        stream.set_nonblocking(false).unwrap();
        let mut line = String::new();
        BufReader::new(&stream).read_line(&mut line).unwrap();
        stream
            .write_all(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
            .unwrap();
        line
    });
    let url = format!("/images/{IMAGE}?action=import-remote&source=http://images.example.invalid");
    daemon.ask("POST", &url, &[], b"").unwrap();
    let line = asked.join().unwrap();
    assert!(line.starts_with("GET http://images.example.invalid/"), "{line}");
}
