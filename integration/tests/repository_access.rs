//! Who may do what in a repository that asks for signatures: what the original's own tests ask of a public one, and signatures
//! that must not count.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test: what cannot go on has failed"
)]

use integration::http_talk::{Reply, Talk};
use integration::repository::{Imgapi, Repository};
use integration::repository_calls::{expect, manifest, refused};
use openssl::pkey::{PKey, Private};
use openssl::sign::Signer;
use serde_json::{Value, json};
use std::time::{Duration, SystemTime};

/// A user with a key.
struct User {
    key: PKey<Private>,
    public: String,
}

impl User {
    fn new() -> Self {
        let key = PKey::generate_ed25519().unwrap();
        let mut blob = Vec::new();
        for part in [b"ssh-ed25519".as_slice(), &key.raw_public_key().unwrap()] {
            blob.extend((part.len() as u32).to_be_bytes());
            blob.extend(part);
        }
        let public = format!("ssh-ed25519 {} test", openssl::base64::encode_block(&blob));
        Self { key, public }
    }

    fn signature(&self, date: &str) -> String {
        let mut signer = Signer::new_without_digest(&self.key).unwrap();
        let signature = signer
            .sign_oneshot_to_vec(format!("date: {date}").as_bytes())
            .unwrap();
        let signature = openssl::base64::encode_block(&signature);
        format!("Signature keyId=\"luke\",algorithm=\"ed25519-sha512\",signature=\"{signature}\"")
    }

    fn ask(&self, talk: &mut Talk, method: &str, url: &str, body: &Value) -> Reply {
        let date = repository::dates::http(SystemTime::now());
        let signature = self.signature(&date);
        let headers = [
            ("date", date.as_str()),
            ("authorization", signature.as_str()),
            ("content-type", "application/json"),
        ];
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        talk.ask(method, url, &headers, body.as_bytes()).unwrap()
    }
}

fn start(mode: &str) -> (Repository, Imgapi, User) {
    let user = User::new();
    let keys = json!({"luke": [user.public]});
    let repository =
        Repository::new(json!({"mode": mode, "authType": "signature", "authKeys": keys})).unwrap();
    let daemon = repository.start().unwrap();
    (repository, daemon, user)
}

#[test]
fn without_a_signature_nothing_is_changed_or_looked_up() {
    let (_repository, daemon, user) = start("public");
    let mut talk = daemon.talk().unwrap();
    let uuid = "900850d9-4bc2-da4b-84be-7e7cd50fe136";
    for (method, url) in [
        ("GET", "/state".to_owned()),
        ("POST", "/state?action=dropcaches".to_owned()),
        ("POST", "/authkeys/reload".to_owned()),
        ("POST", "/images".to_owned()),
        ("POST", "/images?action=create-from-vm".to_owned()),
        ("PUT", format!("/images/{uuid}/file?compression=none")),
        ("POST", format!("/images/{uuid}/file/from-url")),
        ("PUT", format!("/images/{uuid}/icon")),
        ("DELETE", format!("/images/{uuid}/icon")),
        ("POST", format!("/images/{uuid}?action=activate")),
        ("POST", format!("/images/{uuid}?action=disable")),
        ("POST", format!("/images/{uuid}?action=enable")),
        ("POST", format!("/images/{uuid}?action=update")),
        ("POST", format!("/images/{uuid}?action=import")),
        ("POST", format!("/images/{uuid}?action=import-remote")),
        ("POST", format!("/images/{uuid}/acl")),
        ("POST", format!("/images/{uuid}/acl?action=remove")),
        ("DELETE", format!("/images/{uuid}")),
        // Before the path is looked at.
        ("DELETE", "/images/foo".to_owned()),
    ] {
        let reply = talk.ask(method, &url, &[], b"").unwrap();
        assert_eq!(reply.header("www-authenticate"), None);
        let message = refused(reply, 401, "UnauthorizedError").unwrap();
        assert_eq!(message, "Unauthorized", "{method} {url}");
        // With one it is another answer.
        assert_ne!(
            user.ask(&mut talk, method, &url, &Value::Null).status,
            401,
            "{method} {url}"
        );
    }
    let anonymous = expect(talk.ask("GET", "/ping", &[], b"").unwrap(), 200)
        .unwrap()
        .json()
        .unwrap();
    assert_eq!(
        (&anonymous["ping"], &anonymous["pid"]),
        (&json!("pong"), &Value::Null)
    );
    let known = expect(user.ask(&mut talk, "GET", "/ping", &Value::Null), 200)
        .unwrap()
        .json()
        .unwrap();
    assert_eq!((&known["user"], known["pid"].is_u64()), (&json!("luke"), true));
}

