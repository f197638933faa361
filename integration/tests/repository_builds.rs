//! Images that are built on request: the image builder builds, the repository keeps its promise (imgapi.md §14, §22.4).
#![allow(clippy::unwrap_used, clippy::expect_used)] // A test that cannot go on should say where.

use integration::imaginator::{BOOTSTRAP, Workplace, lacks_root};
use integration::repository::{Imgapi, Repository};
use integration::repository_jobs::{bring, digests, ended, image, last_word};
use integration::wait::until;
use serde_json::{Value, json};
use std::time::SystemTime;

const MACHINE: &str = "8f2f6d3a-6f2a-4a4e-9f0b-3a8f8a2b7a11";
const BROKEN: &str = "1b0f5f0e-7d39-4c0f-8a43-8b1d0c9a2e55";
const OWNER: &str = "86055c40-2547-11e2-8a6b-4bb37edc84ba";
/// Whose stream builds until it is told to go on.
const SLOW: &str = "2c1f5f0e-7d39-4c0f-8a43-8b1d0c9a2e55";
const WAITING: &str = "users/waiting";
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
        "buildTargets": {MACHINE: BOOTSTRAP, BROKEN: {"stream": "no/such/stream"}, SLOW: WAITING},
    }));
    repository
}

/// Asks for an image of a machine; the names of image and job.
fn start(daemon: &Imgapi, machine: &str, name: &str) -> (String, String) {
    let body = json!({"name": name, "version": "7", "owner": OWNER, "tags": {"role": "web"}});
    let url = format!("/images?action=create-from-vm&vm_uuid={machine}");
    let reply = daemon.send("POST", &url, &body).unwrap();
    assert_eq!(reply.status, 200, "{reply:?}");
    let started = reply.json().unwrap();
    let text = |key: &str| started[key].as_str().unwrap().to_owned();
    (text("image_uuid"), text("job_uuid"))
}

fn create(daemon: &Imgapi, machine: &str) -> (String, Value) {
    let (uuid, job) = start(daemon, machine, "mine");
    let promised = image(daemon, &uuid).unwrap().unwrap();
    assert!(["creating", "unactivated", "active", "failed"].contains(&promised["state"].as_str().unwrap()));
    (uuid, ended(daemon, &job))
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

#[test]
fn builds_on_request_keep_their_places_and_are_made_although_a_kill_cut_them_off() {
    if lacks_root("builds_on_request_keep_their_places_and_are_made_although_a_kill_cut_them_off") {
        return;
    }
    let mut work = Workplace::new().unwrap();
    work.add_waiting_stream(WAITING, BOOTSTRAP, "the script waits", "the script goes on")
        .unwrap();
    let builder = work.start(&[]).unwrap();
    work.built(&builder, BOOTSTRAP).unwrap();
    let repository = repository(&work, builder.port);
    let daemon = repository.start().unwrap();
    let promised = [start(&daemon, SLOW, "one"), start(&daemon, SLOW, "two")];
    until("it is being built", || {
        let (_, rows) = builder.page("/?table=building&output=json").unwrap();
        rows.contains(WAITING)
    });
    // Its place is kept, nobody says what it will be, and nothing else can be done with it.
    for (uuid, job) in &promised {
        let image = image(&daemon, uuid).unwrap().unwrap();
        assert_eq!(
            (&image["state"], &image["type"], &image["os"]),
            (&json!("creating"), &Value::Null, &Value::Null)
        );
        assert_eq!(daemon.get(&format!("/images/{uuid}/file")).unwrap().status, 404);
        let activate = format!("/images/{uuid}?action=activate");
        let refused = daemon.ask("POST", &activate, &[], b"").unwrap();
        assert_eq!(
            (refused.status, refused.code().as_str()),
            (422, "NoActivationNoFile")
        );
        let jobs = format!("/images/{uuid}/jobs?task=create-from-vm&execution=running");
        until("the job is at work", || {
            let jobs = daemon.get(&jobs).unwrap().json().unwrap();
            jobs[0]["uuid"] == job.as_str() && jobs[0]["params"]["vm_uuid"] == SLOW
        });
    }
    let creating = daemon.get("/images?state=creating").unwrap().json().unwrap();
    assert_eq!(creating.as_array().unwrap().len(), 2);
    assert_eq!(daemon.get("/images").unwrap().json().unwrap(), json!([]));

    daemon.kill().unwrap();
    let daemon = repository.start().unwrap();
    work.go_on().unwrap();
    for (uuid, job) in &promised {
        let job = ended(&daemon, job);
        assert_eq!(job["execution"], "succeeded", "{job}\n{}", builder.log_text());
        let image = image(&daemon, uuid).unwrap().unwrap();
        assert_eq!(image["state"], "active", "{image}");
        let stream = image["tags"]["store:image"].as_str().unwrap();
        assert!(stream.starts_with(WAITING), "{stream}");
        let file = daemon.get(&format!("/images/{uuid}/file")).unwrap().body;
        assert_eq!(image["files"][0]["sha1"], digests(&file).unwrap().sha1);
    }
}

#[test]
fn an_image_that_cannot_be_built_says_why_until_its_place_expires() {
    let repository = Repository::new(json!({
        "mode": "dc",
        "datacenterName": "here",
        "allowLocalCreateImageFromVm": true,
        "placeholderImageLifespanDays": 1e-7,
        // Nobody is there.
        "imageServer": "127.0.0.1:1",
        "imaginator": "127.0.0.1:1",
        "buildTargets": {MACHINE: BOOTSTRAP},
    }));
    let repository = repository.unwrap();
    let daemon = repository.start().unwrap();
    const KEPT: &str = "11111111-1111-4111-8111-111111111111";
    bring(&daemon, KEPT, None, b"content").unwrap();
    let (uuid, job) = start(&daemon, MACHINE, "mine");
    let job = ended(&daemon, &job);
    assert_eq!(job["execution"], "failed", "{job}");
    let steps = job["chain_results"].as_array().unwrap();
    assert_eq!(steps.last().unwrap()["name"], "cnapi.queue_create_from_vm_task");
    let said = last_word(&job);
    assert!(said.contains("image builder 127.0.0.1:1"), "{said}");
    let failed = image(&daemon, &uuid).unwrap().unwrap();
    assert_eq!(failed["state"], "failed");
    assert!(
        said.contains(failed["error"]["message"].as_str().unwrap()),
        "{failed}"
    );
    daemon.stop().unwrap();

    let daemon = repository.start().unwrap();
    until("the place is free again", || {
        image(&daemon, &uuid).unwrap().is_none()
    });
    assert!(!repository.base().join(format!("manifests/{uuid}.raw")).exists());
    // Its job still tells what became of it, and what has no time to end stays.
    let told = daemon
        .get(&format!("/jobs/{}", job["uuid"].as_str().unwrap()))
        .unwrap();
    assert_eq!(told.json().unwrap()["execution"], "failed");
    assert_eq!(image(&daemon, KEPT).unwrap().unwrap()["state"], "active");
    let again = format!("/images?action=create-from-vm&vm_uuid={MACHINE}");
    let body = json!({"name": "mine", "version": "8", "owner": OWNER, "uuid": uuid});
    assert_eq!(daemon.send("POST", &again, &body).unwrap().status, 200);
}
