//! Images of an image server as files of a repository, and files of a repository as images of an image server: the same image, two
//! doors (imgapi.md §22).
#![allow(clippy::unwrap_used, clippy::expect_used)] // A test that cannot go on should say where.

use integration::repository::{Imgapi, Repository};
use integration::repository_jobs::{bring, digests, ended, image, last_word, left, submit};
use integration::server::{Home, ImageServer};
use integration::wait::{until, until_some};
use integration::{images, whole};
use repository::publish::published;
use serde_json::{Value, json};

const NAME: &str = "debian/12/2026-11-22:18:20:00";
const FILES: &[(&str, &[u8])] = &[
    ("empty", b""),
    ("hello", b"hello world\n"),
    ("twin", b"hello world\n"),
    ("zeros", &[0; 70_000]),
];

/// An image server that takes anybody's calls, with a directory for images.
fn image_server(home: &Home) -> ImageServer {
    let server = home.start_insecure(&[]).unwrap();
    images::make_directory(&server, "debian").unwrap();
    images::make_directory(&server, "debian/12").unwrap();
    server
}

/// A repository beside it, with these keys.
fn repository(server: &ImageServer, more: Value) -> Repository {
    let mut configuration = json!({
        "mode": "public",
        "imageServer": server.address().to_string(),
    });
    for (key, value) in more.as_object().unwrap() {
        configuration[key] = value.clone();
    }
    Repository::new(configuration).unwrap()
}

fn uuid_of(name: &str) -> String {
    published(name).uuid.to_string()
}

fn publish(daemon: &Imgapi, name: &str, more: &str) -> Value {
    let name = name.replace(':', "%3A");
    let job = submit(daemon, &format!("/images?action=publish&image={name}{more}")).unwrap();
    ended(daemon, &job)
}

/// The regular files of an archive with their contents, unpacked by the system's own `tar`.
fn unpacked(archive: &[u8]) -> whole::Contents {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("archive");
    std::fs::write(&path, archive).unwrap();
    let tree = directory.path().join("tree");
    std::fs::create_dir(&tree).unwrap();
    let status = std::process::Command::new("tar")
        .args(["--no-same-owner", "-xf"])
        .arg(&path)
        .arg("-C")
        .arg(&tree)
        .status()
        .unwrap();
    assert!(status.success());
    let entries = std::fs::read_dir(&tree).unwrap().map(Result::unwrap);
    entries
        .map(|entry| {
            let name = entry.file_name().into_string().unwrap();
            (name, std::fs::read(entry.path()).unwrap())
        })
        .collect()
}

#[test]
fn an_image_is_the_same_through_two_doors_and_its_file_is_the_same_each_time() {
    let home = Home::new().unwrap();
    let server = image_server(&home);
    images::store(&server, &[b"What is new.\n"]).unwrap();
    for (name, content) in FILES {
        images::store(&server, &[content]).unwrap();
        assert!(!name.is_empty());
    }
    let described = images::described(images::image(FILES), b"What is new.\n");
    images::add(&server, NAME, described).unwrap();
    let repository = repository(&server, json!({}));
    let daemon = repository.start().unwrap();
    let uuid = uuid_of(NAME);
    for compression in ["gzip", "bzip2", "none"] {
        let job = publish(&daemon, NAME, &format!("&compression={compression}"));
        assert_eq!(job["execution"], "succeeded", "{job}");
        let manifest = image(&daemon, &uuid).unwrap().unwrap();
        assert_eq!(
            (&manifest["name"], &manifest["version"], &manifest["state"]),
            (
                &json!("debian/12"),
                &json!("2026-11-22-18-20-00"),
                &json!("active")
            )
        );
        assert_eq!(manifest["description"], "What is new.\n");
        assert_eq!(manifest["tags"]["store:image"], NAME);
        assert_eq!(manifest["tags"]["build:commit"], "0123abcd");
        let file = daemon.get(&format!("/images/{uuid}/file")).unwrap();
        let told = &manifest["files"][0];
        let found = digests(&file.body).unwrap();
        assert_eq!(
            (&told["sha1"], &told["size"], &told["compression"]),
            (&json!(found.sha1), &json!(found.size), &json!(compression))
        );
        assert_eq!(file.header("content-md5"), Some(found.md5.as_str()));
        let there = whole::fetch(&server, NAME).unwrap().unwrap();
        assert_eq!(unpacked(&file.body), there);

        // Asked for again it is the same one, and made again it has the same bytes.
        let again = publish(&daemon, NAME, "");
        assert_eq!(again["execution"], "succeeded");
        assert_eq!(image(&daemon, &uuid).unwrap().unwrap(), manifest);
        let delete = |daemon: &Imgapi| {
            daemon
                .ask("DELETE", &format!("/images/{uuid}"), &[], b"")
                .unwrap()
        };
        assert_eq!(delete(&daemon).status, 204);
        publish(&daemon, NAME, &format!("&compression={compression}"));
        assert_eq!(
            daemon.get(&format!("/images/{uuid}/file")).unwrap().body,
            file.body
        );
        assert_eq!(delete(&daemon).status, 204);
    }
}

