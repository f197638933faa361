//! Pages that change something, and the graph: who may, and from where (`imaginator-web.md §4`).

// Helpers stand outside the test functions, where the usual leave to unwrap does not reach.
#![allow(clippy::unwrap_used)]

use integration::imaginator::{ADMINISTRATOR, BOOTSTRAP, Imaginator, Workplace, lacks_root};
use integration::wait::until;
use serde_json::Value;
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

/// Far more than anything here takes; only what is broken reaches it.
const PATIENCE: Duration = Duration::from_secs(90);

/// The number of the build that runs, once one does.
fn running(daemon: &Imaginator) -> String {
    let mut number = String::new();
    until("a build runs", || {
        let rows: Value = serde_json::from_str(&daemon.body("/?table=building&output=json")).unwrap();
        number = rows[0]["Build log"]
            .as_str()
            .unwrap_or_default()
            .replace("/build?", "");
        !number.is_empty()
    });
    number
}

/// What has a token or its proof in it is.
fn is_stored_by_nobody(head: &str) -> bool {
    head.lines().any(|line| line == "cache-control: no-store")
}

#[test]
fn what_changes_something_takes_a_token_and_a_page_of_our_own() {
    if lacks_root("what_changes_something_takes_a_token_and_a_page_of_our_own") {
        return;
    }
    let mut workplace = Workplace::new().unwrap();
    workplace
        .add_waiting_stream("users/waiting", BOOTSTRAP, "waits", "goes on")
        .unwrap();
    let daemon = workplace.start(&[]).unwrap();
    workplace.built(&daemon, BOOTSTRAP).unwrap();
    let building = workplace.begin(ADMINISTRATOR, &daemon, "users/waiting").unwrap();
    let number = running(&daemon);
    let token = workplace.page_token(ADMINISTRATOR, &daemon).unwrap();
    let cancel = |headers: &[(&str, &str)], fields: &[(&str, &str)]| {
        let all = [&[("build", number.as_str())], fields].concat();
        daemon.post("/cancelBuild", headers, &all).unwrap()
    };
    let cookie = format!("other=1; imaginator-page-token={token}");
    // Nothing, a wrong one, the cookie alone, a foreign page with a good one.
    assert_eq!(cancel(&[], &[]).status, 403);
    assert_eq!(cancel(&[], &[("token", "guess")]).status, 403);
    assert_eq!(cancel(&[("Cookie", &cookie)], &[]).status, 403);
    assert_eq!(
        cancel(&[("Cookie", &cookie)], &[("proof", "0".repeat(64).as_str())]).status,
        403
    );
    for origin in ["http://evil.example", "null", "http://localhost:1"] {
        assert_eq!(
            cancel(&[("Origin", origin)], &[("token", &token)]).status,
            403,
            "{origin}"
        );
    }
    assert_eq!(
        cancel(&[("Sec-Fetch-Site", "cross-site")], &[("token", &token)]).status,
        403
    );
    assert_eq!(
        daemon.page("/cancelBuild").unwrap().0,
        404,
        "looking at it changes nothing"
    );
    let path = format!("/build?{number}");
    assert!(daemon.body(&path).contains("being built"));
    // Who has no token finds the command.
    contains(
        &daemon.body(&path),
        &[&format!("builder-tool cancel {number}"), "name=\"token\""],
    );
    // Who has one finds a form that works.
    let answer = daemon.request("GET", &path, &[("Cookie", &cookie)], "").unwrap();
    assert!(is_stored_by_nobody(&answer.head), "{}", answer.head);
    let page = answer.body;
    let without = daemon.request("GET", &path, &[], "").unwrap();
    assert!(!is_stored_by_nobody(&without.head), "{}", without.head);
    let style = daemon
        .request("GET", "/assets/page.css", &[("Cookie", &cookie)], "")
        .unwrap();
    assert_eq!(style.status, 200);
    assert!(!is_stored_by_nobody(&style.head), "the same for everybody");
    assert!(
        !page.contains("name=\"token\"") && page.contains("You act as <b>administrator</b>"),
        "{page}"
    );
    let proof = page
        .split("name=\"proof\" value=\"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    let answer = cancel(
        &[("Cookie", &cookie), ("Origin", "http://localhost")],
        &[("proof", proof)],
    );
    assert_eq!(answer.status, 303, "{}", answer.body);
    assert!(is_stored_by_nobody(&answer.head), "it sets the cookie");
    assert!(
        answer.head.contains(&format!("location: /build?{number}")),
        "{}",
        answer.head
    );
    contains(
        &answer.head,
        &[
            "set-cookie: imaginator-page-token=",
            "httponly",
            "samesite=strict",
        ],
    );
    assert_ne!(building.end().unwrap().code, 0);
    until("it is cancelled", || daemon.body(&path).contains("cancelled"));
    assert_eq!(
        cancel(&[], &[("token", &token)]).status,
        409,
        "there is nothing to be cancelled any more"
    );
}

