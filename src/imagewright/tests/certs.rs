//! The program `imagewright certs`, run as its users run it, and judged by OpenSSL's own command.

// Helpers stand outside the test functions, where the usual leave to unwrap does not reach.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

fn certs(directory: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_imagewright"))
        .arg("certs")
        .args(arguments)
        .current_dir(directory)
        .output()
        .unwrap()
}

/// Runs a verb that must succeed and gives its standard output.
fn done(directory: &Path, arguments: &[&str]) -> String {
    let output = certs(directory, arguments);
    assert!(
        output.status.success(),
        "{arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

/// Runs a verb that must fail; gives exit code and standard error.
fn refused(directory: &Path, arguments: &[&str]) -> (i32, String) {
    let output = certs(directory, arguments);
    assert!(
        !output.status.success(),
        "{arguments:?}: {}",
        String::from_utf8_lossy(&output.stdout)
    );
    (
        output.status.code().unwrap(),
        String::from_utf8(output.stderr).unwrap(),
    )
}

/// Does `openssl verify` accept the certificate for this purpose?
fn verifies(directory: &Path, authority: &str, certificate: &str, purpose: &str) -> bool {
    let output = Command::new("openssl")
        .args([
            "verify",
            "-x509_strict",
            "-purpose",
            purpose,
            "-CAfile",
            authority,
            certificate,
        ])
        .current_dir(directory)
        .output()
        .unwrap();
    output.status.success()
}

fn shown(directory: &Path, certificate: &str) -> serde_json::Value {
    serde_json::from_str(&done(directory, &["show", "--json", certificate])).unwrap()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn a_certificate_of_every_key_type_verifies_for_what_it_was_issued_for() {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    for key_type in ["ec-p256", "ec-p384", "ed25519", "rsa3072"] {
        done(directory, &["ca", "--out", key_type, "--key-type", key_type]);
        done(
            directory,
            &[
                "issue",
                "--ca",
                key_type,
                "--user",
                key_type,
                "--key-type",
                key_type,
            ],
        );
        done(
            directory,
            &[
                "issue",
                "--ca",
                key_type,
                "--user",
                "daemon",
                "--server",
                "localhost,127.0.0.1,::1",
                "--key-type",
                key_type,
                "--out",
                key_type,
            ],
        );
        let authority = format!("{key_type}/CA.pem");
        let tool = format!("{key_type}.cert");
        let daemon = format!("{key_type}/cert.pem");
        assert!(verifies(directory, &authority, &tool, "sslclient"), "{key_type}");
        assert!(!verifies(directory, &authority, &tool, "sslserver"), "{key_type}");
        assert!(
            verifies(directory, &authority, &daemon, "sslclient"),
            "{key_type}"
        );
        assert!(
            verifies(directory, &authority, &daemon, "sslserver"),
            "{key_type}"
        );
        assert_eq!(mode(&directory.join(format!("{key_type}.key"))), 0o600);
        assert_eq!(mode(&directory.join(key_type).join("key.pem")), 0o600);
        assert_eq!(mode(&directory.join(key_type).join("CA.key")), 0o600);
    }
    let names = &shown(directory, "ed25519/cert.pem")["server_names"];
    assert_eq!(*names, serde_json::json!(["localhost", "127.0.0.1", "::1"]));
}

#[test]
fn what_was_issued_is_what_show_tells() {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    done(directory, &["ca"]);
    done(
        directory,
        &[
            "issue",
            "--user",
            "alice",
            "--methods",
            "ImageServer.Make*,Logger.*",
            "--groups",
            "ops,dev",
            "--preset",
            "reader",
            "--days",
            "10",
        ],
    );
    let alice = shown(directory, "alice.cert");
    assert_eq!(alice["user"], "alice");
    assert_eq!(alice["groups"], serde_json::json!(["ops", "dev"]));
    let expected = [
        "ImageServer.Make*",
        "Logger.*",
        "ObjectServer.CheckObjects",
        "ObjectServer.GetObjects",
    ];
    assert_eq!(alice["methods"], serde_json::json!(expected));
    assert_eq!(
        alice["grants"]["ImageServer"],
        serde_json::json!(["MakeDirectory"])
    );
    assert_eq!(alice["client_authentication"], true);
    assert_eq!(alice["server_authentication"], false);
    assert_eq!(alice["expired"], false);
    assert_eq!(alice["warnings"], serde_json::json!([]));
    let text = done(directory, &["show", "alice.cert", "CA.pem"]);
    for expected in [
        "alice",
        "ops, dev",
        "Logger: all 5 methods",
        "in 1w",
        "CN=Imagewright CA",
        "authority",
    ] {
        assert!(text.contains(expected), "{expected}: {text}");
    }
}

#[test]
fn powers_are_der_sequences_of_utf8_strings_under_their_identifiers_and_not_critical() {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    done(directory, &["ca"]);
    done(
        directory,
        &["issue", "--user", "a", "--methods", "*.*", "--groups", "g"],
    );
    let output = Command::new("openssl")
        .args(["asn1parse", "-in", "a.cert"])
        .current_dir(directory)
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    for (oid, dump) in [
        ("1.3.6.1.4.1.9586.100.7.1", "30050C032A2E2A"),
        ("1.3.6.1.4.1.9586.100.7.2", "30030C0167"),
    ] {
        let at = lines
            .iter()
            .position(|line| line.ends_with(&format!(":{oid}")))
            .unwrap();
        assert!(
            lines[at + 1].contains("OCTET STRING") && lines[at + 1].ends_with(dump),
            "{text}"
        );
    }
}

#[test]
fn an_existing_key_is_never_overwritten_without_force() {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    done(directory, &["ca"]);
    let issue = ["issue", "--user", "alice"];
    done(directory, &issue);
    let before = [
        fs::read(directory.join("alice.key")).unwrap(),
        fs::read(directory.join("CA.key")).unwrap(),
    ];
    let (_, message) = refused(directory, &issue);
    assert!(
        message.contains("alice.key exists and is kept") && message.contains("--force"),
        "{message}"
    );
    refused(directory, &["ca"]);
    let after = [
        fs::read(directory.join("alice.key")).unwrap(),
        fs::read(directory.join("CA.key")).unwrap(),
    ];
    assert!(before == after);
    done(directory, &["issue", "--user", "alice", "--force"]);
    assert!(before[0] != fs::read(directory.join("alice.key")).unwrap());
}

#[test]
fn a_renewed_certificate_keeps_key_powers_and_names_and_gets_a_new_life() {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    done(directory, &["ca"]);
    done(
        directory,
        &[
            "issue",
            "--user",
            "d",
            "--server",
            "localhost",
            "--preset",
            "replica",
            "--groups",
            "g",
            "--not-before",
            "2020-01-01T00:00:00Z",
            "--days",
            "30",
        ],
    );
    let key = fs::read(directory.join("key.pem")).unwrap();
    let old = shown(directory, "cert.pem");
    assert_eq!(old["expired"], true);
    assert!(!verifies(directory, "CA.pem", "cert.pem", "sslserver"));
    done(directory, &["renew", "cert.pem", "--days", "90"]);
    let new = shown(directory, "cert.pem");
    for kept in [
        "user",
        "groups",
        "methods",
        "server_names",
        "client_authentication",
        "server_authentication",
        "key",
    ] {
        assert_eq!(old[kept], new[kept], "{kept}");
    }
    assert_ne!(old["serial"], new["serial"]);
    assert_eq!(new["expired"], false);
    assert!(verifies(directory, "CA.pem", "cert.pem", "sslserver"));
    assert!(key == fs::read(directory.join("key.pem")).unwrap());
}

#[test]
fn a_renewed_authority_still_vouches_for_what_it_signed() {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    done(directory, &["ca", "--days", "20"]);
    done(directory, &["issue", "--user", "alice", "--days", "10"]);
    let old = shown(directory, "CA.pem");
    done(directory, &["renew", "CA.pem", "--days", "400"]);
    let new = shown(directory, "CA.pem");
    assert!(new["valid_until"].as_i64() > old["valid_until"].as_i64());
    assert_eq!(new["is_authority"], true);
    assert!(verifies(directory, "CA.pem", "alice.cert", "sslclient"));
}

#[test]
fn a_certificate_does_not_outlive_its_authority() {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    done(directory, &["ca", "--days", "5"]);
    let output = certs(directory, &["issue", "--user", "alice", "--days", "365"]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("cut to the life of the authority"));
    assert_eq!(
        shown(directory, "alice.cert")["valid_until"],
        shown(directory, "CA.pem")["valid_until"]
    );
}

#[test]
fn an_identity_authority_gives_groups_but_no_powers() {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    done(directory, &["identity-ca"]);
    let (code, message) = refused(
        directory,
        &["issue", "--identity", "--user", "bob", "--preset", "admin"],
    );
    assert_eq!(code, 2, "{message}");
    done(
        directory,
        &["issue", "--identity", "--user", "bob", "--groups", "ops"],
    );
    assert_eq!(shown(directory, "bob.cert")["groups"], serde_json::json!(["ops"]));
    assert!(verifies(directory, "IdentityCA.pem", "bob.cert", "sslclient"));
}

#[test]
fn check_orders_pairs_as_tools_do_and_fails_where_a_tool_would_stop() {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    done(directory, &["ca"]);
    let (code, message) = refused(directory, &["check", "."]);
    assert_eq!(
        (code, message.contains("certs issue")),
        (1, true),
        "the key of the authority is no pair: {message}"
    );
    fs::create_dir(directory.join("ssl")).unwrap();
    let issue = |user: &str, more: &[&str]| {
        done(
            directory,
            &[&["issue", "--user", user, "--out", "ssl"], more].concat(),
        );
    };
    issue("few", &["--methods", "A.B"]);
    issue("few-longer", &["--methods", "A.C", "--days", "500"]);
    issue("many", &["--methods", "A.B,A.C,A.D"]);
    issue("all", &["--preset", "admin"]);
    let lines = done(directory, &["check", "ssl", "--json", "--ca-file", "CA.pem"]);
    let findings: Vec<serde_json::Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let order: Vec<&str> = findings
        .iter()
        .map(|finding| finding["user"].as_str().unwrap())
        .collect();
    assert_eq!(order, ["all", "many", "few-longer", "few"]);
    assert!(
        findings
            .iter()
            .all(|finding| finding["warnings"] == serde_json::json!([])),
        "{lines}"
    );

    done(directory, &["ca", "--out", "other"]);
    assert!(done(directory, &["check", "ssl", "--ca-file", "other/CA.pem"]).contains("refuse it"));
    fs::set_permissions(directory.join("ssl/all.key"), fs::Permissions::from_mode(0o644)).unwrap();
    assert!(done(directory, &["check", "ssl"]).contains("others can read"));

    issue("old", &["--not-before", "2020-01-01T00:00:00Z", "--days", "3"]);
    let (code, message) = refused(directory, &["check", "ssl"]);
    assert_eq!((code, message.contains("1 of 5 pairs")), (1, true), "{message}");
    fs::copy(directory.join("ssl/all.key"), directory.join("ssl/old.key")).unwrap();
    let output = certs(directory, &["check", "ssl"]);
    assert!(String::from_utf8_lossy(&output.stdout).contains("is not the key of"));
}

#[test]
fn requests_that_make_no_sense_are_refused_before_anything_is_written() {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    assert_eq!(
        refused(directory, &["issue", "--user", "alice"]).0,
        3,
        "no authority there"
    );
    done(directory, &["ca"]);
    let long = "x".repeat(65);
    for bad in [
        &["--user", ""][..],
        &["--user", "../alice"],
        &["--user", &long],
        &["--user", "alice", "--methods", "ImageServer"],
        &["--user", "alice", "--methods", "A.[B"],
        &["--user", "alice", "--groups", "a,,b"],
        &["--user", "alice", "--days", "0"],
        &["--user", "alice", "--not-before", "soon"],
        &["--user", "alice", "--preset", "god"],
    ] {
        let (code, message) = refused(directory, &[&["issue"], bad].concat());
        assert_eq!(code, 2, "{bad:?}: {message}");
    }
    assert_eq!(
        fs::read_dir(directory).unwrap().count(),
        2,
        "CA.pem and CA.key alone"
    );
    let (code, _) = refused(directory, &["show", "nobody.cert"]);
    assert_eq!(code, 3);
    fs::write(directory.join("text.cert"), "no certificate").unwrap();
    assert_eq!(refused(directory, &["show", "text.cert"]).0, 1);
}

#[test]
fn show_warns_of_what_servers_reject() {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    // Made by another program: a list without the dot, and one with bytes after it.
    for (name, der, expected) in [
        ("no-dot", "30:03:0c:01:2a", "bad line"),
        ("trailing", "30:05:0c:03:2a:2e:2a:00", "1 bytes behind"),
    ] {
        let extension = format!("1.3.6.1.4.1.9586.100.7.1=DER:{der}");
        let made = Command::new("openssl")
            .args([
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:prime256v1",
                "-nodes",
                "-keyout",
                "k.pem",
            ])
            .args(["-subj", "/CN=x", "-addext", &extension, "-out", name])
            .current_dir(directory)
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let malformed = shown(directory, name)["malformed"].to_string();
        assert!(malformed.contains(expected), "{malformed}");
    }
}
