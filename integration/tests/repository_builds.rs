//! Images that are built on request: the image builder builds, the repository keeps its promise (imgapi.md §14, §22.4).
#![allow(clippy::unwrap_used, clippy::expect_used)] // A test that cannot go on should say where.

use integration::imaginator::{BOOTSTRAP, Workplace, lacks_root};
use integration::repository::{Imgapi, Repository};
use integration::repository_jobs::{ended, image, last_word};
use serde_json::{Value, json};
use std::time::SystemTime;

const MACHINE: &str = "8f2f6d3a-6f2a-4a4e-9f0b-3a8f8a2b7a11";
const BROKEN: &str = "1b0f5f0e-7d39-4c0f-8a43-8b1d0c9a2e55";
const OWNER: &str = "86055c40-2547-11e2-8a6b-4bb37edc84ba";
const USER: &str = "repository";

/// A repository of a datacenter beside the builder, with a certificate of its own.
fn repository(work: &Workplace, builder: u16) -> Repository {
    let mut repository = Repository::new(json!({})).unwrap();
    let certificates = repository.path().join("certificates");
    let authority = work.authority();
    authority
        .issue(USER, &["--preset", "admin"], &certificates)
        .unwrap();
    repository.configure(json!({
        "mode": "dc",
        "datacenterName": "here",
        "allowLocalCreateImageFromVm": true,
        "placeholderImageLifespanDays": 3,
        "imageServer": work.images.server.address().to_string(),
        "imaginator": format!("127.0.0.1:{builder}"),
        "certDirectory": certificates,
        "buildTargets": {MACHINE: BOOTSTRAP, BROKEN: {"stream": "no/such/stream"}},
    }));
    repository
}

fn create(daemon: &Imgapi, machine: &str) -> (String, Value) {
    let body = json!({"name": "mine", "version": "7", "owner": OWNER, "tags": {"role": "web"}});
    let reply = daemon
        .send(
            "POST",
            &format!("/images?action=create-from-vm&vm_uuid={machine}"),
            &body,
        )
        .unwrap();
    assert_eq!(reply.status, 200, "{reply:?}");
    let started = reply.json().unwrap();
    let text = |key: &str| started[key].as_str().unwrap().to_owned();
    let uuid = text("image_uuid");
    let promised = image(daemon, &uuid).unwrap().unwrap();
    assert!(["creating", "unactivated", "active", "failed"].contains(&promised["state"].as_str().unwrap()));
    (uuid, ended(daemon, &text("job_uuid")))
}

#[test]
fn a_stream_is_built_on_request_and_becomes_the_image_that_was_promised() {
    if lacks_root("a_stream_is_built_on_request_and_becomes_the_image_that_was_promised") {
        return;
    }
    let work = Workplace::new().unwrap();
    let builder = work.start(&[]).unwrap();
    let repository = repository(&work, builder.port);
    let daemon = repository.start().unwrap();
    let (uuid, job) = create(&daemon, MACHINE);
    assert_eq!(job["execution"], "succeeded", "{job}\n{}", builder.log_text());
    let built = image(&daemon, &uuid).unwrap().unwrap();
    assert_eq!(
        (
            &built["state"],
            &built["name"],
            &built["version"],
            &built["owner"]
        ),
        (&json!("active"), &json!("mine"), &json!("7"), &json!(OWNER))
    );
    assert_eq!(
        (&built["type"], &built["os"], &built["tags"]["role"]),
        (&json!("other"), &json!("linux"), &json!("web"))
    );
    let name = built["tags"]["store:image"].as_str().unwrap();
    assert!(name.starts_with(BOOTSTRAP), "{name}");
    let file = daemon.get(&format!("/images/{uuid}/file")).unwrap();
    assert_eq!(built["files"][0]["size"], file.body.len());

    // What cannot be built leaves its place with the reason, and nobody is told of a machine that is not there.
    let (uuid, job) = create(&daemon, BROKEN);
    assert_eq!(job["execution"], "failed", "{job}");
    let failed = image(&daemon, &uuid).unwrap().unwrap();
    assert_eq!(failed["state"], "failed", "{failed}");
    let said = failed["error"]["message"].as_str().unwrap();
    assert!(last_word(&job).contains(said) && !said.is_empty(), "{said}");
    // It goes after as many days as the configuration says.
    let record = repository.base().join("manifests").join(format!("{uuid}.raw"));
    let record: Value = serde_json::from_slice(&std::fs::read(record).unwrap()).unwrap();
    let expires = ::repository::dates::parse(record["expires_at"].as_str().unwrap()).unwrap();
    let left = expires.duration_since(SystemTime::now()).unwrap();
    assert_eq!(left.as_secs() / 86_400, 2, "{record}");
    let url = format!("/images?action=create-from-vm&vm_uuid={OWNER}");
    let refused = daemon
        .send("POST", &url, &json!({"name": "a", "version": "1"}))
        .unwrap();
    assert_eq!(
        (refused.status, refused.code().as_str()),
        (422, "InvalidParameter")
    );
}

#[test]
fn without_a_builder_images_are_not_made_of_machines() {
    let repository = Repository::new(json!({
        "mode": "dc", "datacenterName": "here", "allowLocalCreateImageFromVm": true,
    }));
    let repository = repository.unwrap();
    let daemon = repository.start().unwrap();
    let url = format!("/images?action=create-from-vm&vm_uuid={MACHINE}");
    let refused = daemon
        .send("POST", &url, &json!({"name": "a", "version": "1"}))
        .unwrap();
    assert_eq!((refused.status, refused.code().as_str()), (501, "NotAvailable"));
}
