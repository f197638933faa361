//! What the original answered, answered again: status, headers and body to the byte, entity tags included.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    unreachable_pub,
    reason = "a test: what cannot go on has failed, and nothing is exported"
)]

mod model;

use model::conversation::{Exchange, Request, read};
use model::fixtures::{
    ADMIN, DELIBERATE, EMPEROR, LUKE, OWNER, SDC, VADER, by_date_and_name, list_fixtures, listed,
    order_fixtures, visibility_fixtures, visible,
};
use model::server::field;
use model::{Answer, Minted, Model};
use repository::channels::Channels;
use repository::json::{self, Value};
use repository::manifest::Mode;
use repository::{Uuid, dates};
use serde_json::json;
use std::collections::BTreeSet;
use std::time::SystemTime;

/// Requests that want what this crate lacks: a network, a store that fails, pages, jobs.
const ELSEWHERE: &[&str] = &[
    // Its body was too long to be recorded.
    "err-Create-bad-description",
    "AdminGetState",
    "docs-slash",
    "favicon",
    "metrics",
    "AdminImportRemoteImage",
    "AdminImport-with-source",
    "AddImageFile-with-source",
    "AdminImportRemote-",
    "ListImageJobs",
    "GetFile-missing-on-disk",
    "AddImageFileFromUrl-refused",
    "Docker-import",
    "Lxd-import",
    "empty-icon",
    "Icon-empty",
];

fn none() -> BTreeSet<&'static str> {
    run("none", Model::new(Mode::Public, Channels::default()), OWNER)
}

fn chan() -> BTreeSet<&'static str> {
    let channels = json!([
        {"name": "dev", "description": "all development builds", "default": true},
        {"name": "staging", "description": "builds for testing in staging in prep for production release"},
        {"name": "release", "description": "release gold bits"},
    ]);
    run(
        "chan",
        Model::new(Mode::Public, Channels::new(Some(&channels)).unwrap()),
        OWNER,
    )
}

fn edge() -> BTreeSet<&'static str> {
    run("edge", Model::new(Mode::Public, Channels::default()), OWNER)
}

fn dc() -> BTreeSet<&'static str> {
    let mut model = Model::new(Mode::Datacenter, Channels::default());
    let strangers = [
        "11111111-1111-4111-8111-111111111111",
        "22222222-2222-4222-8222-222222222222",
    ];
    let owners = [ADMIN, VADER, LUKE, EMPEROR, SDC].into_iter().chain(strangers);
    model.owners = owners.filter_map(Uuid::parse).collect();
    model.admin = Uuid::parse(ADMIN);
    run("dc", model, ADMIN)
}

#[test]
fn a_public_repository_answers_as_the_original_did() {
    none();
}

#[test]
fn a_repository_with_channels_answers_as_the_original_did() {
    chan();
}

#[test]
fn odd_requests_are_answered_as_the_original_did() {
    edge();
}

#[test]
fn a_datacenter_answers_as_the_original_did() {
    dc();
}

#[test]
fn every_difference_that_is_listed_as_deliberate_is_one() {
    let seen: BTreeSet<&str> = [none(), chan(), edge(), dc()].into_iter().flatten().collect();
    let listed: BTreeSet<&str> = DELIBERATE.iter().map(|(part, _)| *part).collect();
    assert_eq!(seen, listed);
}

/// Runs a scenario; gives which of the deliberate differences were seen.
fn run(scenario: &str, mut model: Model, owner: &str) -> BTreeSet<&'static str> {
    let mut seen = BTreeSet::new();
    let exchanges = read(scenario);
    let small_file = exchanges
        .iter()
        .find(|exchange| exchange.name.ends_with("-AddFile-replace-none"));
    let small_file = small_file.or(exchanges
        .iter()
        .find(|exchange| exchange.name.ends_with("-AdminImport-AddImageFile")));
    model.small_file = small_file.unwrap().request.body.clone();
    let mut failures = Vec::new();
    let mut equal = 0;
    let mut is_listed = false;
    for exchange in &exchanges {
        let name = exchange.name.as_str();
        let title = name.split_once('-').unwrap().1;
        if title == "List" && !is_listed {
            is_listed = true;
            list_fixtures(
                &mut |method, url, body| unrecorded(&mut model, method, url, body),
                owner,
            );
        }
        if title.starts_with("Vis-List-op-None-") && !model.records.contains_key(&visible(1)) {
            visibility_fixtures(&mut |method, url, body| unrecorded(&mut model, method, url, body));
        }
        if title == "Order_name=o" {
            order_fixtures(&mut |method, url, body| unrecorded(&mut model, method, url, body));
        }
        let answer = model.answer(&exchange.request, minted(exchange));
        let differences = compare(exchange, &answer);
        let deliberate = DELIBERATE
            .iter()
            .map(|(part, _)| *part)
            .find(|part| title.contains(part));
        let is_elsewhere = ELSEWHERE.iter().any(|part| title.contains(part));
        match &exchange.answer {
            // Where the original died any answer that is none of a failing server is right.
            None => assert!(answer.status < 500, "{name}: {}", answer.status),
            Some(_) if is_elsewhere => {}
            Some(_) if deliberate.is_some() && !differences.is_empty() => seen.extend(deliberate),
            Some(_) if differences.is_empty() => equal += 1,
            Some(_) => failures.push(format!("{name}: {}", differences.join("; "))),
        }
        forget_unrecorded(&mut model, title, &answer);
    }
    assert!(
        failures.is_empty(),
        "{} equal, these are not:\n{}",
        equal,
        failures.join("\n")
    );
    assert!(
        equal * 10 > exchanges.len() * 7,
        "only {equal} of {} are compared",
        exchanges.len()
    );
    seen
}

