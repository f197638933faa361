//! Images that one repository takes from another: by request, by job, as a copy between datacenters.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test: what cannot go on has failed"
)]

use integration::repository::{Imgapi, Repository};
use integration::repository_calls::{Calls, digests, expect, refused};
use integration::repository_images::{ADMIN, LUKE, VADER, datacenter};
use integration::wait::until;
use serde_json::{Value, json};

/// Two datacenters; the second knows the first as `TestDc`.
struct Two {
    source: Imgapi,
    target: Imgapi,
    _repositories: [Repository; 2],
}

impl Two {
    fn start() -> Self {
        let first = Repository::new(datacenter()).unwrap();
        let source = first.start().unwrap();
        let mut configuration = datacenter();
        configuration["imgapiUrlFromDatacenter"] =
            json!({"TestDc": source.url(), "lab-dc": "http://127.0.0.1:1"});
        let second = Repository::new(configuration).unwrap();
        let target = second.start().unwrap();
        Self {
            source,
            target,
            _repositories: [first, second],
        }
    }

    /// An active image at the source.
    fn put(&self, owner: &str, origin: Option<&str>, content: &[u8]) -> String {
        let mut calls = Calls::to(&self.source).unwrap();
        let mut fields = json!({"owner": owner, "public": true, "name": "remote"});
        if let Some(origin) = origin {
            fields["origin"] = origin.into();
        }
        let uuid = calls.create("", &fields).unwrap();
        expect(calls.add_file(&uuid, content).unwrap(), 200).unwrap();
        expect(calls.activate(&uuid).unwrap(), 200).unwrap();
        uuid
    }

    /// Waits for the job of an answer; its last step's error.
    fn wait(&self, calls: &mut Calls, started: integration::http_talk::Reply) -> Value {
        let started = expect(started, 200).unwrap();
        assert_eq!(started.header("workflow-api"), Some("http://localhost"));
        let job = started.json().unwrap()["job_uuid"].as_str().unwrap().to_owned();
        let mut last = Value::Null;
        until("the job is over", || {
            last = expect(calls.get(&format!("/jobs/{job}")).unwrap(), 200)
                .unwrap()
                .json()
                .unwrap();
            ["succeeded", "failed"].contains(&last["execution"].as_str().unwrap_or_default())
        });
        let results = last["chain_results"].as_array().unwrap().clone();
        let error = results.last().unwrap()["error"].clone();
        assert_eq!(last["execution"] == "succeeded", error == "", "{last}");
        error
    }
}

#[test]
fn a_manifest_and_its_file_are_taken_by_request() {
    let two = Two::start();
    let uuid = two.put(VADER, None, b"from afar");
    let mut calls = Calls::to(&two.target).unwrap();
    let source = two.source.url();
    let import = format!("/images/{uuid}?action=import&source={source}");
    refused(
        calls.post(&format!("{import}&account={LUKE}")).unwrap(),
        403,
        "OperatorOnly",
    )
    .unwrap();
    let image = expect(calls.post(&import).unwrap(), 200).unwrap().json().unwrap();
    assert_eq!(
        (&image["state"], &image["owner"]),
        (&json!("unactivated"), &json!(VADER))
    );
    refused(calls.post(&import).unwrap(), 409, "ImageUuidAlreadyExists").unwrap();
    let file = calls
        .put(&format!("/images/{uuid}/file?source={source}"), &[], b"")
        .unwrap();
    let image = expect(file, 200).unwrap().json().unwrap();
    assert_eq!(image["files"][0]["sha1"], digests(b"from afar").sha1);
    expect(calls.activate(&uuid).unwrap(), 200).unwrap();
    assert_eq!(
        calls.get(&format!("/images/{uuid}/file")).unwrap().body,
        b"from afar"
    );

    let absent = "00000000-1111-4222-8333-444444444444";
    let none = calls
        .post(&format!("/images/{absent}?action=import&source={source}"))
        .unwrap();
    let message = refused(none, 503, "RemoteSourceError").unwrap();
    assert!(
        message.starts_with(&format!(
            "Unable to get manifest for image {absent}. Error from remote: "
        )),
        "{message}"
    );
    let other = calls.create("", &json!({})).unwrap();
    let none = calls
        .put(&format!("/images/{other}/file?source={source}"), &[], b"")
        .unwrap();
    refused(none, 503, "RemoteSourceError").unwrap();
    let from_url = format!("/images/{other}/file/from-url?compression=none");
    let mut url = |url: &str| calls.post_json(&from_url, &json!({"file_url": url})).unwrap();
    refused(url("http://127.0.0.1:1/x"), 422, "InvalidParameter").unwrap();
    let message = refused(url("https://127.0.0.1:1/x"), 400, "Download").unwrap();
    assert!(message.starts_with("Error getting image: "), "{message}");
}