#[test]
fn what_cannot_be_published_is_told_and_leaves_nothing() {
    let home = Home::new().unwrap();
    let server = image_server(&home);
    let repository = repository(&server, json!({}));
    let daemon = repository.start().unwrap();
    let job = publish(&daemon, "debian/12/absent", "");
    assert_eq!(job["execution"], "failed");
    assert!(last_word(&job).starts_with("ResourceNotFound"), "{job}");
    images::put(&server, NAME, FILES).unwrap();
    drop(server);
    let job = publish(&daemon, NAME, "");
    assert_eq!(job["execution"], "failed");
    assert!(last_word(&job).contains("image server"), "{job}");
    assert_eq!(left(&repository).unwrap(), Vec::<std::path::PathBuf>::new());

    let alone = Repository::new(json!({ "mode": "public" })).unwrap();
    let daemon = alone.start().unwrap();
    let refused = daemon
        .ask("POST", "/images?action=publish&image=a", &[], b"")
        .unwrap();
    assert_eq!((refused.status, refused.code().as_str()), (501, "NotAvailable"));
}

fn is_active(daemon: &Imgapi, name: &str) -> bool {
    image(daemon, &uuid_of(name))
        .unwrap()
        .is_some_and(|image| image["state"] == "active")
}

#[test]
fn images_of_a_stream_are_published_by_themselves_once_on_their_channel() {
    let home = Home::new().unwrap();
    let server = image_server(&home);
    let (old, other, new) = ("debian/12/1", "debian/12/2", "debian/12/3");
    images::put(&server, old, FILES).unwrap();
    images::make_directory(&server, "private").unwrap();
    images::put(&server, "private/1", FILES).unwrap();
    let repository = repository(
        &server,
        json!({
            "channels": [
                {"name": "dev", "description": "d", "default": true},
                {"name": "staging", "description": "s"},
            ],
            "publish": [{
                "stream": "debian/**", "channel": "staging", "compression": "none", "whenGone": "disable",
                "includeExpiring": true,
            }],
        }),
    );
    let daemon = repository.start().unwrap();
    until("what was there is published", || is_active(&daemon, old));
    images::put(&server, other, FILES).unwrap();
    until("what is added is published", || is_active(&daemon, other));
    let manifest = daemon.ask(
        "GET",
        &format!("/images/{}?channel=staging", uuid_of(other)),
        &[("accept-version", "~2")],
        b"",
    );
    assert_eq!(manifest.unwrap().json().unwrap()["channels"], json!(["staging"]));

    // Deleted here it stays so, also after a restart and for images that came meanwhile.
    let delete = format!("/images/{}?channel=staging", uuid_of(old));
    assert_eq!(daemon.ask("DELETE", &delete, &[], b"").unwrap().status, 204);
    daemon.kill().unwrap();
    images::put(&server, new, FILES).unwrap();
    let daemon = repository.start().unwrap();
    until("what came meanwhile is published", || is_active(&daemon, new));
    assert_eq!(image(&daemon, &uuid_of(old)).unwrap(), None);
    assert_eq!(image(&daemon, &uuid_of("private/1")).unwrap(), None);

    images::delete(&server, new).unwrap();
    until("what is gone there is disabled here", || {
        image(&daemon, &uuid_of(new)).unwrap().unwrap()["state"] == "disabled"
    });
    assert!(is_active(&daemon, other));
}

