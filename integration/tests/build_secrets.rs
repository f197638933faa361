//! Values of the variables file appear nowhere: in no log, page, image, answer or error, however a build goes.

// Helpers of tests are tests.
#![allow(clippy::unwrap_used)]

use integration::imaginator::{ADMINISTRATOR, BOOTSTRAP, Workplace, lacks_root};
use integration::stalling_git::StallingGit;
use integration::wait::until_some;
use serde_json::json;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

/// Of a repository whose server never answers. Tests run at the same time: nothing else names it.
const STALLED: &str = "told-to-a-server-that-stalls";

/// Values that are easy to find, and in nothing else.
const SECRETS: [(&str, &str); 4] = [
    ("STALLED_PASSWORD", STALLED),
    ("GIT_PASSWORD", "correct-horse-battery"),
    ("STREAMS_KEY", "staple/with odd&signs"),
    ("UNUSED", "never-asked-for"),
];

/// What is searched for: the values, and as they would stand in URLs.
fn forms() -> Vec<Vec<u8>> {
    let mut forms: Vec<Vec<u8>> = SECRETS
        .iter()
        .map(|(_, value)| value.as_bytes().to_vec())
        .collect();
    forms.push(b"staple%2Fwith%20odd%26signs".to_vec());
    forms.push(b"staple/with%20odd&signs".to_vec());
    forms.push(b"staple%2Fwith+odd%26signs".to_vec());
    forms
}

fn is_in(bytes: &[u8]) -> bool {
    forms()
        .iter()
        .any(|form| bytes.windows(form.len()).any(|window| window == form))
}

/// Every file below that has a secret in it.
fn found_below(directory: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(directory).into_iter().flatten() {
        let path = entry.unwrap().path();
        // What the daemon does meanwhile makes files and takes them away.
        let Ok(kind) = path.symlink_metadata() else {
            continue;
        };
        if kind.is_dir() {
            found_below(&path, found);
        } else if kind.is_file() && is_in(&fs::read(&path).unwrap_or_default()) {
            found.push(path.display().to_string());
        }
    }
}

