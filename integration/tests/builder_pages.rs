//! The image builder's pages (`imaginator-web.md`): what existing readers and scripts look for, on a real builder after real builds.

// Helpers stand outside the test functions, where the usual leave to unwrap does not reach.
#![allow(clippy::unwrap_used)]

use integration::imaginator::{ADMINISTRATOR, BOOTSTRAP, Imaginator, Workplace, lacks_root};
use integration::wait::until;
use serde_json::{Value, json};

/// A table of the status page.
fn rows(daemon: &Imaginator, table: &str) -> Vec<Value> {
    let json = daemon.body(&format!("/?table={table}&output=json"));
    serde_json::from_str::<Value>(&json)
        .unwrap()
        .as_array()
        .unwrap()
        .clone()
}

fn contains(page: &str, path: &str, all: &[&str]) {
    for text in all {
        assert!(page.contains(text), "{text} is not on {path}: {page}");
    }
}

#[test]
fn the_status_page_tells_what_is_built_what_failed_and_what_went_well() {
    if lacks_root("the_status_page_tells_what_is_built_what_failed_and_what_went_well") {
        return;
    }
    let mut workplace = Workplace::new().unwrap();
    let failing = [("scripts/fail", "#! /bin/sh\nexit 3\n")];
    workplace
        .add_stream("users/failing", BOOTSTRAP, &failing)
        .unwrap();
    workplace
        .add_waiting_stream("users/waiting", BOOTSTRAP, "waits", "goes on")
        .unwrap();
    workplace
        .configure(|configuration| configuration["ImageStreamsToAutoRebuild"] = json!(["users/waiting"]))
        .unwrap();
    let daemon = workplace
        .start(&[
            "-maximumConcurrentBuilds=1",
            "-presentationImageServerHostname=images.example",
            "-autoRebuildBootstrapStreams=false",
        ])
        .unwrap();
    let image = workplace.built(&daemon, BOOTSTRAP).unwrap();
    assert_ne!(workplace.build(&daemon, "users/failing").unwrap().code, 0);
    let running = workplace.begin(ADMINISTRATOR, &daemon, "users/waiting").unwrap();
    until("the build runs", || rows(&daemon, "building").len() == 1);
    let queued = workplace.begin(ADMINISTRATOR, &daemon, BOOTSTRAP).unwrap();
    until("the other waits", || rows(&daemon, "queue").len() == 1);
    let page = daemon.body("/");
    let port = workplace.images.server.port;
    contains(
        &page,
        "/",
        &[
            "<h1>imaginator status page</h1>",
            "Number of image streams: <a href=\"/showImageStreams\">3</a>",
            "<a href=\"/showDirectedGraph\">Image stream relationships</a>",
            &format!("Image server: <a href=\"http://127.0.0.1:{port}/\">"),
            "Current image builds",
            "<a href=\"/showCurrentBuildLog?users/waiting#bottom\">log</a>",
            // Rebuilt automatically, so bold.
            "<b><a href=\"/showImageStream?users/waiting\">users/waiting</a></b>",
            "Waiting",
            "the only place is taken; it is next",
            "Failed image builds <small class=\"faint\">(last at: ",
            "error processing manifest: error running script: fail: exit status 3",
            "<a href=\"/showLastBuildLog?users/failing\">log</a>",
            "Successful image builds",
            &format!("<a href=\"http://images.example:{port}/showImage?{image}\">{image}</a>"),
            "<a href=\"/showBuildLogArchive\">Build log archive</a>",
            ":6910/\">health agent",
            "href=\"/metrics\"",
            "Logs: <a href=\"/logs\">",
            "<footer>made",
        ],
    );
    assert!(!page.contains("disabled until"), "{page}");
    let good = rows(&daemon, "good");
    assert_eq!(good[0]["Name"], image);
    assert_eq!(rows(&daemon, "queue")[0]["Turn"], 1);
    assert_eq!(daemon.page("/nothing-here").unwrap().0, 404);
    workplace.go_on().unwrap();
    assert_eq!(running.end().unwrap().code, 0);
    assert_eq!(queued.end().unwrap().code, 0);
    until("nothing is being built", || rows(&daemon, "building").is_empty());
    assert!(daemon.body("/").contains("Nothing is being built."));
}

