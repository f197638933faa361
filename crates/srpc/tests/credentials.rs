//! Certificates and keys on disk.
#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use std::fs;
use std::io::{Read, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use common::certificates::{Authority, Wanted, user};
use common::log::Log;
use common::services::{Text, text};
use common::{PATIENCE, Running, no_socket, services};
use srpc::tls::{CertificateSummary, CredentialFiles, Reloader, load_directory, self_signed};
use tokio_util::sync::CancellationToken;

fn files(directory: &Path) -> CredentialFiles {
    CredentialFiles {
        ca_file: Some(directory.join("CA.pem")),
        identity_ca_file: Some(directory.join("IdentityCA.pem")),
        cert_file: directory.join("cert.pem"),
        key_file: directory.join("key.pem"),
        generate_missing_certificate: false,
        permit_insecure_mode: false,
        metadata_service: None,
    }
}

fn put_pair(directory: &Path, stem: (&str, &str), issued: &common::certificates::Issued) {
    fs::write(directory.join(stem.0), issued.certificate_pem()).unwrap();
    fs::write(directory.join(stem.1), issued.key_pem()).unwrap();
}

fn load_error(files: &CredentialFiles) -> String {
    files.load().err().unwrap().to_string()
}

#[test]
fn a_server_starts_or_says_why_not() {
    let directory = tempfile::tempdir().unwrap();
    let (path, files) = (directory.path(), files(directory.path()));
    let authority = Authority::new("CA");
    assert_eq!(load_error(&files), "missing certificate");
    assert_eq!(
        load_error(&CredentialFiles {
            permit_insecure_mode: true,
            ..files.clone()
        }),
        "missing certificate"
    );
    put_pair(
        path,
        ("cert.pem", "key.pem"),
        &authority.issue(&user("server", &[])),
    );
    assert_eq!(load_error(&files), "missing CA");
    assert_eq!(
        load_error(&CredentialFiles {
            ca_file: None,
            ..files.clone()
        }),
        "missing CA"
    );
    let permitting = CredentialFiles {
        permit_insecure_mode: true,
        ..files.clone()
    };
    let log = Log::default();
    let insecure = tracing::subscriber::with_default(log.clone(), || permitting.load().unwrap());
    assert!(
        log.lines()[0].contains("running without TLS"),
        "{:?}",
        log.lines()
    );
    assert!(insecure.server.is_none() && insecure.client.is_some());
    fs::write(path.join("CA.pem"), "not PEM").unwrap();
    let prefix = format!("unable to load CA file: {:?}: ", path.join("CA.pem"));
    assert!(load_error(&files).starts_with(&prefix), "{}", load_error(&files));
    fs::write(path.join("CA.pem"), authority.certificate.to_pem().unwrap()).unwrap();
    let loaded = files.load().unwrap();
    assert!(loaded.server.is_some() && loaded.client.is_some());
    fs::write(path.join("key.pem"), authority.issue(&user("x", &[])).key_pem()).unwrap();
    assert!(
        load_error(&files).starts_with("unable to load keypair: "),
        "{}",
        load_error(&files)
    );
    fs::write(path.join("key.pem"), "").unwrap();
    assert_eq!(load_error(&files), "missing certificate");
    let generated = CredentialFiles {
        generate_missing_certificate: true,
        ..files
    }
    .load()
    .unwrap();
    assert!(generated.server.is_some() && generated.client.is_none());
}

#[test]
fn an_expired_certificate_is_logged_and_does_not_stop_a_server() {
    let directory = tempfile::tempdir().unwrap();
    let authority = Authority::new("CA");
    let expired = authority.issue(&Wanted {
        validity: (-7200, -3600),
        ..user("server", &[])
    });
    put_pair(directory.path(), ("cert.pem", "key.pem"), &expired);
    fs::write(
        directory.path().join("CA.pem"),
        authority.certificate.to_pem().unwrap(),
    )
    .unwrap();
    let log = Log::default();
    let files = files(directory.path());
    let loaded = tracing::subscriber::with_default(log.clone(), || files.load().unwrap());
    assert!(loaded.server.is_some());
    assert!(
        log.lines()
            .iter()
            .any(|line| line.contains("certificate expired")),
        "{:?}",
        log.lines()
    );
    assert_eq!(
        loaded.reload_delay(SystemTime::now()),
        Some(Duration::from_secs(60))
    );
}

#[test]
fn credentials_that_do_not_expire_are_not_reloaded_by_themselves() {
    let directory = tempfile::tempdir().unwrap();
    let files = CredentialFiles {
        permit_insecure_mode: true,
        generate_missing_certificate: true,
        ..files(directory.path())
    };
    assert_eq!(files.load().unwrap().reload_delay(SystemTime::now()), None);
}

#[test]
fn a_generated_certificate_is_the_specified_one() {
    let (certificate, key) = self_signed().unwrap();
    assert_eq!(key.id(), openssl::pkey::Id::ED25519);
    assert!(certificate.verify(&key).unwrap());
    let summary = CertificateSummary::from_der(&certificate.to_der().unwrap()).unwrap();
    assert_eq!(summary.dns_names, ["any-server"]);
    assert_eq!(summary.serial, "01");
    assert!(summary.is_valid_now() && !summary.is_ca);
    let life = summary.not_after.duration_since(summary.not_before).unwrap();
    assert_eq!(life.as_secs() / 86400 / 365, 30);
}

#[test]
fn a_tool_s_directory_is_sorted_by_power() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    assert!(load_directory(&path.join("missing")).unwrap().is_none());
    assert!(load_directory(path).unwrap().is_none());
    let authority = Authority::new("CA");
    let until = |seconds, methods| Wanted {
        validity: (-60, seconds),
        ..user("u", methods)
    };
    put_pair(
        path,
        ("a.cert", "a.key"),
        &authority.issue(&until(1000, &["A.b"])),
    );
    put_pair(
        path,
        ("b.cert", "b.key"),
        &authority.issue(&until(2000, &["A.b"])),
    );
    put_pair(
        path,
        ("c.cert", "c.key"),
        &authority.issue(&until(1000, &["A.b", "A.c", "A.d"])),
    );
    put_pair(
        path,
        ("cert.pem", "key.pem"),
        &authority.issue(&until(1000, &["*.*"])),
    );
    // Neither of these is half of a pair.
    fs::write(path.join("lonely.key"), "").unwrap();
    fs::write(path.join("other.cert"), "").unwrap();
    let credentials = load_directory(path).unwrap().unwrap();
    let names: Vec<&str> = credentials.pairs().iter().map(|pair| pair.name()).collect();
    assert_eq!(names, ["cert.pem", "c.cert", "b.cert", "a.cert"]);
}

