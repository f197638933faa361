//! The pages of the image repository say what the API says to everybody, for people.
#![allow(clippy::unwrap_used, reason = "a test: what cannot go on has failed")]

use integration::repository::{Imgapi, Repository};
use integration::stored_image;
use serde_json::{Value, json};

const BASE: &str = "c58161c0-2547-41e2-a75e-9fdca1940570";
const WEB: &str = "8ba6d20f-6013-4944-9d69-929ebdef45a2";
const HIDDEN: &str = "3e6ebb8c-bb37-4245-ba5d-43d172461be6";

/// A base, an image on it with a text that means something in HTML, and one that is not active.
fn three_images(repository: &Repository) {
    let put =
        |uuid: &str, fields: Value| stored_image::put(repository, uuid, b"what is in it\n", &fields).unwrap();
    put(BASE, json!({ "channels": ["dev", "release"] }));
    put(
        WEB,
        json!({
            "name": "web", "version": "2.0.0", "description": "Serves & <b>serves</b>", "origin": BASE,
            "channels": ["dev"], "published_at": "2014-01-01T00:00:00.000Z", "os": "linux",
        }),
    );
    put(
        HIDDEN,
        json!({ "name": "secret", "state": "unactivated", "activated": false, "channels": ["dev"] }),
    );
}

fn page(daemon: &Imgapi, path: &str) -> String {
    let reply = daemon.get(path).unwrap();
    let body = String::from_utf8(reply.body.clone()).unwrap();
    assert_eq!(reply.status, 200, "{path}: {body}");
    body
}

fn contains(page: &str, all: &[&str]) {
    for text in all {
        assert!(page.contains(text), "{text} is not in {page}");
    }
}

#[test]
fn pages_show_what_everybody_may_list_and_nothing_else() {
    let channels = json!([{ "name": "dev", "description": "for the brave", "default": true }, { "name": "release", "description": "for all" }]);
    let repository = Repository::new(json!({ "mode": "public", "channels": channels })).unwrap();
    three_images(&repository);
    let daemon = repository.start().unwrap();

    let front = page(&daemon, "/ui");
    contains(
        &front,
        &[
            "<strong>2</strong> images",
            "/ui/assets/page.css",
            "for the brave",
            "web",
        ],
    );
    assert!(!front.contains("secret") && !front.contains("Actors"), "{front}");
    assert_eq!(daemon.get("/ui/assets/page.css").unwrap().status, 200);

    // Newest first, and as JSON for programs.
    let list: Value = serde_json::from_str(&page(&daemon, "/ui/images?output=json")).unwrap();
    let names: Vec<&str> = list
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["Name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["web", "base"]);
    for (query, count) in [
        ("q=SERVES", 1),
        ("q=base+serves", 0),
        ("channel=release", 1),
        ("os=linux&name=base", 0),
        ("state=unactivated", 0),
    ] {
        let list = page(&daemon, &format!("/ui/images?output=json&{query}"));
        assert_eq!(
            serde_json::from_str::<Value>(&list)
                .unwrap()
                .as_array()
                .unwrap()
                .len(),
            count,
            "{query}: {list}"
        );
    }
    contains(&page(&daemon, "/ui/images?q=nobody"), &["No image is like that"]);

    let image = page(&daemon, &format!("/ui/images/{WEB}"));
    contains(
        &image,
        &[
            "Serves &amp; &lt;b&gt;serves&lt;/b&gt;",
            "Based on",
            &format!("/ui/images/{BASE}"),
            "sha1sum -c",
            "</span> active</span>",
            "channel=dev",
        ],
    );
    contains(
        &page(&daemon, &format!("/ui/images/{BASE}")),
        &["Images based on it", WEB],
    );
    contains(&page(&daemon, "/ui/channels"), &["for all", "channel=release"]);
}

#[test]
fn what_is_not_there_is_said_in_words_and_what_is_not_the_viewers_as_well() {
    let repository = Repository::new(json!({ "mode": "public" })).unwrap();
    let daemon = repository.start().unwrap();
    contains(&page(&daemon, "/ui/images"), &["There are no images yet"]);
    for (path, status, said) in [
        ("/ui/images/nonsense", 404, "does not exist"),
        (
            "/ui/images/c58161c0-2547-41e2-a75e-9fdca1940570",
            404,
            "not found",
        ),
        ("/ui/images?state=lost", 422, "invalid state"),
        ("/ui/jobs", 403, "jobs are their users"),
        ("/ui/nowhere", 404, "404 page not found"),
    ] {
        let reply = daemon.get(path).unwrap();
        let body = String::from_utf8(reply.body.clone()).unwrap();
        assert_eq!(reply.status, status, "{path}: {body}");
        assert!(body.contains(said), "{path}: {body}");
    }
    assert_eq!(daemon.ask("POST", "/ui/images", &[], b"").unwrap().status, 404);
}

#[test]
fn images_that_are_hidden_from_strangers_are_hidden_on_pages_too() {
    let repository = Repository::new(json!({ "mode": "public", "hideInactiveImages": true })).unwrap();
    let put = |uuid: &str, fields: Value| {
        stored_image::put(&repository, uuid, b"what is in it\n", &fields).unwrap()
    };
    put(
        HIDDEN,
        json!({ "name": "secret", "state": "unactivated", "activated": false }),
    );
    put(
        BASE,
        json!({ "name": "gone", "state": "disabled", "disabled": true }),
    );
    put(WEB, json!({ "name": "web", "origin": BASE }));
    let daemon = repository.start().unwrap();
    for uuid in [HIDDEN, BASE] {
        let reply = daemon.get(&format!("/ui/images/{uuid}")).unwrap();
        let body = String::from_utf8(reply.body.clone()).unwrap();
        assert_eq!(reply.status, 404, "{body}");
        assert!(!body.contains("secret") && !body.contains("gone"), "{body}");
    }
    let web = page(&daemon, &format!("/ui/images/{WEB}"));
    assert!(web.contains(BASE) && !web.contains("gone"), "{web}");
}

#[test]
fn a_stranger_cannot_make_pages_name_another_server() {
    let repository = Repository::new(json!({ "mode": "public" })).unwrap();
    let daemon = repository.start().unwrap();
    let forwarded = [
        ("x-forwarded-host", "evil.example.com"),
        ("forwarded", "host=evil.example.com"),
    ];
    let reply = daemon.ask("GET", "/ui/images", &forwarded, b"").unwrap();
    let body = String::from_utf8(reply.body.clone()).unwrap();
    assert!(
        body.contains("imgapi-cli --url") && !body.contains("evil"),
        "{body}"
    );
}

#[test]
fn in_a_datacenter_pages_show_images_of_all_states_jobs_and_actors() {
    let repository = Repository::new(json!({ "mode": "dc", "datacenterName": "here" })).unwrap();
    let fields = json!({ "name": "secret", "state": "unactivated", "activated": false });
    stored_image::put(&repository, HIDDEN, b"what is in it\n", &fields).unwrap();
    let daemon = repository.start().unwrap();
    contains(&page(&daemon, "/ui"), &["secret", "Actors", "running", "Jobs"]);
    contains(&page(&daemon, "/ui/jobs"), &["There have been no jobs"]);
}
