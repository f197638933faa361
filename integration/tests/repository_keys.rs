//! Keys of users at the running image repository: who is let in when files change.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test: what cannot go on has failed"
)]

use integration::repository::{Imgapi, Repository};
use integration::wait::until;
use openssl::pkey::{PKey, Private};
use openssl::sign::Signer;
use serde_json::{Value, json};
use std::fs;

/// A key and its public line.
fn key() -> (PKey<Private>, String) {
    let key = PKey::generate_ed25519().unwrap();
    let mut blob = Vec::new();
    for part in [b"ssh-ed25519".as_slice(), &key.raw_public_key().unwrap()] {
        blob.extend((part.len() as u32).to_be_bytes());
        blob.extend(part);
    }
    let line = format!("ssh-ed25519 {} test", openssl::base64::encode_block(&blob));
    (key, line)
}

/// Who the server takes the owner of a key for.
fn ping(daemon: &Imgapi, user: &str, key: &PKey<Private>) -> (u16, Value) {
    let date = repository::dates::http(std::time::SystemTime::now());
    let mut signer = Signer::new_without_digest(key).unwrap();
    let signature = signer
        .sign_oneshot_to_vec(format!("date: {date}").as_bytes())
        .unwrap();
    let signature = openssl::base64::encode_block(&signature);
    let value = format!("Signature keyId=\"{user}\",algorithm=\"ed25519-sha512\",signature=\"{signature}\"");
    let headers = [("date", date.as_str()), ("authorization", value.as_str())];
    let reply = daemon.ask("GET", "/ping", &headers, b"").unwrap();
    (reply.status, reply.json().unwrap()["user"].clone())
}

#[test]
fn files_of_keys_are_watched_and_keys_of_the_configuration_change_live() {
    let (first, first_line) = key();
    let (second, second_line) = key();
    let mut repository =
        Repository::new(json!({ "authType": "signature", "authKeys": { "luke": [first_line] } })).unwrap();
    let daemon = repository.start().unwrap();
    assert_eq!(ping(&daemon, "luke", &first), (200, "luke".into()));
    assert_eq!(ping(&daemon, "leia", &second).0, 401);
    let directory = repository.base().join("etc/authkeys/local");
    fs::create_dir_all(&directory).unwrap();
    fs::write(directory.join("leia.keys"), &second_line).unwrap();
    repository.hand_over().unwrap();
    until("the file counts", || {
        ping(&daemon, "leia", &second) == (200, "leia".into())
    });
    fs::remove_file(directory.join("leia.keys")).unwrap();
    until("it counts no more", || ping(&daemon, "leia", &second).0 == 401);
    // The configuration is written anew; the port stays.
    repository.configure(json!({ "authType": "signature", "authKeys": { "luke": [second_line] } }));
    repository.command(daemon.port).unwrap();
    until("the new key counts", || ping(&daemon, "luke", &second).0 == 200);
    assert_eq!(ping(&daemon, "luke", &first).0, 401);
}

#[test]
fn a_bad_key_is_told_by_file_and_line_and_a_reload_answers_at_once() {
    let (good, good_line) = key();
    let repository = Repository::new(json!({ "authType": "signature" })).unwrap();
    let directory = repository.base().join("etc/authkeys/local");
    fs::create_dir_all(&directory).unwrap();
    fs::write(
        directory.join("luke.keys"),
        format!("{good_line}\nssh-rsa nonsense\n"),
    )
    .unwrap();
    let daemon = repository.start().unwrap();
    assert_eq!(ping(&daemon, "luke", &good).0, 200);
    let place = format!("{}:2: key of luke", directory.join("luke.keys").display());
    until("the log has it", || daemon.log_text().contains(&place));
    // Strict: it has to be signed.
    assert_eq!(
        daemon
            .send("POST", "/authkeys/reload", &json!({}))
            .unwrap()
            .status,
        401
    );
}

#[test]
fn the_reload_endpoint_and_the_action_on_the_state_answer_as_the_original_does() {
    let repository = Repository::new(json!({})).unwrap();
    let daemon = repository.start().unwrap();
    let reply = daemon.ask("POST", "/authkeys/reload", &[], b"").unwrap();
    assert_eq!((reply.status, reply.json().unwrap()), (200, json!({})));
    let reply = daemon.ask("POST", "/state?action=dropcaches", &[], b"").unwrap();
    assert_eq!((reply.status, reply.body.len()), (202, 0));
    let reply = daemon.ask("POST", "/state?action=dance", &[], b"").unwrap();
    assert_eq!((reply.status, reply.code()), (409, "InvalidArgument".to_owned()));
    assert!(reply.text().contains("\\\"dance\\\" is not a valid action"));
    let reply = daemon.ask("POST", "/state", &[], b"").unwrap();
    assert_eq!((reply.status, reply.code()), (409, "MissingParameter".to_owned()));
    assert!(reply.text().contains("\\\"action\\\" is required"));
}

#[test]
fn a_hang_up_has_everything_read_again() {
    let (key, line) = key();
    let repository = Repository::new(json!({ "authType": "signature" })).unwrap();
    let mut daemon = repository.start().unwrap();
    let directory = repository.base().join("etc/authkeys/manta");
    fs::create_dir_all(&directory).unwrap();
    fs::write(directory.join("luke.keys"), line).unwrap();
    repository.hand_over().unwrap();
    let process = rustix::process::Pid::from_raw(daemon.process_id() as i32).unwrap();
    rustix::process::kill_process(process, rustix::process::Signal::HUP).unwrap();
    until("the key counts", || ping(&daemon, "luke", &key).0 == 200);
    until("it is told", || {
        daemon.log_text().contains("SIGHUP: everything is read again")
    });
    assert!(daemon.is_running());
}
