//! The pages of the image repository: whole, readable on any screen, and with nothing on them that is not for who looks.

use super::chromium::{Chromium, program};
use super::layout;
use super::tab::Tab;
use integration::repository::{Imgapi, Repository};
use integration::repository_calls::{Calls, expect};
use integration::repository_jobs::ended;
use serde_json::{Value, json};

/// Would say so if any of it became markup; turns what follows around if it is let out of its place.
const HOSTILE: &str = "x\"'><img src=x onerror=alert(1)><script>alert(2)</script>${alert(3)}&lt; \u{202e}gpj.exe \u{2066}\u{200f}";
/// A picture of one pixel.
const ICON: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89\0\0\0\rIDATx\x9cc\xf8\xff\xff?\0\x05\xfe\x02\xfe\xa75\x81\x84\0\0\0\0IEND\xaeB`\x82";

/// Repository and browser. The order is that of their ends.
struct Stage {
    chromium: Chromium,
    daemon: Imgapi,
    /// A base, an image on it with hostile texts, one with names as long as they may be, and one that is not active.
    images: Vec<String>,
    _repository: Repository,
}

impl Stage {
    /// `None` where there is no browser; that is said aloud.
    fn set(test: &str, configuration: Value) -> Option<Self> {
        let Some(program) = program() else {
            integration::skip(test, "no chromium: apt-get install chromium");
            return None;
        };
        let repository = Repository::new(configuration).unwrap();
        let daemon = repository.start().unwrap();
        let mut calls = Calls::to(&daemon).unwrap();
        let mut images = Vec::new();
        let mut put = |fields: Value| {
            let uuid = calls.create("", &fields).unwrap();
            if fields["name"] != "secret" {
                expect(calls.add_file(&uuid, &[7; 100_000]).unwrap(), 200).unwrap();
                let icon = format!("/images/{uuid}/icon");
                expect(
                    calls.put(&icon, &[("content-type", "image/png")], ICON).unwrap(),
                    200,
                )
                .unwrap();
                expect(calls.activate(&uuid).unwrap(), 200).unwrap();
            }
            images.push(uuid.clone());
            uuid
        };
        let base = put(json!({ "name": "base", "os": "linux", "homepage": "https://example.com/base" }));
        put(json!({
            "name": "web", "version": "2.0.0", "origin": base, "description": HOSTILE, "tags": { HOSTILE: [HOSTILE] },
            "homepage": format!("https://example.com/{}", HOSTILE.replace(' ', "")), "acl": [base],
            "requirements": { "networks": [{ "name": "net0", "description": HOSTILE }] },
        }));
        put(
            json!({ "name": "n".repeat(1024), "version": "v".repeat(512), "description": "d".repeat(10_000) }),
        );
        put(json!({ "name": "secret", "description": "not for strangers" }));
        Some(Self {
            chromium: Chromium::start(program).unwrap(),
            daemon,
            images,
            _repository: repository,
        })
    }

    /// With channels, for everybody.
    fn public(test: &str) -> Option<Self> {
        let channels = json!([
            { "name": "dev", "description": HOSTILE, "default": true }, { "name": "release", "description": "for all" },
        ]);
        Self::set(
            test,
            json!({ "mode": "public", "serverName": "images", "channels": channels }),
        )
    }

    /// Of a datacenter, for its operators, with a job that failed. Image server and builder are away.
    fn datacenter(test: &str) -> Option<Self> {
        let machine = "8f2f6d3a-6f2a-4a4e-9f0b-3a8f8a2b7a11";
        let stage = Self::set(
            test,
            json!({
                "mode": "dc", "datacenterName": "here", "allowLocalCreateImageFromVm": true,
                "imageServer": "127.0.0.1:1", "imaginator": "127.0.0.1:1", "buildTargets": { machine: "some/stream" },
                "publish": [{ "stream": "users/<b>bold</b>/**", "tags": { HOSTILE: HOSTILE } }],
            }),
        )?;
        let url = format!("/images?action=create-from-vm&vm_uuid={machine}");
        let body =
            json!({ "name": "built", "version": "1", "owner": stage.images[0], "description": HOSTILE });
        let job = stage.daemon.send("POST", &url, &body).unwrap();
        let job = expect(job, 200).unwrap().json().unwrap()["job_uuid"].clone();
        assert_eq!(ended(&stage.daemon, job.as_str().unwrap())["execution"], "failed");
        Some(stage)
    }

    fn at(&self, path: &str) -> String {
        format!("{}{path}", self.daemon.url())
    }

    /// Every page there is, with something on it.
    fn pages(&self, more: &[&str]) -> Vec<String> {
        let lists = [
            "/ui",
            "/ui/images",
            "/ui/images?q=web",
            "/ui/images?q=nothing-has-this",
        ];
        let lists = lists.into_iter().chain(more.iter().copied()).map(str::to_owned);
        let images = self.images.iter().map(|uuid| format!("/ui/images/{uuid}"));
        lists.chain(images).collect()
    }
}

/// What is on the page although it came as a text.
const PLANTED: &str = "document.querySelectorAll('img:not([alt=icon]), main script, [onerror]').length";

#[test]
fn the_repositorys_pages_render_with_scripts_and_without_and_hostile_texts_are_text() {
    let name = "the_repositorys_pages_render_with_scripts_and_without_and_hostile_texts_are_text";
    let Some(stage) = Stage::public(name) else { return };
    let tab = Tab::open(&stage.chromium).unwrap();
    for scripts in [true, false] {
        tab.set_scripts(scripts);
        for page in stage.pages(&["/ui/channels", "/ui/images?channel=dev&os=linux"]) {
            let seen = tab.go(&stage.at(&page));
            assert_eq!(seen.status, 200, "{page}");
            assert!(seen.complaints.is_empty(), "{page}: {:?}", seen.complaints);
            let home = stage.at("/");
            assert!(
                seen.requests.iter().all(|request| request.starts_with(&home)),
                "{page}: {:?}",
                seen.requests
            );
            assert_eq!(tab.evaluate(PLANTED), 0, "{page}");
            assert!(
                !tab.text("h1").is_empty() && !tab.text("footer").is_empty(),
                "{page} is not whole"
            );
        }
    }
    tab.set_scripts(true);
    // What is not there, and what makes no sense, is named as well.
    let word: String = HOSTILE.bytes().map(|byte| format!("%{byte:02X}")).collect();
    for page in [
        format!("/ui/images?q={word}"),
        format!("/ui/images?name={word}&version={word}&os={word}&type={word}"),
        format!("/ui/images?channel={word}"),
        format!("/ui/images?state={word}"),
        format!("/ui/images/{word}"),
        format!("/ui/{word}"),
    ] {
        let seen = tab.go(&stage.at(&page));
        let mut unexpected = seen
            .complaints
            .iter()
            .filter(|complaint| !complaint.contains("with a status of 4"));
        assert_eq!(unexpected.next(), None, "{page}");
        assert_eq!(tab.evaluate(PLANTED), 0, "{page}");
    }
    // They were there to be seen, as text, and turn nothing around but what is beside them.
    let shown =
        || serde_json::to_string(&tab.evaluate("document.querySelector('main').textContent")).unwrap();
    tab.go(&stage.at(&format!("/ui/images/{}", stage.images[1])));
    assert!(shown().contains("<script>alert(2)</script>"), "{}", shown());
    assert_eq!(tab.text("h1"), "web 2.0.0");
    let links = tab.evaluate("[...document.querySelectorAll('main a')].map((link) => link.protocol)");
    assert!(
        links
            .as_array()
            .unwrap()
            .iter()
            .all(|protocol| protocol == "http:" || protocol == "https:"),
        "{links}"
    );
    tab.go(&stage.at("/ui/channels"));
    assert!(shown().contains("<script>alert(2)</script>"), "{}", shown());
}

#[test]
fn the_repositorys_pages_fit_a_small_screen_and_are_readable_in_light_and_dark() {
    let name = "the_repositorys_pages_fit_a_small_screen_and_are_readable_in_light_and_dark";
    let Some(stage) = Stage::public(name) else { return };
    let tab = Tab::open(&stage.chromium).unwrap();
    layout::check(&tab, &stage.pages(&["/ui/channels", "/ui/nowhere"]), |page| {
        stage.at(page)
    });
    // And on a large one words are whole, however long the names beside them are.
    tab.set_width(1200);
    tab.go(&stage.at("/ui/images"));
    let words =
        tab.evaluate("[...document.querySelectorAll('.word')].map((word) => word.getClientRects().length)");
    let words = words.as_array().unwrap();
    assert!(
        words.len() >= 9 && words.iter().all(|lines| *lines == 1),
        "{words:?}"
    );
}

/// Names in the list.
const NAMES: &str =
    "[...document.querySelectorAll('table.list tbody tr')].map((row) => row.cells[0].innerText)";

#[test]
fn strangers_find_what_everybody_may_list_and_operators_all_of_it() {
    let name = "strangers_find_what_everybody_may_list_and_operators_all_of_it";
    let (Some(public), Some(datacenter)) = (Stage::public(name), Stage::datacenter(name)) else {
        return;
    };
    for (stage, has_secret) in [(&public, false), (&datacenter, true)] {
        let tab = Tab::open(&stage.chromium).unwrap();
        tab.go(&stage.at("/ui"));
        assert_eq!(tab.text("main").contains("secret"), has_secret);
        // The field of the frame is a form: with a script and without.
        for scripts in [true, false] {
            tab.set_scripts(scripts);
            for (words, found) in [
                ("HTTPS://example.com base", json!(["base"])),
                ("strangers", json!([])),
            ] {
                tab.go(&stage.at("/ui/channels"));
                tab.go(&stage.at("/ui/images"));
                tab.evaluate("document.querySelector('form[role=search] input').focus()");
                tab.write(words);
                tab.press("Enter");
                assert_eq!(tab.loaded().status, 200);
                let found = if words == "strangers" && has_secret {
                    json!(["secret"])
                } else {
                    found
                };
                let mut names = tab.evaluate(NAMES);
                if words != "strangers"
                    && let Some(names) = names.as_array_mut()
                {
                    // The image that is based on it has the same address in its homepage.
                    names.retain(|name| name != "web");
                }
                assert_eq!(names, found, "{words}");
            }
        }
        tab.set_scripts(true);
        let links = tab.evaluate("[...document.querySelectorAll('nav a')].map((link) => link.innerText)");
        assert_eq!(
            links.as_array().unwrap().iter().any(|link| link == "jobs"),
            has_secret,
            "{links}"
        );
        let states = tab.evaluate("document.querySelectorAll('select[name=state] option').length > 1");
        assert_eq!(states, has_secret);
    }
    let tab = Tab::open(&datacenter.chromium).unwrap();
    let pages = datacenter.pages(&["/ui/jobs", "/ui/publisher", "/ui/images?state=failed"]);
    for page in &pages {
        let seen = tab.go(&datacenter.at(page));
        assert!(seen.complaints.is_empty(), "{page}: {:?}", seen.complaints);
        assert_eq!(tab.evaluate(PLANTED), 0, "{page}");
        assert_eq!(
            tab.evaluate("document.querySelectorAll('main b').length"),
            0,
            "{page}"
        );
    }
    tab.go(&datacenter.at("/ui/jobs"));
    assert!(
        tab.text("main").contains("image builder 127.0.0.1:1"),
        "{}",
        tab.text("main")
    );
    tab.go(&datacenter.at("/ui/publisher"));
    assert!(
        tab.text("main").contains("users/<b>bold</b>/**"),
        "{}",
        tab.text("main")
    );
    layout::check(&tab, &pages, |page| datacenter.at(page));
}
