//! Asking for builds: the conversation of `Imaginator.BuildImage`, who may, what is told (`builder-tool.md`).

// Helpers stand outside the test functions, where the usual leave to unwrap does not reach.
#![allow(clippy::unwrap_used)]

use integration::imaginator::{ADMINISTRATOR, BOOTSTRAP, Workplace, lacks_root};
use integration::wait::until;
use protocol::imaginator::{BuildImageRequest, BuildImageResponse};
use serde_json::{Value, json};
use std::fs;
use std::io::BufRead;
use std::process::Command;
use std::time::{Duration, Instant};

/// Far more than anything here takes.
const PATIENCE: Duration = Duration::from_secs(60);

#[test]
fn a_build_is_asked_for_followed_and_published() {
    if lacks_root("a_build_is_asked_for_followed_and_published") {
        return;
    }
    let mut workplace = Workplace::new().unwrap();
    workplace
        .add_stream(
            "users/small",
            BOOTSTRAP,
            &[(
                "scripts/10-hello",
                "#!/bin/sh\necho hello from a script; echo built >/built\n",
            )],
        )
        .unwrap();
    let daemon = workplace.start(&[]).unwrap();
    let outcome = workplace.build(&daemon, "users/small").unwrap();
    assert_eq!(outcome.code, 0, "{}\n{}", outcome.err, daemon.log_text());
    assert!(outcome.out.starts_with("users/small/"), "{}", outcome.out);
    // And of nobody else: what enters a sandbox is the daemon's own program, started again, and must not go on as that.
    let script = "Running script: 10-hello\nhello from a script\nScript: 10-hello took ";
    assert!(outcome.err.contains(script), "{}", outcome.err);
    assert!(!outcome.err.contains("certificate"), "{}", outcome.err);
    let first = outcome.err.lines().next().unwrap();
    assert!(first.starts_with("Start of build log ="), "{first}");
    assert!(
        outcome
            .err
            .contains(&format!("Building: users/small for: {ADMINISTRATOR}\n"))
    );
    let last = outcome.err.lines().last().unwrap();
    assert!(last.starts_with("End of build log ="), "{last}");
    assert_eq!(daemon.stop().unwrap(), Some(0));
}