fn contains(page: &str, all: &[&str]) {
    for text in all {
        assert!(page.contains(text), "{text} is not in {page}");
    }
}

#[test]
fn builds_are_asked_for_and_switched_off_by_pages_as_by_methods() {
    if lacks_root("builds_are_asked_for_and_switched_off_by_pages_as_by_methods") {
        return;
    }
    let workplace = Workplace::new().unwrap();
    let daemon = workplace.start(&[]).unwrap();
    let token = workplace.page_token(ADMINISTRATOR, &daemon).unwrap();
    let post = |path: &str, fields: &[(&str, &str)]| {
        let all = [&[("token", token.as_str())], fields].concat();
        daemon.post(path, &[], &all).unwrap()
    };
    let answer = post(
        "/buildNow",
        &[("stream", BOOTSTRAP), ("expires_in", "3600"), ("branch", "")],
    );
    assert_eq!(answer.status, 303, "{}", answer.body);
    let location = answer
        .head
        .split("location: ")
        .nth(1)
        .unwrap()
        .lines()
        .next()
        .unwrap();
    until("it was built", || {
        daemon.body(location).contains("</span> built</span>")
    });
    assert!(daemon.body(location).contains("requested by administrator"));
    assert_eq!(
        post("/buildNow", &[("stream", "nobody/knows"), ("expires_in", "3600")]).status,
        409
    );
    assert_eq!(post("/disableBuildRequests", &[("seconds", "300")]).status, 303);
    assert!(daemon.body("/").contains("Build requests disabled until "));
    assert_eq!(
        post("/buildNow", &[("stream", BOOTSTRAP), ("expires_in", "3600")]).status,
        409
    );
    assert_eq!(post("/disableBuildRequests", &[("seconds", "0")]).status, 303);
    assert!(!daemon.body("/").contains("Build requests disabled until "));
    assert_eq!(post("/disableAutoBuilds", &[("seconds", "300")]).status, 303);
    assert!(daemon.body("/").contains("Automatic rebuilds disabled until "));
    assert_eq!(post("/disableAutoBuilds", &[("seconds", "0")]).status, 303);
    assert_eq!(post("/startAutoBuilds", &[]).status, 303);
    until("a round has ended", || {
        daemon.body("/").contains("started by administrator")
    });
    assert_eq!(daemon.post("/startAutoBuilds", &[], &[]).unwrap().status, 403);
}

#[test]
fn a_log_is_followed_from_the_byte_that_was_seen_last_to_its_end() {
    if lacks_root("a_log_is_followed_from_the_byte_that_was_seen_last_to_its_end") {
        return;
    }
    let mut workplace = Workplace::new().unwrap();
    workplace
        .add_waiting_stream("users/waiting", BOOTSTRAP, "it waits", "it goes on")
        .unwrap();
    let daemon = workplace.start(&[]).unwrap();
    workplace.built(&daemon, BOOTSTRAP).unwrap();
    let building = workplace.begin(ADMINISTRATOR, &daemon, "users/waiting").unwrap();
    let number = running(&daemon);
    let mut first = follow(&daemon, &number, None);
    let (mut seen, mut last) = (String::new(), String::new());
    while !seen.contains("it waits") {
        let line = first.next().unwrap();
        if let Some(id) = line.strip_prefix("id: ") {
            last = id.to_owned();
        }
        seen += &line;
    }
    drop(first);
    workplace.go_on().unwrap();
    let rest: Vec<String> = follow(&daemon, &number, Some(&last)).collect();
    let text = rest.join("\n");
    assert!(!text.contains("it waits"), "what was seen comes again: {text}");
    contains(&text, &["it goes on", "event: part", "Uploaded users/waiting/"]);
    let last_event = rest.iter().rfind(|line| line.starts_with("event: ")).unwrap();
    assert_eq!(last_event, "event: end", "{text}");
    assert_eq!(building.end().unwrap().code, 0);
    // Whoever was away meanwhile gets what he has missed, and the end.
    let late: Vec<String> = follow(&daemon, &number, Some(&last)).collect();
    contains(&late.join("\n"), &["it goes on", "event: end"]);
    assert_eq!(daemon.page("/build/follow?999").unwrap().0, 404);
}

