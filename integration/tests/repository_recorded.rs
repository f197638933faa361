//! Conversations recorded with the original, had again with the real daemon over the network: status, headers and bodies, entity tags
//! included. What chance and the clock gave the original is put in the place of what they give us.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    unreachable_pub,
    reason = "a test: what cannot go on has failed, and nothing is exported"
)]

#[path = "../../crates/repository/tests/model/conversation.rs"]
mod conversation;
#[path = "../../crates/repository/tests/model/fixtures.rs"]
mod fixtures;

use conversation::{Exchange, Recorded, read};
use fixtures::{
    ADMIN, DELIBERATE, EMPEROR, LUKE, OWNER, SDC, VADER, by_date_and_name, list_fixtures, listed,
    order_fixtures, visibility_fixtures,
};
use integration::http_talk::Reply;
use integration::repository::{Imgapi, Repository};
use regex::Regex;
use repository::json::{self, Value};
use serde_json::json;
use std::fs;

/// Requests whose answer is not compared, by a part of their name, with the reason.
const NOT_COMPARED: &[(&str, &str)] = &[
    (
        "err-Create-bad-description",
        "its body was too long to be recorded",
    ),
    (
        "AdminGetState",
        "the original shows its caches and every record; here are their number and the names of the caches",
    ),
    (
        "docs-slash",
        "the original's documentation was not installed; here is a page",
    ),
    (
        "favicon",
        "the original's picture was not installed; here is none",
    ),
    ("GetFile-missing-on-disk", "nobody takes the file away here"),
    (
        "empty-icon",
        "the original broke the image with an empty icon; here that is refused",
    ),
    (
        "Icon-empty",
        "the original broke the image with an empty icon; here that is refused",
    ),
    (
        "AddImageFileFromUrl-refused",
        "the words of a network that refuses are another's",
    ),
    (
        "AddFile-contentlength-short",
        "the client goes away before the answer",
    ),
    (
        "ImportSource-down",
        "the original tried for longer than the recorder waited",
    ),
    (
        "AdminImportRemote",
        "jobs of the original's job service; the tests of jobs have ours",
    ),
    (
        "AdminImport-with-source",
        "wants the recorder's second repository",
    ),
    (
        "AddImageFile-with-source",
        "wants the recorder's second repository",
    ),
    (
        "ListImageJobs",
        "jobs of the original's job service; the tests of jobs have ours",
    ),
    ("x-dc", "wants the recorder's other datacenter"),
    ("GetImageFile-range", "§3.3: ranges are answered"),
    (
        "AddImageFile-toobig-contentlength",
        "compared in hostile requests: the client goes away before the answer",
    ),
];

struct Play {
    daemon: Imgapi,
    _repository: Repository,
    /// What chance gave the original, and what it gave us.
    words: Vec<(String, String)>,
    small_file: Vec<u8>,
}

#[test]
fn a_public_repository_answers_as_the_original_did() {
    run("none", json!({}), OWNER);
}

#[test]
fn a_repository_with_channels_answers_as_the_original_did() {
    let channels = json!([
        {"name": "dev", "description": "all development builds", "default": true},
        {"name": "staging", "description": "builds for testing in staging in prep for production release"},
        {"name": "release", "description": "release gold bits"},
    ]);
    run("chan", json!({ "channels": channels }), OWNER);
}

#[test]
fn odd_requests_are_answered_as_the_original_did() {
    run("edge", json!({}), OWNER);
}

#[test]
fn a_datacenter_answers_as_the_original_did() {
    let configuration = json!({
        "mode": "dc", "datacenterName": "lab-dc", "adminUuid": ADMIN, "metricsAddress": "",
        "imgapiUrlFromDatacenter": {"TestDc": "http://127.0.0.1:1"},
        "ufds": {"url": "ldap://127.0.0.1:1", "bindDN": "x", "bindPassword": "x"},
    });
    run("dc", configuration, ADMIN);
}