/// As a user, in JSON.
async fn json_client(workplace: &Workplace, user: &str, port: u16) -> srpc::Client {
    let certificates = workplace.images.certificates(user);
    let credentials = srpc::tls::load_directory(&certificates).unwrap();
    let options = srpc::ConnectOptions {
        coder: Some(srpc::Coder::Json),
        unix_upgrade: false,
        ..srpc::ConnectOptions::new(format!("127.0.0.1:{port}")).with_tls(credentials)
    };
    srpc::Client::connect(&options).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_that_speak_json_build_follow_the_log_and_take_a_build_with_them_if_they_ask() {
    if lacks_root("clients_that_speak_json_build_follow_the_log_and_take_a_build_with_them_if_they_ask") {
        return;
    }
    let mut workplace = Workplace::new().unwrap();
    workplace
        .add_waiting_stream("users/waiting", BOOTSTRAP, "it waits", "goes on")
        .unwrap();
    let daemon = workplace.start(&[]).unwrap();
    workplace.built(&daemon, BOOTSTRAP).unwrap();
    let mut request = BuildImageRequest {
        stream_name: "users/waiting".to_owned(),
        expires_in: Duration::from_secs(3600).into(),
        stream_build_log: true,
        cancel_on_disconnect: true,
        ..BuildImageRequest::default()
    };
    // Gone in the middle: the build ends. Without asking for that it would wait for ever.
    let mut client = json_client(&workplace, ADMINISTRATOR, daemon.port).await;
    let mut log = Vec::new();
    let mut stream = client.open("Imaginator.BuildImage").await.unwrap();
    stream.write_value(&request).await.unwrap();
    stream.flush().await.unwrap();
    assert_eq!(stream.read_line(4096).await.unwrap().as_deref(), Some(""));
    while !String::from_utf8_lossy(&log).contains("it waits\n") {
        let piece: BuildImageResponse = stream.read_value().await.unwrap();
        assert_eq!(
            (piece.error_string.as_slice(), piece.image_name.as_str()),
            (&b""[..], "")
        );
        log.extend_from_slice(&piece.build_log);
    }
    drop(stream);
    drop(client);
    let log = || daemon.body("/showLastBuildLog?users/waiting");
    let began = Instant::now();
    while !log().contains("nobody waits for it any more") {
        assert!(began.elapsed() < PATIENCE, "{}", log());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // To its end.
    request.cancel_on_disconnect = false;
    let mut client = json_client(&workplace, ADMINISTRATOR, daemon.port).await;
    workplace.go_on().unwrap();
    let mut stream = client.open("Imaginator.BuildImage").await.unwrap();
    stream.write_value(&request).await.unwrap();
    stream.flush().await.unwrap();
    assert_eq!(stream.read_line(4096).await.unwrap().as_deref(), Some(""));
    let mut log = Vec::new();
    let last = loop {
        let response: BuildImageResponse = stream.read_value().await.unwrap();
        log.extend_from_slice(&response.build_log);
        if !response.error_string.is_empty() || !response.image_name.is_empty() {
            break response;
        }
    };
    assert_eq!(last.error_string, "");
    assert!(last.image_name.starts_with("users/waiting/"), "{last:?}");
    let log = String::from_utf8(log).unwrap();
    assert!(log.starts_with("Building: users/waiting for: "), "{log}");
    assert!(log.contains("goes on\n"), "{log}");
    stream.finish().await.unwrap();
}

/// A repository with a manifest per directory; its URL.
fn repository(workplace: &Workplace, manifests: &[(&str, &str)]) -> String {
    let directory = workplace.path().join("repository");
    for (name, source) in manifests {
        let place = directory.join(name);
        fs::create_dir_all(place.join("files")).unwrap();
        fs::write(
            place.join("manifest"),
            format!("{{\"SourceImage\": \"{source}\"}}"),
        )
        .unwrap();
        fs::write(place.join("files/motd"), name).unwrap();
    }
    let script = "git init --quiet --initial-branch=master . && git add --all && \
        git -c user.name=t -c user.email=t@localhost commit --quiet --message=first && git rev-parse HEAD";
    let output = Command::new("sh")
        .args(["-c", script])
        .current_dir(&directory)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    format!("file://{}", directory.display())
}

#[test]
fn dependencies_are_found_in_manifests_and_shown_as_json_and_graph() {
    if lacks_root("dependencies_are_found_in_manifests_and_shown_as_json_and_graph") {
        return;
    }
    let mut workplace = Workplace::new().unwrap();
    workplace.add_stream("one", BOOTSTRAP, &[]).unwrap();
    let url = repository(
        &workplace,
        &[("two", "one"), ("deep/three", "nobody/builds/this")],
    );
    for (name, directory) in [("two", "two"), ("three", "deep/three")] {
        let stream = json!({ "ManifestUrl": url, "ManifestDirectory": directory });
        workplace.set_stream(name, stream).unwrap();
    }
    let daemon = workplace.start(&[]).unwrap();
    let ask = |arguments: &[&str]| {
        let output = workplace
            .tool(ADMINISTRATOR, daemon.port, arguments)
            .unwrap()
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let deadline = Instant::now() + PATIENCE;
    let dependencies = loop {
        let text = ask(&["get-dependencies"]);
        let value: Value = serde_json::from_str(&text).unwrap();
        // Indented by four, as scripts know it.
        assert!(text.starts_with("{\n    \"FetchLog\": "), "{text}");
        if !value["StreamToSource"].is_null() {
            break value;
        }
        assert!(Instant::now() < deadline, "{text}\n{}", daemon.log_text());
        std::thread::sleep(Duration::from_millis(50));
    };
    assert_eq!(
        dependencies["StreamToSource"],
        json!({ "one": BOOTSTRAP, "two": "one", "three": "nobody/builds/this" })
    );
    assert_eq!(
        dependencies["UnbuildableSources"],
        json!({ "nobody/builds/this": {} })
    );
    assert_eq!(dependencies["LastAttemptError"], "");
    let graph = ask(&["get-digraph"]);
    assert!(
        graph.starts_with("digraph all {\n") && graph.ends_with("}\n"),
        "{graph}"
    );
    for line in [
        format!("  \"one\" -> \"{BOOTSTRAP}\"\n"),
        "  \"two\" -> \"one\"\n".to_owned(),
        "  \"nobody/builds/this\" [fontcolor=red]\n".to_owned(),
    ] {
        assert!(graph.contains(&line), "{graph}");
    }
    let included = ask(&["-digraphIncludes=two", "get-digraph"]);
    assert!(
        included.contains("\"two\" -> \"one\"") && !included.contains("three"),
        "{included}"
    );
    let excluded = ask(&["-digraphExcludes=one", "get-digraph"]);
    assert!(
        !excluded.contains("two"),
        "what is built on it goes too: {excluded}"
    );
}

#[test]
fn who_may_not_is_told_so_in_the_words_clients_know() {
    if lacks_root("who_may_not_is_told_so_in_the_words_clients_know") {
        return;
    }
    let mut workplace = Workplace::new().unwrap();
    workplace.add_stream("theirs", BOOTSTRAP, &[]).unwrap();
    workplace.images.issue("fred", &[]).unwrap();
    let daemon = workplace.start(&[]).unwrap();
    let said = |user: &str, arguments: &[&str]| {
        let outcome = workplace.build_as(user, &daemon, arguments).unwrap();
        assert_ne!(outcome.code, 0, "{outcome:?}");
        outcome.err.lines().last().unwrap_or_default().to_owned()
    };
    for (user, arguments, words) in [
        (
            "fred",
            &["build-image", "theirs"][..],
            "error building image: no permission to build: theirs",
        ),
        (
            "fred",
            &["build-image", "nothing"],
            "error building image: unknown stream: nothing",
        ),
        (
            "fred",
            &["-expiresIn=5m", "build-image", "theirs"],
            "error building image: minimum expiration duration is 15m0s",
        ),
        (
            "fred",
            &["-expiresIn=48h", "build-image", "theirs"],
            "error building image: maximum expiration time is 1d0s",
        ),
        (
            ADMINISTRATOR,
            &["-expiresIn=10000h", "build-image", "theirs"],
            "error building image: maximum expiration time is 4w2d10h0m0s for you",
        ),
        (
            ADMINISTRATOR,
            &["build-image", "theirs", "dev"],
            "error building image: branch: dev is not master",
        ),
        (
            ADMINISTRATOR,
            &["replace-idle-slaves"],
            "error replacing idle slaves: no SlaveDriver configured",
        ),
        (
            "fred",
            &["start-auto-builds"],
            "error starting auto builds: access to method denied",
        ),
        (
            "fred",
            &["cancel", "theirs"],
            "error cancelling: access to method denied",
        ),
        (
            "fred",
            &["get-page-token"],
            "error getting page token: access to method denied",
        ),
        (
            ADMINISTRATOR,
            &["get-page-token", "AddImage"],
            "error getting page token: no page does what AddImage does",
        ),
        (
            ADMINISTRATOR,
            &["-disableFor=25h", "disable-build-requests"],
            "error disabling build requests: cannot disable build requests for more than: 24h",
        ),
    ] {
        assert_eq!(said(user, arguments), words, "{arguments:?}");
    }
    let disabled = workplace
        .build_as(
            ADMINISTRATOR,
            &daemon,
            &["-disableFor=1m", "disable-build-requests"],
        )
        .unwrap();
    assert_eq!(disabled.code, 0, "{disabled:?}");
    let too_long = workplace.build_as(
        ADMINISTRATOR,
        &daemon,
        &["-disableFor=30h", "disable-build-requests"],
    );
    assert_ne!(too_long.unwrap().code, 0);
    let words = said(ADMINISTRATOR, &["build-image", "theirs"]);
    assert!(
        words.starts_with("error building image: builds disabled until "),
        "{words}"
    );
    let enabled = workplace
        .build_as(ADMINISTRATOR, &daemon, &["enable-build-requests"])
        .unwrap();
    assert_eq!(enabled.code, 0, "{enabled:?}");
    let done = format!("Enable({ADMINISTRATOR}): build requests");
    until("the last of it is in the log", || {
        daemon.log_text().contains(&done)
    });
    let log = daemon.log_text();
    // Once each, and nothing of what was refused.
    let disabled = format!("Disable({ADMINISTRATOR}): build requests until ");
    assert_eq!(log.matches(&disabled).count(), 1, "{log}");
    assert_eq!(log.matches("Disable(").count(), 1, "{log}");
    let enabled = format!("Enable({ADMINISTRATOR}): build requests");
    assert_eq!(log.matches(&enabled).count(), 1, "{log}");
}

#[test]
fn whom_a_stream_names_builds_it_without_powers_and_one_at_a_time() {
    if lacks_root("whom_a_stream_names_builds_it_without_powers_and_one_at_a_time") {
        return;
    }
    let mut workplace = Workplace::new().unwrap();
    let slow = [("scripts/10-wait", "#!/bin/sh\necho waiting\nsleep 600\n")];
    for stream in ["slow", "quick"] {
        let files: &[(&str, &str)] = if stream == "slow" { &slow } else { &[] };
        workplace.add_stream(stream, BOOTSTRAP, files).unwrap();
        let url = format!("dir://{}", workplace.manifest(stream).display());
        let named = json!({ "ManifestUrl": url, "BuilderUsers": ["fred"], "BuilderGroups": ["makers"] });
        workplace.set_stream(stream, named).unwrap();
    }
    workplace.images.issue("fred", &[]).unwrap();
    workplace.images.issue("anna", &["--groups", "makers"]).unwrap();
    let daemon = workplace.start(&[]).unwrap();
    let mut slow = workplace.begin("fred", &daemon, "slow").unwrap();
    let mut line = String::new();
    while !line.starts_with("waiting") {
        line.clear();
        assert_ne!(slow.log.read_line(&mut line).unwrap(), 0, "{}", daemon.log_text());
    }
    let second = workplace
        .build_as("fred", &daemon, &["build-image", "quick"])
        .unwrap();
    assert!(
        second
            .err
            .contains("error building image: fred reached limit of 1 calls for BuildImage"),
        "{second:?}"
    );
    let other = workplace
        .build_as("anna", &daemon, &["build-image", "quick"])
        .unwrap();
    assert_eq!(other.code, 0, "{other:?}");
    // What she may not end she asks for in vain; who may, ends it.
    let cancelled = workplace
        .build_as(ADMINISTRATOR, &daemon, &["cancel", "slow"])
        .unwrap();
    assert_eq!(
        (cancelled.code, cancelled.out.as_str()),
        (0, "1 build cancelled\n"),
        "{cancelled:?}"
    );
    let ended = slow.end().unwrap();
    assert_eq!(ended.code, 1);
    assert!(ended.err.contains("cancelled"), "{}", ended.err);
    let again = workplace
        .build_as("fred", &daemon, &["build-image", "quick"])
        .unwrap();
    assert_eq!(again.code, 0, "{again:?}");
}

#[test]
fn a_stop_ends_running_builds_tells_who_waits_and_leaves_nothing() {
    if lacks_root("a_stop_ends_running_builds_tells_who_waits_and_leaves_nothing") {
        return;
    }
    let mut workplace = Workplace::new().unwrap();
    let script = "#!/bin/sh\ntrap '' TERM\necho waiting\nsleep 600 & sleep 600\n";
    workplace
        .add_stream("slow", BOOTSTRAP, &[("scripts/10-wait", script)])
        .unwrap();
    let daemon = workplace.start(&[]).unwrap();
    let mut slow = workplace.begin(ADMINISTRATOR, &daemon, "slow").unwrap();
    let mut line = String::new();
    while !line.starts_with("waiting") {
        line.clear();
        assert_ne!(slow.log.read_line(&mut line).unwrap(), 0, "{}", daemon.log_text());
    }
    assert_eq!(daemon.stop().unwrap(), Some(0));
    let ended = slow.end().unwrap();
    assert_eq!(ended.code, 1);
    assert!(ended.err.contains("error building image: "), "{}", ended.err);
    // What is left of the workshop's own directory has no tree in it.
    let trees = Command::new("find")
        .arg(workplace.temporary())
        .args(["-name", "*.root*", "-o", "-name", "*.manifest*"])
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&trees.stdout), "");
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap();
    assert!(!mounts.contains(workplace.path().to_str().unwrap()), "{mounts}");
}

#[test]
fn an_image_is_handed_back_instead_of_published() {
    if lacks_root("an_image_is_handed_back_instead_of_published") {
        return;
    }
    let workplace = Workplace::new().unwrap();
    let daemon = workplace.start(&[]).unwrap();
    let file = workplace.path().join("image");
    let flag = format!("-imageFilename={}", file.display());
    let outcome = workplace
        .build_as(ADMINISTRATOR, &daemon, &[&flag, "build-image", BOOTSTRAP])
        .unwrap();
    assert_eq!((outcome.code, outcome.out.as_str()), (0, ""), "{outcome:?}");
    let (image, _): (image::Image, _) =
        gob::from_slice(&fs::read(&file).unwrap(), protocol::limits::IMAGE).unwrap();
    let tree = image.file_system.unwrap();
    assert!(tree.total_data_bytes > 0);
    let listed = workplace.images.tool(ADMINISTRATOR).must(&["list"]).unwrap();
    assert_eq!(listed, "");
}

#[test]
fn a_round_of_automatic_rebuilds_is_started_waited_for_and_disabled() {
    if lacks_root("a_round_of_automatic_rebuilds_is_started_waited_for_and_disabled") {
        return;
    }
    let mut workplace = Workplace::new().unwrap();
    workplace.add_stream("rebuilt", BOOTSTRAP, &[]).unwrap();
    workplace
        .configure(|configuration| configuration["ImageStreamsToAutoRebuild"] = json!(["rebuilt"]))
        .unwrap();
    let daemon = workplace.start(&[]).unwrap();
    let run = |arguments: &[&str]| {
        let outcome = workplace.build_as(ADMINISTRATOR, &daemon, arguments).unwrap();
        assert_eq!((outcome.code, outcome.out.as_str()), (0, ""), "{outcome:?}");
    };
    let images = || {
        let listed = workplace.images.tool(ADMINISTRATOR).must(&["list"]).unwrap();
        listed.lines().map(str::to_owned).collect::<Vec<String>>()
    };
    run(&[
        "-waitToStartAutoRebuilds",
        "-waitForAutoRebuilds",
        "start-auto-builds",
    ]);
    let built = images();
    for stream in [BOOTSTRAP, "rebuilt"] {
        let start = format!("{stream}/");
        assert!(built.iter().any(|image| image.starts_with(&start)), "{built:?}");
    }
    until("the log tells it", || {
        daemon
            .log_text()
            .contains(&format!("StartAutoBuilds({ADMINISTRATOR})"))
    });
    run(&["-disableFor=1h", "disable-auto-builds"]);
    run(&[
        "-waitToStartAutoRebuilds",
        "-waitForAutoRebuilds",
        "start-auto-builds",
    ]);
    assert_eq!(images(), built, "nothing is built while they are disabled");
    until("the log tells it", || {
        daemon
            .log_text()
            .contains(&format!("Disable({ADMINISTRATOR}): auto builds until "))
    });
}