#[test]
fn a_signature_that_is_wrong_old_or_without_a_date_does_not_count() {
    let (_repository, daemon, user) = start("public");
    let mut talk = daemon.talk().unwrap();
    let mut ask = |date: &str, signature: &str| {
        let headers = [("date", date), ("authorization", signature)];
        talk.ask("POST", "/images", &headers, b"").unwrap()
    };
    let now = SystemTime::now();
    let date = repository::dates::http(now);
    assert_eq!(ask(&date, &user.signature(&date)).status, 422);
    for shift in [-400i64, 400] {
        let seconds = Duration::from_secs(shift.unsigned_abs());
        let date = repository::dates::http(if shift < 0 { now - seconds } else { now + seconds });
        let message = refused(ask(&date, &user.signature(&date)), 401, "UnauthorizedError").unwrap();
        assert!(message.starts_with("clock skew of "), "{message}");
    }
    // The original takes a date that it cannot read, for ever.
    for date in ["not a date", "", "99999999999999"] {
        refused(ask(date, &user.signature(date)), 401, "UnauthorizedError").unwrap();
    }
    for signature in [
        User::new().signature(&date),
        user.signature("another text"),
        user.signature(&date).replace("luke", "leia"),
        user.signature(&date).replace("ed25519-sha512", "hmac-sha256"),
        "Basic bHVrZTpsdWtl".to_owned(),
        "Signature".to_owned(),
    ] {
        refused(ask(&date, &signature), 401, "UnauthorizedError").unwrap();
    }
}

#[test]
fn strangers_see_active_images_and_users_all_of_them() {
    let (_repository, daemon, user) = start("public");
    let mut talk = daemon.talk().unwrap();
    let private = user.ask(&mut talk, "POST", "/images", &manifest(&json!({"public": false})));
    refused(private, 422, "ValidationFailed").unwrap();
    let mut uuids = Vec::new();
    for _ in 0..3 {
        let created = user.ask(&mut talk, "POST", "/images", &manifest(&json!({})));
        let created = expect(created, 200).unwrap().json().unwrap();
        uuids.push(created["uuid"].as_str().unwrap().to_owned());
    }
    for (uuid, actions) in uuids
        .iter()
        .zip([&[][..], &["activate"], &["activate", "disable"]])
    {
        let file = format!("/images/{uuid}/file?compression=none");
        expect(user.ask(&mut talk, "PUT", &file, &json!("the file")), 200).unwrap();
        for action in actions {
            let url = format!("/images/{uuid}?action={action}");
            expect(user.ask(&mut talk, "POST", &url, &Value::Null), 200).unwrap();
        }
    }
    let update = format!("/images/{}?action=update", uuids[1]);
    let message = refused(
        user.ask(&mut talk, "POST", &update, &json!({"public": false})),
        422,
        "ValidationFailed",
    );
    assert!(message.unwrap().contains("public"));
    let mut count = |state: &str, is_known: bool| {
        let url = format!("/images?state={state}");
        let reply = match is_known {
            true => user.ask(&mut talk, "GET", &url, &Value::Null),
            false => talk.ask("GET", &url, &[], b"").unwrap(),
        };
        expect(reply, 200)
            .unwrap()
            .json()
            .unwrap()
            .as_array()
            .unwrap()
            .len()
    };
    for (state, for_strangers, for_users) in [
        ("all", 1, 3),
        ("active", 1, 1),
        ("disabled", 0, 1),
        ("unactivated", 0, 1),
    ] {
        assert_eq!(
            (count(state, false), count(state, true)),
            (for_strangers, for_users),
            "{state}"
        );
    }
}

#[test]
fn a_private_repository_takes_no_public_image() {
    let (_repository, daemon, user) = start("private");
    let mut talk = daemon.talk().unwrap();
    let public = user.ask(&mut talk, "POST", "/images", &manifest(&json!({})));
    let entry = public.json().unwrap()["errors"][0].clone();
    refused(public, 422, "ValidationFailed").unwrap();
    assert_eq!(
        entry["message"],
        "public images are not allowed on a private Images API"
    );
    let traits = json!({"public": false, "traits": {"ssd": true}});
    let private = user.ask(&mut talk, "POST", "/images", &manifest(&traits));
    assert_eq!(
        expect(private, 200).unwrap().json().unwrap()["traits"]["ssd"],
        true
    );
}