#[test]
fn build_requests_that_are_disabled_are_told_on_the_status_page() {
    if lacks_root("build_requests_that_are_disabled_are_told_on_the_status_page") {
        return;
    }
    let workplace = Workplace::new().unwrap();
    let daemon = workplace.start(&[]).unwrap();
    let status = workplace
        .tool(ADMINISTRATOR, daemon.port, &["disable-build-requests"])
        .unwrap()
        .status()
        .unwrap();
    assert!(status.success());
    let page = daemon.body("/");
    assert!(page.contains("Build requests disabled until "), "{page}");
}

/// Pages, all of which have something on them in `the_value_of_a_secret_is_on_no_page_and_in_no_log`.
fn all_pages(stream: &str) -> Vec<String> {
    let mut pages: Vec<String> = [
        "/",
        "/?table=failed&output=json",
        "/showImageStreams",
        "/showImageStreams?output=csv",
        "/showDirectedGraph",
        "/showBuildLogArchive",
        "/showAllBuilds",
        "/showErrorBuilds",
        "/searchBuildLogs?q=clon",
        "/logs",
        "/metrics/",
        "/metrics?format=text",
        "/dashboards",
    ]
    .map(str::to_owned)
    .into();
    for page in ["showImageStream", "showLastBuildLog", "showStreamAllBuilds"] {
        pages.push(format!("/{page}?{stream}"));
    }
    pages
}

#[test]
fn the_value_of_a_secret_is_on_no_page_and_in_no_log() {
    if lacks_root("the_value_of_a_secret_is_on_no_page_and_in_no_log") {
        return;
    }
    let mut workplace = Workplace::new().unwrap();
    let variables = workplace.path().join("variables");
    std::fs::write(
        &variables,
        "PASSWORD=hush-hush-very-secret\nPLACE=secret-directory\n",
    )
    .unwrap();
    // Nobody listens there: git says so, with the URL it was given.
    let url = "http://user:$PASSWORD@127.0.0.1:1/$PLACE.git";
    workplace
        .set_stream(
            "users/secret",
            json!({ "ManifestUrl": url, "ManifestDirectory": "$PLACE/$IMAGE_STREAM" }),
        )
        .unwrap();
    let daemon = workplace
        .start(&[&format!("-variablesFile={}", variables.display())])
        .unwrap();
    let outcome = workplace.build(&daemon, "users/secret").unwrap();
    assert_ne!(outcome.code, 0);
    let page = daemon.body("/showImageStream?users/secret");
    contains(
        &page,
        "the stream's page",
        &[
            "http://user:$PASSWORD@127.0.0.1:1/$PLACE.git",
            "The manifest cannot be had: ",
            "/users/secret",
        ],
    );
    for path in all_pages("users/secret") {
        let page = daemon.body(&path);
        for secret in ["hush-hush", "secret-directory"] {
            assert!(!page.contains(secret), "{path}: {page}");
        }
    }
    assert!(!daemon.log_text().contains("hush-hush"), "{}", daemon.log_text());
}

#[test]
fn streams_are_listed_and_shown_with_what_they_are_made_from() {
    if lacks_root("streams_are_listed_and_shown_with_what_they_are_made_from") {
        return;
    }
    let mut workplace = Workplace::new().unwrap();
    let files = [("package-list", "vim\n"), ("tags.json", "{\"role\": \"web\"}")];
    workplace.add_stream("users/web", BOOTSTRAP, &files).unwrap();
    let url = format!("dir://{}", workplace.manifest("users").display());
    let stream = json!({
        "ManifestUrl": url,
        "ManifestDirectory": "${IMAGE_STREAM[/-1:]}",
        "BuilderUsers": ["fred"],
        "BuilderGroups": ["builders"],
        "Variables": { "COLOUR": "green" },
    });
    workplace.set_stream("users/web", stream).unwrap();
    let daemon = workplace.start(&[]).unwrap();
    let names = daemon.body("/showImageStreams?output=text");
    assert_eq!(names, format!("{BOOTSTRAP}\nusers/web\n"));
    let list = daemon.body("/showImageStreams");
    contains(
        &list,
        "/showImageStreams",
        &[
            "ManifestUrl",
            "${IMAGE_STREAM[/-1:]}",
            "data-label=\"Expanded ManifestDirectory\">web<",
        ],
    );
    let page = daemon.body("/showImageStream?users/web");
    contains(
        &page,
        "the user stream",
        &[
            "fred",
            "builders",
            "COLOUR",
            "green",
            "vim",
            "role",
            "Manifest tree size",
            "Copying manifest tree: ",
        ],
    );
    assert!(
        page.contains(&format!(
            "SourceImage</dt><dd><a href=\"/showImageStream?{BOOTSTRAP}\">"
        )),
        "{page}"
    );
    let page = daemon.body(&format!("/showImageStream?{BOOTSTRAP}"));
    contains(
        &page,
        "the bootstrap stream",
        &[
            "Bootstrap command",
            "cp\n-aT\n",
            "/etc/hostname",
            "Packager type: test",
            "#! /bin/sh",
            "export TEST_PACKAGES=1",
            "multiplier",
        ],
    );
    assert!(
        daemon
            .body("/showImageStream?nobody/knows")
            .contains("Stream: nobody/knows does not exist!")
    );
}