#[test]
fn a_tool_stops_at_a_pair_that_is_not_valid() {
    let directory = tempfile::tempdir().unwrap();
    let authority = Authority::new("CA");
    let old = Wanted {
        validity: (-10 * 86400, -3 * 86400),
        ..user("u", &[])
    };
    put_pair(directory.path(), ("old.cert", "old.key"), &authority.issue(&old));
    let error = load_directory(directory.path()).err().unwrap().to_string();
    assert!(error.starts_with("old.cert expired 3d"), "{error}");
    let early = Wanted {
        validity: (7200, 86400),
        ..user("u", &[])
    };
    put_pair(
        directory.path(),
        ("old.cert", "old.key"),
        &authority.issue(&early),
    );
    let error = load_directory(directory.path()).err().unwrap().to_string();
    assert!(
        error.starts_with("old.cert will not be valid for 1h59m"),
        "{error}"
    );
    fs::write(directory.path().join("old.key"), "not PEM").unwrap();
    let error = load_directory(directory.path()).err().unwrap().to_string();
    assert!(error.starts_with("old.cert: unable to load keypair: "), "{error}");
}

#[tokio::test]
async fn a_reload_takes_effect_and_a_failed_one_does_not() {
    let directory = tempfile::tempdir().unwrap();
    let (path, files) = (directory.path(), files(directory.path()));
    let (old, new) = (Authority::new("old CA"), Authority::new("new CA"));
    put_pair(path, ("cert.pem", "key.pem"), &old.issue(&user("server", &[])));
    fs::write(path.join("CA.pem"), old.certificate.to_pem().unwrap()).unwrap();
    let credentials = files.load().unwrap();
    let (old_user, new_user) = (
        old.issue(&user("u", &["*.*"])).credentials(),
        new.issue(&user("u", &["*.*"])).credentials(),
    );
    let running = Running::start(services::registry(), None, no_socket());
    running.server.set_tls(credentials.server.clone());
    let reloader = Reloader::new(files, credentials);
    let stop = CancellationToken::new();
    let task = tokio::spawn(Arc::clone(&reloader).run(Arc::clone(&running.server), stop.clone()));

    let works = async |user| match running.connect(Some(user)).await {
        Ok(mut client) => client.call::<Text, Text>("Test.Echo", &text("")).await.is_ok(),
        Err(_) => false,
    };
    assert!(works(&old_user).await && !works(&new_user).await);
    fs::write(path.join("CA.pem"), new.certificate.to_pem().unwrap()).unwrap();
    reloader.request();
    let reloaded = async {
        while !works(&new_user).await {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(PATIENCE, reloaded).await.unwrap();
    assert!(!works(&old_user).await);
    let before = reloader.current();
    fs::write(path.join("CA.pem"), "not PEM").unwrap();
    reloader.request();
    let failed = async {
        while reloader.last_error().is_none() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(PATIENCE, failed).await.unwrap();
    assert!(Arc::ptr_eq(&before, &reloader.current()));
    assert!(works(&new_user).await);
    stop.cancel();
    task.await.unwrap();
}

#[test]
fn a_metadata_service_is_asked_when_told_to() {
    let authority = Authority::new("CA");
    let issued = authority.issue(&user("machine", &[]));
    let answers = vec![issued.certificate_pem(), issued.key_pem()];
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let service = listener.local_addr().unwrap();
    let peer = std::thread::spawn(move || {
        let mut requests = Vec::new();
        for answer in answers {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                stream.read_exact(&mut byte).unwrap();
                request.push(byte[0]);
            }
            stream.write_all(b"HTTP/1.0 200 OK\r\n\r\n").unwrap();
            stream.write_all(&answer).unwrap();
            requests.push(String::from_utf8(request).unwrap());
        }
        requests
    });
    let directory = tempfile::tempdir().unwrap();
    let files = CredentialFiles {
        metadata_service: Some(service),
        permit_insecure_mode: true,
        ..files(directory.path())
    };
    let loaded = files.load().unwrap();
    let name = &loaded.client.unwrap().pairs()[0]
        .summary()
        .claims
        .common_name
        .clone();
    assert_eq!(name, "machine");
    let requests = peer.join().unwrap();
    assert!(requests[0].starts_with("GET /latest/dynamic/instance-identity/X.509-certificate HTTP/1.0\r\n"));
    assert!(requests[1].starts_with("GET /latest/dynamic/instance-identity/X.509-key HTTP/1.0\r\n"));
}