#[test]
fn operators_see_what_was_published_by_itself_and_why_something_was_not() {
    let home = Home::new().unwrap();
    let server = image_server(&home);
    let (good, broken) = ("debian/12/1", "debian/12/2");
    images::put(&server, good, FILES).unwrap();
    let lost = b"what the disk has lost\n";
    images::put(&server, broken, &[("lost", lost)]).unwrap();
    std::fs::remove_file(home.object(&hash::of(lost))).unwrap();
    let operators = json!({
        "mode": "dc",
        "datacenterName": "lab",
        "adminUuid": "930896af-bf8c-48d4-885c-6573a94b1853",
        "publish": [{"stream": "debian/**", "compression": "none"}],
    });
    let page = |daemon: &Imgapi, path: &str| {
        let reply = daemon.get(path).unwrap();
        (reply.status, String::from_utf8(reply.body).unwrap())
    };
    let mut repository = repository(&server, operators.clone());
    let daemon = repository.start().unwrap();
    let states = || {
        let rows: Value = serde_json::from_str(&page(&daemon, "/ui/publisher?output=json").1).unwrap();
        let rows = rows.as_array().unwrap().iter().map(|row| {
            let cell = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
            (cell("In the image server"), cell("State"), cell("Why"))
        });
        rows.collect::<Vec<_>>()
    };
    let found = until_some("both are told", || {
        let states = states();
        let has = |name: &str, state: &str| {
            let row = states.iter().find(|row| row.0 == name && row.1 == state);
            row.cloned()
        };
        has(good, "published").and(has(broken, "tried again"))
    });
    assert!(!found.2.is_empty(), "no reason");
    let (_, html) = page(&daemon, "/ui/publisher");
    for told in [server.address().to_string().as_str(), "debian/**", "following"] {
        assert!(html.contains(told), "{told}: {html}");
    }
    let (_, front) = page(&daemon, "/ui");
    assert!(
        front.contains("/ui/publisher") && front.contains("1</strong> published"),
        "{front}"
    );
    drop(server);
    until("the broken link is told", || {
        page(&daemon, "/ui/publisher").1.contains(": waiting.")
    });

    // Where everybody may look it is nobody's business.
    daemon.kill().unwrap();
    let mut open = operators;
    open["mode"] = "public".into();
    open["imageServer"] = "127.0.0.1:1".into();
    repository.configure(open);
    let daemon = repository.start().unwrap();
    let (status, html) = page(&daemon, "/ui/publisher");
    assert!(status == 403 && !html.contains("debian"), "{status}: {html}");
}

const UPLOADED: &str = "11111111-1111-4111-8111-111111111111";

/// The name in the image server that an image here is linked to.
fn link(daemon: &Imgapi, uuid: &str) -> Option<String> {
    let image = image(daemon, uuid).unwrap()?;
    image["tags"]["store:image"].as_str().map(str::to_owned)
}