#[test]
fn logs_are_shown_while_a_build_runs_afterwards_and_from_the_archive() {
    if lacks_root("logs_are_shown_while_a_build_runs_afterwards_and_from_the_archive") {
        return;
    }
    let mut workplace = Workplace::new().unwrap();
    workplace
        .add_waiting_stream("users/waiting", BOOTSTRAP, "it waits", "it goes on")
        .unwrap();
    let daemon = workplace.start(&[]).unwrap();
    workplace.built(&daemon, BOOTSTRAP).unwrap();
    assert!(
        daemon
            .body("/showCurrentBuildLog?users/waiting")
            .contains("unknown image: users/waiting")
    );
    assert!(
        daemon
            .body("/showLastBuildLog?users/waiting")
            .contains("unknown image: users/waiting")
    );
    let building = workplace.begin(ADMINISTRATOR, &daemon, "users/waiting").unwrap();
    let current = || daemon.body("/showCurrentBuildLog?users/waiting");
    until("its log is shown", || current().contains("it waits\n"));
    let page = current();
    contains(
        &page,
        "the current log",
        &[
            "<meta http-equiv=\"refresh\" content=\"2\">",
            "id=\"bottom\"",
            "being built",
            "scripts",
            "<pre class=\"log",
        ],
    );
    assert!(!page.contains("it goes on"));
    workplace.go_on().unwrap();
    let image = building.end().unwrap().out.trim().to_owned();
    until("it has ended", || {
        daemon
            .body("/showLastBuildLog?users/waiting")
            .contains("it goes on\n")
    });
    let page = daemon.body("/showLastBuildLog?users/waiting");
    assert!(
        !page.contains("http-equiv=\"refresh\"") && page.contains("requested by administrator"),
        "{page}"
    );
    until("it is in the archive", || {
        daemon.page(&format!("/showBuildLog?{image}")).unwrap().0 == 200
    });
    let answer = daemon
        .request("GET", &format!("/showBuildLog?{image}"), &[], "")
        .unwrap();
    assert!(
        answer.head.contains("content-type: text/plain"),
        "{}",
        answer.head
    );
    assert!(answer.body.contains("it waits\nit goes on\n"), "{}", answer.body);
    for path in [
        "/showBuildLog?users/waiting/none",
        "/showBuildLog?../../etc/passwd",
        "/showBuildLog?/etc/passwd",
        "/showBuildLog",
    ] {
        assert_eq!(daemon.page(path).unwrap().0, 404, "{path}");
    }
    let page = daemon.body(&format!("/build?{image}"));
    assert!(
        page.contains("it goes on") && page.contains("fetch manifest"),
        "{page}"
    );
    let found = daemon.body(&format!("/build?{image}&q=GOES"));
    assert!(
        found.contains("1 of ") && found.contains("it goes on") && !found.contains(">it waits"),
        "{found}"
    );
}