/// Lines of a stream of events.
fn follow(daemon: &Imaginator, number: &str, last: Option<&str>) -> impl Iterator<Item = String> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, daemon.port)).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let header = last
        .map(|last| format!("Last-Event-ID: {last}\r\n"))
        .unwrap_or_default();
    write!(
        stream,
        "GET /build/follow?{number} HTTP/1.0\r\nHost: localhost\r\n{header}\r\n"
    )
    .unwrap();
    let lines = BufReader::new(stream).lines().map(Result::unwrap);
    lines.skip_while(|line| !line.is_empty()).skip(1)
}

#[test]
fn the_graph_is_drawn_filtered_and_made_again() {
    if lacks_root("the_graph_is_drawn_filtered_and_made_again") {
        return;
    }
    let mut workplace = Workplace::new().unwrap();
    workplace.add_stream("users/web", BOOTSTRAP, &[]).unwrap();
    workplace.add_stream("users/web/front", "users/web", &[]).unwrap();
    workplace.add_stream("users/lost", "nobody/knows", &[]).unwrap();
    workplace
        .configure(|configuration| {
            configuration["ImageStreamsToAutoRebuild"] = serde_json::json!(["users/web"]);
            configuration["RelationshipsQuickLinks"] =
                serde_json::json!([{ "Name": "web only", "URL": "?include=users/web" }]);
        })
        .unwrap();
    let daemon = workplace.start(&["-autoRebuildBootstrapStreams=false"]).unwrap();
    until("it was made", || {
        daemon.body("/showDirectedGraph").contains("Data generated at: ")
    });
    let answer = daemon
        .request("POST", "/showDirectedGraph?include=users/web", &[], "")
        .unwrap();
    assert_eq!(answer.status, 302);
    assert!(
        answer
            .head
            .contains("location: /showdirectedgraph?include=users/web"),
        "{}",
        answer.head
    );
    let foreign = [("Origin", "http://other.example.org")];
    let answer = daemon
        .request("POST", "/showDirectedGraph", &foreign, "")
        .unwrap();
    assert_eq!(answer.status, 403, "a page of another site has it made");
    let dot = daemon.body("/showDirectedGraph?output=dot");
    let edges = format!(
        "digraph all {{\n  \"users/lost\" -> \"nobody/knows\"\n  \"users/web\" -> \"{BOOTSTRAP}\"\n  \"users/web/front\" -> \"users/web\"\n"
    );
    assert!(dot.starts_with(&edges), "{dot}");
    contains(
        &dot,
        &[
            "  \"nobody/knows\" [fontcolor=red]\n",
            "  \"users/web\" [style=bold]\n",
        ],
    );
    let told = workplace
        .tool(ADMINISTRATOR, daemon.port, &["get-digraph"])
        .unwrap()
        .output()
        .unwrap();
    assert_eq!(
        String::from_utf8(told.stdout).unwrap().trim_end(),
        dot.trim_end(),
        "as the tool tells it"
    );
    let page = daemon.body("/showDirectedGraph");
    contains(
        &page,
        &[
            "<svg ",
            "web only",
            "href=\"/showDirectedGraph?include=users/web\"",
            "<a href=\"/showImageStream?users/web/front\">",
            "Fetch log",
        ],
    );
    let left = daemon.body("/showDirectedGraph?output=dot&exclude=users/web&exclude=users/lost");
    assert!(!left.contains("->"), "{left}");
    let text = daemon.body("/showDirectedGraph?output=text&include=users/web/front");
    assert_eq!(
        text.lines()
            .map(str::trim_start)
            .map(|line| line.split(' ').next().unwrap())
            .collect::<Vec<_>>(),
        [BOOTSTRAP, "users/web", "users/web/front"]
    );
    assert!(
        daemon
            .body("/showDirectedGraph?output=svg")
            .starts_with("<svg xmlns=")
    );
    until("the data grow old, and can be made again", || {
        daemon.body("/showDirectedGraph").contains("Regenerate")
    });
}
