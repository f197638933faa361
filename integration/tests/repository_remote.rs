//! Images of other repositories, taken by jobs: over bad lines, from bad sources, through kills (imgapi.md §13.3).
#![allow(clippy::unwrap_used, clippy::expect_used)] // A test that cannot go on should say where.

use integration::cut_proxy::{CutProxy, Fault};
use integration::repository::{Imgapi, Repository};
use integration::repository_jobs::{
    bring, bring_as, digests, ended, image, last_word, left, manifest, submit,
};
use integration::scripted_web::{Request, ScriptedWeb};
use integration::wait::until;
use serde_json::json;
use std::io::Write;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

const IMAGE: &str = "11111111-1111-4111-8111-111111111111";
const PARENT: &str = "22222222-2222-4222-8222-222222222222";
const GRANDPARENT: &str = "33333333-3333-4333-8333-333333333333";

/// Bytes that do not repeat in a way that would hide a piece put in the wrong place.
fn content(length: usize) -> Vec<u8> {
    (0..length as u64)
        .map(|at| (at.wrapping_mul(at) >> 7) as u8)
        .collect()
}

fn open() -> Repository {
    Repository::new(json!({ "mode": "public" })).unwrap()
}

fn import(daemon: &Imgapi, source: &str) -> String {
    let url = format!("/images/{IMAGE}?action=import-remote&source={source}");
    submit(daemon, &url).unwrap()
}