#[test]
fn a_job_takes_an_image_with_its_origins() {
    let two = Two::start();
    let base = two.put(ADMIN, None, b"base");
    let middle = two.put(VADER, Some(&base), b"middle");
    let top = two.put(VADER, Some(&middle), b"top");
    let mut calls = Calls::to(&two.target).unwrap();
    let import = format!("/images/{top}?action=import-remote");
    refused(calls.post(&import).unwrap(), 422, "ValidationFailed").unwrap();
    let import = format!("{import}&source={}", two.source.url());
    refused(
        calls.post(&format!("{import}&account={LUKE}")).unwrap(),
        403,
        "OperatorOnly",
    )
    .unwrap();
    let started = calls.post(&import).unwrap();
    assert_eq!(two.wait(&mut calls, started), "");
    for (uuid, content) in [(&base, &b"base"[..]), (&middle, b"middle"), (&top, b"top")] {
        let image = expect(calls.get(&format!("/images/{uuid}")).unwrap(), 200)
            .unwrap()
            .json()
            .unwrap();
        assert_eq!(image["state"], "active");
        assert_eq!(calls.get(&format!("/images/{uuid}/file")).unwrap().body, content);
    }
    refused(calls.post(&import).unwrap(), 409, "ImageUuidAlreadyExists").unwrap();
    let jobs = calls
        .get(&format!("/images/{top}/jobs?task=import-remote-image"))
        .unwrap()
        .json()
        .unwrap();
    assert_eq!(
        (jobs.as_array().unwrap().len(), &jobs[0]["execution"]),
        (1, &json!("succeeded"))
    );
}

#[test]
fn a_datacenter_copies_what_is_the_account_s() {
    let two = Two::start();
    let base = two.put(ADMIN, None, b"base");
    let single = two.put(VADER, None, b"single");
    let middle = two.put(VADER, Some(&single), b"middle");
    let top = two.put(VADER, Some(&middle), b"top");
    let on_base = two.put(VADER, Some(&base), b"on base");
    let mut calls = Calls::to(&two.target).unwrap();
    let mut copy = |uuid: &str, query: &str| {
        let url = format!("/images/{uuid}?action=import-from-datacenter{query}");
        calls.post(&url).unwrap()
    };
    let vaders = format!("&account={VADER}&datacenter=TestDc");
    refused(copy(&single, "&datacenter=TestDc"), 422, "ValidationFailed").unwrap();
    refused(
        copy(&single, &format!("&account={VADER}")),
        422,
        "ValidationFailed",
    )
    .unwrap();
    let message = refused(
        copy(&single, &format!("&account={VADER}&datacenter=x")),
        422,
        "ValidationFailed",
    )
    .unwrap();
    assert!(message.contains("TestDc"), "{message}");
    refused(
        copy(&single, &format!("&account={VADER}&datacenter=lab-dc")),
        422,
        "ValidationFailed",
    )
    .unwrap();
    // What the other says no with is passed on.
    refused(copy(LUKE, &vaders), 404, "ResourceNotFound").unwrap();
    refused(copy(&base, &vaders), 401, "UnauthorizedError").unwrap();
    // The administrator's base must be here.
    refused(copy(&on_base, &vaders), 404, "ResourceNotFound").unwrap();

    let started = copy(&single, &vaders);
    assert_eq!(two.wait(&mut calls, started), "");
    let url = format!("/images/{single}?action=import-from-datacenter{vaders}");
    refused(calls.post(&url).unwrap(), 409, "ImageUuidAlreadyExists").unwrap();
    // What the chain ends in is here now.
    let started = calls
        .post(&format!("/images/{top}?action=import-from-datacenter{vaders}"))
        .unwrap();
    assert_eq!(two.wait(&mut calls, started), "");
    for uuid in [&top, &middle, &single] {
        let image = expect(
            calls.get(&format!("/images/{uuid}?account={VADER}")).unwrap(),
            200,
        )
        .unwrap();
        assert_eq!(image.json().unwrap()["owner"], VADER);
    }
    for uuid in [&top, &middle, &single] {
        expect(calls.delete(&format!("/images/{uuid}")).unwrap(), 204).unwrap();
    }
}