fn run(scenario: &str, configuration: Value, owner: &str) {
    let exchanges = read(scenario);
    let mut play = Play::new(configuration, &exchanges);
    let (mut equal, mut failures, mut is_listed) = (0, Vec::new(), false);
    let mut is_visible = false;
    for exchange in &exchanges {
        let title = exchange.name.split_once('-').unwrap().1;
        if title == "List" && !is_listed {
            is_listed = true;
            list_fixtures(&mut |method, url, body| play.unrecorded(method, url, body), owner);
        }
        if title.starts_with("Vis-List-op-None-") && !is_visible {
            is_visible = true;
            visibility_fixtures(&mut |method, url, body| play.unrecorded(method, url, body));
        }
        if title == "Order_name=o" {
            order_fixtures(&mut |method, url, body| play.unrecorded(method, url, body));
        }
        let Some(reply) = play.ask(exchange) else { continue };
        let host = exchange.request.header("host").unwrap_or_default();
        let is_left_out = NOT_COMPARED.iter().any(|(part, _)| title.contains(part));
        // The metrics have a port of their own.
        let is_compared = !is_left_out && !host.ends_with(":8881");
        match &exchange.answer {
            // Where the original died any answer that is none of a failing server is right.
            None if is_compared => assert!(reply.status < 500, "{}: {reply:?}", exchange.name),
            None => {}
            Some(recorded) => {
                play.learn(recorded, &reply);
                let differences = play.compare(exchange, recorded, &reply);
                let is_deliberate = DELIBERATE.iter().any(|(part, _)| title.contains(part));
                if differences.is_empty() {
                    equal += 1;
                } else if is_compared && !is_deliberate {
                    failures.push(format!("{}: {}", exchange.name, differences.join("; ")));
                }
            }
        }
        play.forget_unrecorded(title, &reply);
    }
    assert!(
        failures.is_empty(),
        "{equal} equal, {} are not:\n{}",
        failures.len(),
        failures.join("\n")
    );
    assert!(
        equal * 10 > exchanges.len() * 7,
        "only {equal} of {} are equal",
        exchanges.len()
    );
    assert!(play.daemon.is_running());
}

/// Bytes that stand for a body too long to be recorded; its length and SHA-1 are.
fn long_body(summary: &str) -> Option<(Vec<u8>, String)> {
    let inside = summary.strip_prefix("<<")?.strip_suffix(">>")?;
    let (length, sha1) = inside.split_once(" bytes, sha1=")?;
    let length: usize = length.parse().ok()?;
    Some((
        (0..length).map(|index| (index * 31 % 251) as u8).collect(),
        sha1.to_owned(),
    ))
}

fn sha1(bytes: &[u8]) -> String {
    digests(bytes).sha1
}

fn digests(bytes: &[u8]) -> repository::digest::Digests {
    let mut digester = repository::digest::Digester::new().unwrap();
    digester.update(bytes).unwrap();
    digester.finish().unwrap()
}

impl Play {
    fn new(configuration: Value, exchanges: &[Exchange]) -> Self {
        let mut repository = Repository::new(configuration.clone()).unwrap();
        let users = repository.path().join("users.json");
        let strangers = [
            "11111111-1111-4111-8111-111111111111",
            "22222222-2222-4222-8222-222222222222",
        ];
        let users_table = json!({
            "admin": ADMIN, "vader": VADER, "luke": LUKE, "emperor": EMPEROR, "sdc": SDC,
            "one": strangers[0], "two": strangers[1],
        });
        fs::write(&users, users_table.to_string()).unwrap();
        let mut whole = configuration;
        whole["usersFile"] = users.to_str().into();
        repository.configure(whole);
        let small = |end: &str| exchanges.iter().find(|exchange| exchange.name.ends_with(end));
        let small_file = small("-AddFile-replace-none").or_else(|| small("-AdminImport-AddImageFile"));
        Self {
            daemon: repository.start().unwrap(),
            _repository: repository,
            words: Vec::new(),
            small_file: small_file.unwrap().request.body.clone(),
        }
    }