#[test]
fn what_an_image_is_based_on_comes_first_and_all_of_it_is_as_it_was() {
    let (from, to) = (open(), open());
    let (source, daemon) = (from.start().unwrap(), to.start().unwrap());
    let files = [
        (GRANDPARENT, content(10)),
        (PARENT, content(20_000)),
        (IMAGE, content(3_000_000)),
    ];
    let mut origin = None;
    for (uuid, file) in &files {
        bring(&source, uuid, origin, file).unwrap();
        origin = Some(*uuid);
    }
    let job = ended(&daemon, &import(&daemon, &source.url()));
    assert_eq!(job["execution"], "succeeded", "{job}");
    let steps: Vec<&str> = job["chain_results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| step["name"].as_str().unwrap())
        .collect();
    assert_eq!(
        steps,
        [
            "origin_import_images",
            "import_image",
            "add_image_file",
            "activate_image"
        ]
    );
    // The words of the original's job, which some read to people.
    let results: Vec<&str> = job["chain_results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| step["result"].as_str().unwrap())
        .collect();
    assert_eq!(
        results,
        [
            "Image origins have been imported".to_owned(),
            format!("Image {IMAGE} created"),
            format!("Image {IMAGE} file added"),
            format!("Image {IMAGE} activated"),
        ]
    );
    for (uuid, file) in &files {
        let (here, there) = (
            image(&daemon, uuid).unwrap().unwrap(),
            image(&source, uuid).unwrap().unwrap(),
        );
        assert_eq!(here, there);
        assert_eq!(daemon.get(&format!("/images/{uuid}/file")).unwrap().body, *file);
    }
    let again = format!("/images/{IMAGE}?action=import-remote&source={}", source.url());
    let refused = daemon.ask("POST", &again, &[], b"").unwrap();
    assert_eq!(
        (refused.status, refused.code().as_str()),
        (409, "ImageUuidAlreadyExists")
    );
}

#[test]
fn a_line_that_stays_broken_fails_the_job_which_leaves_nothing_and_may_be_asked_for_again() {
    let (from, to) = (open(), open());
    let (source, daemon) = (from.start().unwrap(), to.start().unwrap());
    let file = content(4_000_000);
    bring(&source, IMAGE, None, &file).unwrap();
    let proxy = CutProxy::new(source.address(), Fault::CutToClient(2_500_000)).unwrap();
    let job = ended(
        &daemon,
        &import(&daemon, &format!("http://127.0.0.1:{}", proxy.port())),
    );
    // Cut once it stays cut: the job fails, and leaves nothing.
    assert_eq!(job["execution"], "failed");
    assert_eq!(left(&to).unwrap(), Vec::<std::path::PathBuf>::new());
    let job = ended(&daemon, &import(&daemon, &source.url()));
    assert_eq!(job["execution"], "succeeded", "{job}");
    assert_eq!(daemon.get(&format!("/images/{IMAGE}/file")).unwrap().body, file);
}

#[test]
fn a_file_that_is_not_what_its_manifest_says_is_refused_and_nothing_is_left_not_even_origins() {
    let (from, to) = (open(), open());
    let (source, daemon) = (from.start().unwrap(), to.start().unwrap());
    bring(&source, PARENT, None, &content(100)).unwrap();
    bring(&source, IMAGE, Some(PARENT), &content(100_000)).unwrap();
    let path = from
        .base()
        .join("images")
        .join(&IMAGE[..3])
        .join(IMAGE)
        .join("file0");
    let mut damaged = content(100_000);
    damaged[50_000] ^= 1;
    std::fs::write(path, damaged).unwrap();
    let job = ended(&daemon, &import(&daemon, &source.url()));
    assert_eq!(job["execution"], "failed");
    let said = last_word(&job);
    assert!(said.starts_with("Download: ") && said.contains("sha1"), "{said}");
    assert_eq!(left(&to).unwrap(), Vec::<std::path::PathBuf>::new());
    assert_eq!(image(&daemon, PARENT).unwrap(), None);
}

/// A source with one image whose manifest is `manifest`, and whose file `file` answers.
fn source(
    manifest: serde_json::Value,
    file: impl Fn(&Request, &mut TcpStream) + Send + Sync + 'static,
) -> ScriptedWeb {
    ScriptedWeb::new(move |request, connection| {
        if request.url.split('?').next().unwrap().ends_with("/file") {
            file(request, connection);
            return;
        }
        let body = manifest.to_string();
        let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close";
        let _ = write!(
            connection,
            "{head}\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
    })
    .unwrap()
}

/// The manifest of [`IMAGE`] with a file of those bytes.
fn with_file(file: &[u8]) -> serde_json::Value {
    let digests = digests(file).unwrap();
    let mut manifest = manifest(IMAGE, None);
    manifest["state"] = "active".into();
    manifest["files"] = json!([{ "sha1": digests.sha1, "size": digests.size, "compression": "none" }]);
    manifest
}

#[test]
fn a_manifest_of_another_image_is_not_believed() {
    let to = open();
    let daemon = to.start().unwrap();
    let mut other = with_file(b"x");
    other["uuid"] = PARENT.into();
    let web = source(other, |_, _| {});
    let url = format!("/images/{IMAGE}?action=import-remote&source={}", web.url());
    let reply = daemon.ask("POST", &url, &[], b"").unwrap();
    if reply.status == 200 {
        let job = ended(&daemon, reply.json().unwrap()["job_uuid"].as_str().unwrap());
        assert_eq!(job["execution"], "failed", "{job}");
    } else {
        assert_eq!(reply.status, 503, "{reply:?}");
    }
    assert_eq!(left(&to).unwrap(), Vec::<std::path::PathBuf>::new());
}

#[test]
fn a_file_without_end_ends_at_the_length_that_was_announced() {
    let to = open();
    let daemon = to.start().unwrap();
    let sent = Arc::new(AtomicUsize::new(0));
    let counted = sent.clone();
    let web = source(with_file(&content(1000)), move |_, connection| {
        let _ = connection.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n");
        let chunk = [b"10000\r\n".as_slice(), &[7; 0x10000], b"\r\n"].concat();
        while connection.write_all(&chunk).is_ok() {
            counted.fetch_add(0x10000, Ordering::SeqCst);
        }
    });
    let job = ended(&daemon, &import(&daemon, &web.url()));
    assert_eq!(job["execution"], "failed", "{job}");
    // What sockets hold, for each of the attempts.
    assert!(sent.load(Ordering::SeqCst) < 200 << 20, "{sent:?}");
    assert_eq!(left(&to).unwrap(), Vec::<std::path::PathBuf>::new());
}

#[test]
fn nobody_inside_is_asked_because_somebody_outside_says_so() {
    let to = open();
    let daemon = to.start().unwrap();
    let was_asked = Arc::new(AtomicBool::new(false));
    let asked = was_asked.clone();
    let inside = ScriptedWeb::new(move |_, _| asked.store(true, Ordering::SeqCst)).unwrap();
    let target = inside.url();
    let web = source(with_file(&content(1000)), move |_, connection| {
        let _ = write!(
            connection,
            "HTTP/1.1 302 Found\r\nlocation: {target}/secret\r\ncontent-length: 0\r\n\r\n"
        );
    });
    let job = ended(&daemon, &import(&daemon, &web.url()));
    assert_eq!(job["execution"], "failed");
    assert!(!was_asked.load(Ordering::SeqCst));
    assert_eq!(left(&to).unwrap(), Vec::<std::path::PathBuf>::new());
}

#[test]
fn an_import_that_a_kill_cut_off_goes_on_where_it_was_after_the_restart() {
    const SIZE: usize = 2_000_000;
    const FIRST: usize = 1_500_000;
    let to = open();
    let daemon = to.start().unwrap();
    let file = Arc::new(content(SIZE));
    let (first_part_sent, is_open) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let served = Arc::new(AtomicUsize::new(0));
    let web = {
        let (file, sent, gate, served) = (
            file.clone(),
            first_part_sent.clone(),
            is_open.clone(),
            served.clone(),
        );
        let sha1 = digests(&file).unwrap().sha1;
        source(with_file(&file.clone()), move |request, connection| {
            let start = request.header("range").and_then(|range| {
                let range = range.strip_prefix("bytes=")?;
                range.strip_suffix('-')?.parse::<usize>().ok()
            });
            let from = start.unwrap_or(0);
            let status = if start.is_some() {
                "206 Partial Content"
            } else {
                "200 OK"
            };
            let range = format!("bytes {from}-{}/{SIZE}", SIZE - 1);
            let _ = write!(
                connection,
                "HTTP/1.1 {status}\r\ncontent-length: {}\r\ncontent-range: {range}\r\netag: {sha1}\r\n\r\n",
                SIZE - from
            );
            let middle = if gate.load(Ordering::SeqCst) { SIZE } else { FIRST };
            if connection.write_all(&file[from..middle.max(from)]).is_err() {
                return;
            }
            served.fetch_add(middle.saturating_sub(from), Ordering::SeqCst);
            sent.store(true, Ordering::SeqCst);
            if middle < SIZE {
                // Stands still till the other side is gone.
                let _ = std::io::Read::read(connection, &mut [0]);
            }
        })
    };
    let job = import(&daemon, &web.url());
    let partial = repository::layout::upload(repository::Uuid::parse(IMAGE).unwrap(), 0, "resume");
    let partial = to.base().join(partial);
    until("most of the file is here", || {
        std::fs::metadata(&partial).is_ok_and(|file| file.len() > FIRST as u64 / 2)
    });
    daemon.kill().unwrap();
    is_open.store(true, Ordering::SeqCst);
    served.store(0, Ordering::SeqCst);
    let daemon = to.start().unwrap();
    let job = ended(&daemon, &job);
    assert_eq!(job["execution"], "succeeded", "{job}");
    assert_eq!(daemon.get(&format!("/images/{IMAGE}/file")).unwrap().body, *file);
    assert!(first_part_sent.load(Ordering::SeqCst));
    let again = served.load(Ordering::SeqCst);
    assert!(
        again < SIZE / 2 + SIZE / 8,
        "{again} bytes were fetched after the restart"
    );
}

#[test]
fn an_account_copies_its_image_with_what_it_is_based_on_to_the_datacenter_that_asks() {
    const OWNER: &str = "86055c40-2547-11e2-8a6b-4bb37edc84ba";
    const OTHER: &str = "91ba0e64-2547-11e2-a972-df579e5fddb3";
    let west = Repository::new(json!({ "mode": "dc", "datacenterName": "west" })).unwrap();
    let source = west.start().unwrap();
    let east = Repository::new(json!({
        "mode": "dc",
        "datacenterName": "east",
        "imgapiUrlFromDatacenter": {"west": source.url(), "east": "http://127.0.0.1:1"},
    }));
    let east = east.unwrap();
    let daemon = east.start().unwrap();
    let mut origin = None;
    for (uuid, owner) in [(GRANDPARENT, OTHER), (PARENT, OWNER), (IMAGE, OWNER)] {
        let mut manifest = manifest(uuid, origin);
        manifest["owner"] = owner.into();
        manifest["public"] = false.into();
        bring_as(&source, &manifest, &content(5000)).unwrap();
        origin = Some(uuid);
    }
    let copy = |account: &str, datacenter: &str| {
        let url = format!(
            "/images/{IMAGE}?action=import-from-datacenter&account={account}&datacenter={datacenter}"
        );
        daemon.ask("POST", &url, &[], b"").unwrap()
    };
    assert_eq!(copy(OWNER, "east").status, 422);
    assert_eq!(copy(OWNER, "north").status, 422);
    // Not to be seen by who is not its owner.
    assert_eq!(copy(OTHER, "west").status, 404);
    // Its origin is another's, and not here.
    let refused = copy(OWNER, "west");
    assert_eq!(refused.status, 404, "{refused:?}");
    let mut grandparent = manifest(GRANDPARENT, None);
    grandparent["owner"] = OTHER.into();
    bring_as(&daemon, &grandparent, &content(5000)).unwrap();
    let started = copy(OWNER, "west");
    assert_eq!(started.status, 200, "{started:?}");
    let job = ended(&daemon, started.json().unwrap()["job_uuid"].as_str().unwrap());
    assert_eq!(job["execution"], "succeeded", "{job}");
    for uuid in [PARENT, IMAGE] {
        let (here, there) = (
            image(&daemon, uuid).unwrap().unwrap(),
            image(&source, uuid).unwrap().unwrap(),
        );
        assert_eq!(here, there);
        assert_eq!(here["owner"], OWNER);
    }
    assert_eq!(copy(OWNER, "west").status, 409);
}

#[test]
fn what_is_fetched_comes_from_hosts_that_the_configuration_names() {
    let from = open();
    let source = from.start().unwrap();
    bring(&source, IMAGE, None, b"content").unwrap();
    let limited = |host: &str| Repository::new(json!({ "mode": "public", "sourceHosts": [host] })).unwrap();
    let elsewhere = limited("updates.example.com");
    let daemon = elsewhere.start().unwrap();
    for action in ["import-remote", "import"] {
        let url = format!("/images/{IMAGE}?action={action}&source={}", source.url());
        let reply = daemon.send("POST", &url, &json!({})).unwrap();
        let said = String::from_utf8_lossy(&reply.body);
        assert!(said.contains("not among sourceHosts"), "{action}: {said}");
    }
    // The same with a host that is named; and who asks for the job is not told with which password.
    let here = limited("127.0.0.1");
    let daemon = here.start().unwrap();
    let address = source.url().replace("://", "://me:secret@");
    let job = ended(&daemon, &import(&daemon, &address));
    assert_eq!(job["execution"], "succeeded", "{job}");
    assert_eq!(job["params"]["source"], source.url());
    assert!(!job.to_string().contains("secret"), "{job}");
}