#[test]
fn a_root_file_system_that_was_uploaded_becomes_an_image_of_the_image_server_once() {
    let home = Home::new().unwrap();
    let server = image_server(&home);
    images::put(&server, NAME, FILES).unwrap();
    let repository = repository(&server, json!({ "takeIn": {"directory": "uploads"} }));
    let daemon = repository.start().unwrap();
    publish(&daemon, NAME, "&compression=xz");
    let archive = daemon
        .get(&format!("/images/{}/file", uuid_of(NAME)))
        .unwrap()
        .body;

    bring(&daemon, UPLOADED, None, &archive).unwrap();
    let take_in = |uuid: &str| {
        let job = submit(&daemon, &format!("/images/{uuid}?action=take-in")).unwrap();
        ended(&daemon, &job)
    };
    for _ in 0..2 {
        let job = take_in(UPLOADED);
        assert_eq!(job["execution"], "succeeded", "{job}");
        assert_eq!(link(&daemon, UPLOADED).as_deref(), Some("uploads/some/1"));
    }
    assert_eq!(
        whole::fetch(&server, "uploads/some/1").unwrap(),
        whole::fetch(&server, NAME).unwrap()
    );
    // What came from there goes nowhere, and what came from here is not published as another image.
    take_in(&uuid_of(NAME));
    assert_eq!(link(&daemon, &uuid_of(NAME)).as_deref(), Some(NAME));
    let job = publish(&daemon, "uploads/some/1", "");
    assert_eq!(job["execution"], "succeeded");
    assert_eq!(image(&daemon, &uuid_of("uploads/some/1")).unwrap(), None);
    let mut names = images::names(&server).unwrap();
    names.sort();
    assert_eq!(names, [NAME, "uploads/some/1"]);

    // The same name and version, other bytes: another image.
    let second = UPLOADED
        .replace('1', "2")
        .replace("-4222-", "-4111-")
        .replace("-8222-", "-8111-");
    bring(&daemon, &second, None, &archive).unwrap();
    take_in(&second);
    assert_eq!(link(&daemon, &second), Some(format!("uploads/some/1.{second}")));
}

#[test]
fn a_file_that_is_no_root_file_system_stays_an_image_here_and_becomes_none_there() {
    let home = Home::new().unwrap();
    let server = image_server(&home);
    let automatic = json!({ "takeIn": {"directory": "uploads", "automatic": true} });
    let repository = repository(&server, automatic);
    let daemon = repository.start().unwrap();
    bring(&daemon, UPLOADED, None, b"no archive at all").unwrap();
    let jobs = format!("/images/{UPLOADED}/jobs?task=take-in-image");
    let job = until_some("the job that takes it in fails", || {
        let jobs = daemon.get(&jobs).ok()?.json().ok()?;
        jobs.as_array()?
            .iter()
            .find(|job| job["execution"] == "failed")
            .cloned()
    });
    assert!(last_word(&job).starts_with("NotSupported"), "{job}");
    let kept = image(&daemon, UPLOADED).unwrap().unwrap();
    assert_eq!((&kept["state"], kept.get("tags")), (&json!("active"), None));
    assert_eq!(images::names(&server).unwrap(), Vec::<String>::new());
}

#[test]
fn a_publication_that_a_kill_cut_off_is_finished_after_the_restart_and_leaves_nothing_else() {
    let home = Home::new().unwrap();
    let server = image_server(&home);
    let large: Vec<u8> = (0..6_000_000_u64)
        .map(|at| (at.wrapping_mul(at) >> 9) as u8)
        .collect();
    images::put(&server, NAME, &[("large", &large)]).unwrap();
    let repository = repository(&server, json!({}));
    let daemon = repository.start().unwrap();
    let name = NAME.replace(':', "%3A");
    let job = submit(
        &daemon,
        &format!("/images?action=publish&image={name}&compression=xz"),
    )
    .unwrap();
    until("it has begun", || !left(&repository).unwrap().is_empty());
    daemon.kill().unwrap();
    let daemon = repository.start().unwrap();
    let job = ended(&daemon, &job);
    assert_eq!(job["execution"], "succeeded", "{job}");
    let file = daemon.get(&format!("/images/{}/file", uuid_of(NAME))).unwrap();
    assert_eq!(unpacked(&file.body)["large"], large);
    let files: Vec<String> = left(&repository)
        .unwrap()
        .iter()
        .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
        .collect();
    assert_eq!(files, ["file0".to_owned(), format!("{}.raw", uuid_of(NAME))]);
}