#[test]
fn the_archive_is_counted_listed_and_searched() {
    if lacks_root("the_archive_is_counted_listed_and_searched") {
        return;
    }
    let mut workplace = Workplace::new().unwrap();
    let failing = [("scripts/fail", "#! /bin/sh\necho needle in a haystack\nexit 3\n")];
    workplace
        .add_stream("users/failing", BOOTSTRAP, &failing)
        .unwrap();
    let daemon = workplace.start(&[]).unwrap();
    let image = workplace.built(&daemon, BOOTSTRAP).unwrap();
    workplace.build(&daemon, "users/failing").unwrap();
    until("both are in the archive", || {
        daemon.body("/showAllBuilds?output=text").lines().count() == 2
    });
    let counts: Value = serde_json::from_str(&daemon.body("/showBuildLogArchive?output=json")).unwrap();
    let told: Vec<(&str, &str)> = counts
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            (
                row["Image Stream"].as_str().unwrap(),
                row["Num Builds"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(told, [(BOOTSTRAP, "1"), ("users/failing", "1"), ("TOTAL", "2")]);
    contains(
        &daemon.body("/showBuildLogArchive"),
        "/showBuildLogArchive",
        &[
            "<a href=\"/showStreamErrorBuilds?users/failing\">1</a>",
            "<a href=\"/showGoodBuilds\">1</a>",
            "<a href=\"/showRequestorAllBuilds?administrator\">2</a>",
        ],
    );
    let names = |path: &str| daemon.body(&format!("{path}output=text"));
    assert_eq!(names("/showGoodBuilds?"), format!("{image}\n"));
    assert!(names("/showErrorBuilds?").starts_with("users/failing/"));
    assert_eq!(
        names(&format!("/showStreamGoodBuilds?{BOOTSTRAP}&")),
        format!("{image}\n")
    );
    assert_eq!(
        names("/showRequestorGoodBuilds?administrator&"),
        format!("{image}\n")
    );
    let page = daemon.body("/showErrorBuilds");
    contains(
        &page,
        "/showErrorBuilds",
        &[
            "build log archive (bad)",
            "exit status 3",
            "showBuildLog?users/failing/",
        ],
    );
    let good = daemon.body("/showGoodBuilds");
    assert!(
        good.contains("build log archive (good)") && !good.contains(">Error<"),
        "{good}"
    );
    for path in [
        "/showStreamAllBuilds?nobody/knows",
        "/showRequestorAllBuilds?nobody",
    ] {
        assert_eq!(daemon.page(path).unwrap().0, 404, "{path}");
    }
    let found = daemon.body("/searchBuildLogs?q=NEEDLE&output=text");
    assert!(
        found.starts_with("users/failing/") && found.contains(":needle in a haystack"),
        "{found}"
    );
    assert_eq!(daemon.body("/searchBuildLogs?q=nothing-has-this&output=text"), "");
    let page = daemon.body("/searchBuildLogs?q=needle");
    assert!(page.contains("<h2><a href=\"/build?users/failing/"), "{page}");
}

#[test]
fn without_an_archive_its_pages_are_not_there() {
    if lacks_root("without_an_archive_its_pages_are_not_there") {
        return;
    }
    let workplace = Workplace::new().unwrap();
    let daemon = workplace.start(&["-buildLogDir="]).unwrap();
    for path in [
        "/showBuildLogArchive",
        "/showAllBuilds",
        "/showStreamAllBuilds?x",
        "/showBuildLog?x/y",
        "/searchBuildLogs?q=x",
    ] {
        assert_eq!(daemon.page(path).unwrap().0, 404, "{path}");
    }
    assert!(!daemon.body("/").contains("Build log archive"));
}

#[test]
fn the_figures_of_the_builder_are_there_for_machines_and_over_time() {
    if lacks_root("the_figures_of_the_builder_are_there_for_machines_and_over_time") {
        return;
    }
    let workplace = Workplace::new().unwrap();
    let daemon = workplace.start(&[]).unwrap();
    workplace.built(&daemon, BOOTSTRAP).unwrap();
    until("it is counted", || {
        daemon
            .body("/metrics/builder?format=text")
            .contains("/builder/num-good 1\n")
    });
    let all = daemon.body("/metrics/?format=text");
    contains(
        &all,
        "/metrics",
        &[
            "/proc/flags/imageRebuildInterval",
            "/srpc/server/Imaginator/BuildImage/num-permitted-calls 1",
            "/srpc/server/num-connections",
        ],
    );
    assert!(daemon.body("/metrics").contains("imaginator_builds_total"));
    assert!(daemon.body("/metricsapi/").starts_with('['));
    let page = daemon.body("/dashboards");
    contains(
        &page,
        "/dashboards",
        &[
            "Builds",
            "Longest wait in the queue",
            "Duration of the last build",
        ],
    );
}