fn git(directory: &Path, arguments: &[&str]) {
    let output = Command::new("git")
        .arg("-C")
        .arg(directory)
        .args(["-c", "user.name=Test", "-c", "user.email=test@example.org"])
        .args(arguments)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn no_secret_is_in_any_log_page_image_answer_or_error() {
    if lacks_root("no_secret_is_in_any_log_page_image_answer_or_error") {
        return;
    }
    let mut place = Workplace::new().unwrap();
    let variables = place.path().join("variables");
    let lines: String = SECRETS
        .iter()
        .map(|(name, value)| format!("{name}={value}\n"))
        .collect();
    fs::write(&variables, format!("# secrets\n{lines}")).unwrap();

    // A repository whose path is a secret, one that is not there, and one that refuses the password.
    let repository = place.path().join("correct-horse-battery");
    fs::create_dir(&repository).unwrap();
    git(&repository, &["init", "--quiet", "--initial-branch=master"]);
    fs::write(
        repository.join("manifest"),
        json!({ "SourceImage": BOOTSTRAP }).to_string(),
    )
    .unwrap();
    fs::create_dir(repository.join("scripts")).unwrap();
    fs::write(
        repository.join("scripts/tell"),
        "#! /bin/sh\nenv; cat /proc/1/environ | tr '\\0' '\\n'\n",
    )
    .unwrap();
    git(&repository, &["add", "--all"]);
    git(&repository, &["commit", "--quiet", "--message", "first"]);
    let at = place.path().display().to_string();
    let port = integration::server::free_port().unwrap();
    for (name, url) in [
        ("secret/good", format!("file://{at}/$GIT_PASSWORD")),
        ("secret/lacking", format!("file://{at}/$GIT_PASSWORD/nothing")),
        (
            "secret/refused",
            format!("http://user:$GIT_PASSWORD@127.0.0.1:{port}/$STREAMS_KEY/r.git"),
        ),
    ] {
        place.set_stream(name, json!({ "ManifestUrl": url })).unwrap();
    }
    place
        .set_stream("secret/directory", json!({ "ManifestUrl": format!("file://{at}/$GIT_PASSWORD"), "ManifestDirectory": "$STREAMS_KEY" }))
        .unwrap();
    let flag = format!("-variablesFile={}", variables.display());
    let daemon = place.start(&[&flag]).unwrap();

    let mut told = Vec::new();
    let good = place.build(&daemon, "secret/good").unwrap();
    assert_eq!(good.code, 0, "{}", good.err);
    assert!(good.err.contains("IMAGE_STREAM=secret/good"), "{}", good.err);
    told.push(("the log of a build", good.err.clone()));
    for stream in ["secret/lacking", "secret/refused", "secret/directory"] {
        let outcome = place.build(&daemon, stream).unwrap();
        assert_eq!(outcome.code, 1, "{stream}: {}", outcome.err);
        told.push((stream, outcome.out + &outcome.err));
    }
    let name = good.out.trim();
    for page in [
        "/".to_owned(),
        "/showImageStreams".to_owned(),
        "/showImageStream?secret/good".to_owned(),
        "/showImageStream?secret/lacking".to_owned(),
        "/showImageStream?secret/refused".to_owned(),
        "/showLastBuildLog?secret/good".to_owned(),
        "/showLastBuildLog?secret/refused".to_owned(),
        "/showDirectedGraph".to_owned(),
        "/showBuildLogArchive".to_owned(),
        "/showErrorBuilds".to_owned(),
        format!("/showBuildLog?{name}"),
        "/logs/dump?name=latest".to_owned(),
        "/metricsapi/".to_owned(),
        "/metrics".to_owned(),
    ] {
        let (_, body) = daemon.page(&page).unwrap();
        told.push(("a page", format!("{page}\n{body}")));
    }
    for verb in [&["get-dependencies"][..], &["-showFetchLog", "get-digraph"]] {
        let outcome = place.build_as(ADMINISTRATOR, &daemon, verb).unwrap();
        told.push(("what a tool is told", outcome.out + &outcome.err));
    }
    let shown = place
        .images
        .tool(ADMINISTRATOR)
        .run(&["show-metadata", name])
        .unwrap();
    assert!(
        shown.out.contains("$GIT_PASSWORD"),
        "the URL is not there as it was written: {}",
        shown.out
    );
    told.push(("the image", shown.out));
    told.push(("the daemon's log", daemon.log_text()));
    for (what, text) in &told {
        assert!(!is_in(text.as_bytes()), "{what}:\n{text}");
    }

    // Bad content is told of without it.
    fs::write(&variables, "{ \"GIT_PASSWORD\": \"correct-horse-battery\", \n").unwrap();
    let told = until_some("the bad content was read", || {
        let (_, body) = daemon.page("/").unwrap();
        body.contains("The configuration has a problem").then_some(body)
    });
    assert!(!is_in(told.as_bytes()), "{told}");
    let mut found = Vec::new();
    for directory in [
        place.images.home.path(),
        &place.state(),
        &place.build_logs(),
        &place.temporary(),
    ] {
        found_below(directory, &mut found);
    }
    let log = fs::read(place.path().join("imaginator.log")).unwrap();
    assert!(!is_in(&log), "{}", String::from_utf8_lossy(&log));
    assert_eq!(found, Vec::<String>::new());
    drop(daemon);
    found_below(&place.temporary(), &mut found);
    assert_eq!(found, Vec::<String>::new(), "after a kill");
}

/// Command lines of this host with a secret in them, and how many are git's.
fn command_lines() -> (Vec<String>, usize) {
    let (mut found, mut of_git) = (Vec::new(), 0);
    for process in fs::read_dir("/proc").unwrap().flatten() {
        let line = fs::read(process.path().join("cmdline")).unwrap_or_default();
        let text = String::from_utf8_lossy(&line).replace('\0', " ");
        of_git += usize::from(text.contains("/behind-a-password.git"));
        if text.contains(STALLED) {
            found.push(text);
        }
    }
    (found, of_git)
}

#[test]
fn a_repository_s_password_is_in_no_file_and_no_argument_while_git_waits_and_after_a_kill() {
    if lacks_root("a_repository_s_password_is_in_no_file_and_no_argument_while_git_waits_and_after_a_kill") {
        return;
    }
    let repository = StallingGit::start().unwrap();
    let mut place = Workplace::new().unwrap();
    let variables = place.path().join("variables");
    fs::write(&variables, format!("STALLED_PASSWORD={STALLED}\n")).unwrap();
    let url = format!(
        "http://someone:$STALLED_PASSWORD@127.0.0.1:{}/behind-a-password.git",
        repository.port
    );
    place
        .set_stream("secret/stalled", json!({ "ManifestUrl": url }))
        .unwrap();
    let flag = format!("-variablesFile={}", variables.display());
    let daemon = place.start(&[&flag]).unwrap();
    // One for a build, one for a page, and one for who finds out which stream is built on which.
    let building = place.begin(ADMINISTRATOR, &daemon, "secret/stalled").unwrap();
    std::thread::scope(|scope| {
        let page = scope.spawn(|| daemon.page("/showImageStream?secret/stalled"));
        let login = repository.wait_for(3).unwrap();
        // someone:told-to-a-server-that-stalls
        assert_eq!(login, "c29tZW9uZTp0b2xkLXRvLWEtc2VydmVyLXRoYXQtc3RhbGxz");
        let (found, of_git) = command_lines();
        assert_eq!(found, Vec::<String>::new());
        assert!(of_git >= 3, "git was not looked at");
        let mut found = Vec::new();
        found_below(&place.temporary(), &mut found);
        assert_eq!(found, Vec::<String>::new());
        for directory in fs::read_dir(place.temporary()).unwrap().flatten() {
            let mode = directory.metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o077, 0, "others look into {}", directory.path().display());
        }
        let signal = rustix::process::Signal::KILL;
        let process = rustix::process::Pid::from_raw(daemon.process_id() as i32).unwrap();
        rustix::process::kill_process(process, signal).unwrap();
        // It has nobody any more to answer.
        drop(page.join().unwrap());
    });
    let _ = building.kill();
    until_some("git has ended", || (command_lines().1 == 0).then_some(()));
    let mut found = Vec::new();
    found_below(&place.temporary(), &mut found);
    found_below(&place.state(), &mut found);
    assert_eq!(found, Vec::<String>::new());
}