/// What the recorder deleted without recording it.
fn forget_unrecorded(model: &mut Model, title: &str, answer: &Answer) {
    let is_probe =
        title.starts_with("err-Create-bad-") || title == "Create-v3" || title == "Create-public-other";
    if is_probe && answer.status == 200 {
        let body = json::parse(&answer.body).unwrap();
        model.forget(Uuid::parse(field(&body, "uuid").unwrap()).unwrap());
    }
    if title == "Update-tags-null2" {
        // The answers that follow have the tags that the original did not clear.
        let url = "/images/11111111-1111-4111-8111-111111111111?action=update";
        post(model, "POST", url, br#"{"tags": {"a": "b"}}"#.to_vec());
    }
    if title == "List-trailing-slash" {
        (0..7).for_each(|index| model.forget(listed(index)));
    }
}

/// What came of chance and of the clock.
fn minted(exchange: &Exchange) -> Minted {
    let recorded = exchange.answer.as_ref();
    let body = recorded
        .and_then(|answer| json::parse(&answer.body).ok())
        .unwrap_or(Value::Null);
    let modified = recorded.and_then(|answer| answer.header("last-modified"));
    let now = field(&body, "published_at")
        .or(modified)
        .or(recorded.and_then(|answer| answer.header("date")));
    let random: [u8; 16] =
        std::array::from_fn(|index| exchange.name.as_bytes().get(index % 8).copied().unwrap_or(7));
    Minted {
        uuid: field(&body, "uuid")
            .and_then(Uuid::parse)
            .unwrap_or(Uuid::from_random(random)),
        now: now.and_then(dates::parse).unwrap_or(SystemTime::UNIX_EPOCH),
    }
}

fn compare(exchange: &Exchange, answer: &Answer) -> Vec<String> {
    let Some(recorded) = &exchange.answer else {
        return Vec::new();
    };
    let mut differences = Vec::new();
    if recorded.status != answer.status {
        differences.push(format!(
            "status {} in place of {}",
            answer.status, recorded.status
        ));
    }
    for name in ["etag", "content-type", "allow", "location"] {
        let ours = answer
            .headers
            .iter()
            .find(|(other, _)| *other == name)
            .map(|(_, value)| value.as_str());
        if ours != recorded.header(name) {
            differences.push(format!("{name} {ours:?} in place of {:?}", recorded.header(name)));
        }
    }
    let (mut ours, mut theirs) = (masked(&answer.body), masked(&recorded.body));
    if exchange.name.contains("-Vis-List-") {
        // The original has no order among images that were never published.
        (ours, theirs) = (by_date_and_name(&ours), by_date_and_name(&theirs));
    }
    // Answers to HEAD have no body; those in pieces were recorded with their heads.
    let has_body = exchange.request.method != "HEAD" && recorded.header("transfer-encoding").is_none();
    if has_body && ours != theirs {
        differences.push(format!("body\n{ours}\nin place of\n{theirs}"));
    }
    differences
}

fn masked(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body).into_owned();
    let lines = text.split('\n').map(|line| {
        if line.starts_with("  \"pid\": ") {
            "  \"pid\": N"
        } else {
            line
        }
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Asks the model for what was not recorded; without a body the small file is sent.
fn unrecorded(model: &mut Model, method: &str, url: &str, body: Option<Vec<u8>>) {
    let body = body.unwrap_or_else(|| model.small_file.clone());
    post(model, method, url, body);
}

fn post(model: &mut Model, method: &str, url: &str, body: Vec<u8>) {
    let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    let request = Request {
        method: method.to_owned(),
        url: url.to_owned(),
        headers,
        body,
    };
    let answer = model.answer(
        &request,
        Minted {
            uuid: Uuid::NIL,
            now: SystemTime::UNIX_EPOCH,
        },
    );
    assert_eq!(
        answer.status,
        200,
        "{url}: {}",
        String::from_utf8_lossy(&answer.body)
    );
}