    /// In our words.
    fn ours(&self, text: &str) -> String {
        let words = self.words.iter();
        words.fold(text.to_owned(), |text, (theirs, ours)| text.replace(theirs, ours))
    }

    /// In the original's words.
    fn theirs(&self, text: &str) -> String {
        let words = self.words.iter();
        words.fold(text.to_owned(), |text, (theirs, ours)| text.replace(ours, theirs))
    }

    fn know(&mut self, theirs: &str, ours: &str) {
        let is_known = self.words.iter().any(|(word, _)| word == theirs);
        if theirs != ours && !is_known {
            self.words.push((theirs.to_owned(), ours.to_owned()));
        }
    }

    fn unrecorded(&mut self, method: &str, url: &str, body: Option<Vec<u8>>) {
        let body = body.unwrap_or_else(|| self.small_file.clone());
        let headers = [("content-type", "application/json")];
        let reply = self.daemon.ask(method, url, &headers, &body).unwrap();
        assert_eq!(reply.status, 200, "{url}: {}", reply.text());
    }

    /// Says a recorded request in our words; nothing where the recorder did not wait for the answer.
    fn ask(&mut self, exchange: &Exchange) -> Option<Reply> {
        let request = &exchange.request;
        let mut body = request.body.clone();
        let is_chunked = request.header("transfer-encoding").is_some();
        if let Some((bytes, digest)) = std::str::from_utf8(&body).ok().and_then(long_body) {
            // In pieces it is the same file once more, with a head and an end.
            if is_chunked {
                let length = usize::from_str_radix("49424", 16).unwrap();
                body = format!("{length:x}\r\n").into_bytes();
                body.extend_from_slice(&bytes[..length]);
                body.extend_from_slice(b"\r\n0\r\n\r\n");
            } else {
                self.know(&digest, &sha1(&bytes));
                self.know(&digest.to_uppercase(), &sha1(&bytes).to_uppercase());
                body = bytes;
            }
        } else if let Ok(text) = std::str::from_utf8(&body) {
            body = self.ours(text).into_bytes();
        }
        let mut head = format!("{} {} HTTP/1.1\r\n", request.method, self.ours(&request.url));
        for (name, value) in &request.headers {
            let value = match name.as_str() {
                "Content-Length" if value.parse() == Ok(request.body.len()) => body.len().to_string(),
                _ => self.ours(value),
            };
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("\r\n");
        let mut bytes = head.into_bytes();
        bytes.extend_from_slice(&body);
        let mut talk = self.daemon.talk().unwrap();
        talk.say(&bytes).unwrap();
        let announced = request
            .header("content-length")
            .and_then(|length| length.parse::<u64>().ok());
        if announced
            .is_some_and(|length| length > request.body.len() as u64 && !request.body.starts_with(b"<<"))
            || exchange.name.ends_with("contentlength-short")
        {
            talk.finish().unwrap();
            return talk.answer_to(&request.method).ok();
        }
        Some(
            talk.answer_to(&request.method)
                .unwrap_or_else(|error| panic!("{}: {error:#}", exchange.name)),
        )
    }

    /// Takes what chance and the clock gave: times, names of new images, entity tags.
    fn learn(&mut self, recorded: &Recorded, reply: &Reply) {
        if let (Some(theirs), Some(ours)) = (recorded.header("last-modified"), reply.header("last-modified"))
        {
            self.know(theirs, ours);
        }
        let (Ok(theirs), Ok(ours)) = (json::parse(&recorded.body), json::parse(&reply.body)) else {
            return;
        };
        if recorded.status == 200 && reply.status == 200 && theirs.is_object() {
            let text = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
            if let (Some(theirs), Some(ours)) = (text(&theirs, "uuid"), text(&ours, "uuid")) {
                self.know(&theirs, &ours);
            }
            if let (Some(theirs), Some(ours)) = (recorded.header("etag"), reply.header("etag")) {
                self.know(theirs, ours);
            }
        }
    }

    fn compare(&self, exchange: &Exchange, recorded: &Recorded, reply: &Reply) -> Vec<String> {
        let mut differences = Vec::new();
        if recorded.status != reply.status {
            differences.push(format!("status {} in place of {}", reply.status, recorded.status));
        }
        for name in ["content-type", "allow", "location", "etag"] {
            let ours = reply.header(name).map(|value| self.theirs(value));
            if ours.as_deref() != recorded.header(name) {
                differences.push(format!("{name} {ours:?} in place of {:?}", recorded.header(name)));
            }
        }
        for name in ["content-md5", "last-modified", "workflow-api", "content-length"] {
            // An empty answer in pieces there has a length here.
            if recorded.header(name).is_some() && reply.header(name).is_none() {
                differences.push(format!("no {name}"));
            }
        }
        for name in [
            "server",
            "x-request-id",
            "x-response-time",
            "x-server-name",
            "date",
        ] {
            if reply.header(name).is_none() {
                differences.push(format!("no {name}"));
            }
        }
        if let (Some(etag), Ok(body)) = (reply.header("etag"), json::parse(&reply.body))
            && reply.header("content-type") == Some("application/json")
            && etag != sha1(json::compact(&body).as_bytes())
        {
            differences.push(format!("etag {etag} is not that of the body"));
        }
        let has_body = exchange.request.method != "HEAD" && recorded.header("transfer-encoding").is_none();
        if has_body && !self.is_same_body(exchange, recorded, reply) {
            let ours = self.theirs(&reply.text());
            differences.push(format!(
                "body\n{ours}\nin place of\n{}",
                String::from_utf8_lossy(&recorded.body)
            ));
        }
        differences
    }

    fn is_same_body(&self, exchange: &Exchange, recorded: &Recorded, reply: &Reply) -> bool {
        let theirs = String::from_utf8_lossy(&recorded.body).into_owned();
        if let Some((bytes, _)) = long_body(&theirs) {
            return bytes == reply.body;
        }
        if reply.header("content-type") != Some("application/json") {
            return recorded.body == reply.body;
        }
        let (mut ours, mut theirs) = (masked(&self.theirs(&reply.text())), masked(&theirs));
        let has_unpublished = ["-Vis-List-", "-List_state=all", "-List_state=unactivated"];
        if reply.status == 200 && has_unpublished.iter().any(|part| exchange.name.contains(part)) {
            // The original has no order among images that were never published; here it is that of names that chance gave.
            (ours, theirs) = (by_date_and_name(&ours), by_date_and_name(&theirs));
        }
        ours == theirs
    }

    /// What the recorder deleted without recording it.
    fn forget_unrecorded(&mut self, title: &str, reply: &Reply) {
        let is_probe =
            title.starts_with("err-Create-bad-") || title == "Create-v3" || title == "Create-public-other";
        if is_probe && reply.status == 200 {
            let body = reply.json().unwrap();
            self.daemon
                .ask(
                    "DELETE",
                    &format!("/images/{}", body["uuid"].as_str().unwrap()),
                    &[],
                    b"",
                )
                .unwrap();
        }
        if title == "Update-tags-null2" {
            // The answers that follow have the tags that the original did not clear.
            let url = "/images/11111111-1111-4111-8111-111111111111?action=update";
            self.unrecorded("POST", url, Some(br#"{"tags": {"a": "b"}}"#.to_vec()));
        }
        if title == "List-trailing-slash" {
            for index in 0..7 {
                self.daemon
                    .ask("DELETE", &format!("/images/{}", listed(index)), &[], b"")
                    .unwrap();
            }
        }
    }
}

/// Without what the clock and the operating system gave.
fn masked(text: &str) -> String {
    let dates = Regex::new(r"20(2[1-9]|[3-9]\d)-\d\d-\d\dT[\d:.]+Z").unwrap();
    let tags = Regex::new("etag '[0-9a-f]{40}'").unwrap();
    let process = Regex::new("\"pid\": [0-9]+").unwrap();
    let text = dates.replace_all(text, "DATE");
    let text = tags.replace_all(&text, "etag 'TAG'");
    process.replace_all(&text, "\"pid\": N").into_owned()
}
