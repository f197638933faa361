//! `imgapi-cli` on the way to its repository: interrupted, over TLS, with agents, waiting for what takes too long.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test: what cannot go on has failed"
)]

use integration::certificates::Authority;
use integration::cut_proxy::{CutProxy, Fault};
use integration::repository::{Imgapi, Repository};
use integration::repository_jobs::bring;
use integration::repository_tool::{RepositoryTool, SshAgent};
use integration::server::free_port;
use integration::stored_image::bytes;
use integration::tool::Outcome;
use integration::wait::{until, until_some};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

const IMAGE: &str = "11111111-1111-4111-8111-111111111111";
const OWNER: &str = "352971aa-31ba-496c-9ade-a379feaecd52";
/// Bytes of a file that does not go over at once, and of its first part.
const SIZE: usize = 8 << 20;
const FIRST: u64 = 3 << 20;

fn started(configuration: Value) -> (Repository, Imgapi, RepositoryTool) {
    let repository = Repository::new(configuration).unwrap();
    let daemon = repository.start().unwrap();
    let tool = RepositoryTool::new(&daemon.url()).unwrap();
    (repository, daemon, tool)
}

fn through(proxy: &CutProxy) -> String {
    format!("http://127.0.0.1:{}", proxy.port())
}

fn begin(tool: &RepositoryTool, arguments: &[&str]) -> Child {
    let mut command = tool.command(arguments).unwrap();
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command.spawn().unwrap()
}

/// What a program says that is told to end, and how it ends; its standard input stays open meanwhile.
fn told(mut child: Child, signal: Signal) -> Outcome {
    let input = child.stdin.take();
    let process = Pid::from_child(&child);
    kill_process(process, signal).unwrap();
    let output = child.wait_with_output().unwrap();
    drop(input);
    Outcome {
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
        code: output.status.code().unwrap_or(-1),
    }
}

fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// The one file of an upload that is under way, once it has some bytes.
fn upload(repository: &Repository) -> PathBuf {
    let directory = repository.base().join("images/.uploads");
    until_some("bytes of the file arrive", || {
        let file = fs::read_dir(&directory).ok()?.next()?.ok()?;
        (file.metadata().ok()?.len() > 0).then(|| file.path())
    })
}

#[test]
fn a_download_that_is_interrupted_says_what_is_there_and_goes_on_with_the_next_command() {
    let (_repository, daemon, mut tool) = started(json!({}));
    let content = bytes(SIZE);
    bring(&daemon, IMAGE, None, &content).unwrap();
    for signal in [Signal::INT, Signal::TERM] {
        let proxy = CutProxy::new(daemon.address(), Fault::StallToClient(FIRST)).unwrap();
        tool.set("IMGAPI_CLI_URL", through(&proxy));
        let child = begin(&tool, &["get-file", IMAGE, "-o", "image"]);
        let partial = until_some("most of what goes through is saved", || {
            let mut names = names(tool.home()).into_iter();
            let name = names.find(|name| name.ends_with(".partial"))?;
            let partial = tool.home().join(name);
            (fs::metadata(&partial).ok()?.len() > FIRST / 2).then_some(partial)
        });
        let outcome = told(child, signal);
        assert_eq!(outcome.code, 130, "{outcome:?}");
        assert!(
            outcome.err.contains("imgapi-cli: error: interrupted")
                && outcome.err.contains("try: the same again: ")
                && outcome.err.contains(" of 8 MiB are here"),
            "{outcome:?}"
        );
        assert!(!tool.home().join("image").exists(), "no half file under the name");
        let there = fs::metadata(&partial).unwrap().len();
        // Only the rest goes over the next time.
        let straight = CutProxy::new(daemon.address(), Fault::None).unwrap();
        tool.set("IMGAPI_CLI_URL", through(&straight));
        let whole = tool.run(&["get-file", IMAGE, "-o", "image"]).unwrap();
        assert!(
            whole.code == 0 && whole.err.contains("were here from an earlier attempt"),
            "{whole:?}"
        );
        assert!(straight.bytes().1 < SIZE as u64 - there + (64 << 10));
        assert!(fs::read(tool.home().join("image")).unwrap() == content);
        assert_eq!(names(tool.home()), ["image"]);
        fs::remove_file(tool.home().join("image")).unwrap();
    }
    // Before the first byte there is nothing to say, and nothing is left.
    let silent = CutProxy::new(daemon.address(), Fault::StallToClient(1)).unwrap();
    tool.set("IMGAPI_CLI_URL", through(&silent));
    let child = begin(&tool, &["get-file", IMAGE, "-o", "image"]);
    until("it is asked", || silent.bytes().1 > 0);
    let outcome = told(child, Signal::INT);
    assert_eq!((outcome.code, outcome.out.as_str()), (130, ""), "{outcome:?}");
    assert_eq!(names(tool.home()), Vec::<String>::new());
}

#[test]
fn an_upload_that_is_interrupted_goes_on_with_the_next_command() {
    let (repository, daemon, mut tool) = started(json!({}));
    let mut file = fs::File::create(tool.home().join("file.zfs")).unwrap();
    file.write_all(&bytes(SIZE)).unwrap();
    let image = tool
        .must(&[
            "create",
            "name=a",
            "version=1",
            "type=other",
            "os=linux",
            "public=true",
            &format!("owner={OWNER}"),
        ])
        .unwrap();
    let image = image.split_whitespace().nth(2).unwrap();
    let proxy = CutProxy::new(daemon.address(), Fault::StallToServer(FIRST)).unwrap();
    tool.set("IMGAPI_CLI_URL", through(&proxy));
    let add = ["add-file", image, "-f", "file.zfs"];
    let child = begin(&tool, &add);
    let arrived = upload(&repository);
    until("most of what goes through arrives", || {
        fs::metadata(&arrived).is_ok_and(|file| file.len() > FIRST / 2)
    });
    let outcome = told(child, Signal::INT);
    assert_eq!(outcome.code, 130, "{outcome:?}");
    assert!(
        outcome.err.contains("imgapi-cli: error: interrupted\n")
            && outcome.err.contains("try: the same again: what arrived is kept"),
        "{outcome:?}"
    );
    // The repository gets to know only when the way between ends.
    drop(proxy);
    let straight = CutProxy::new(daemon.address(), Fault::None).unwrap();
    tool.set("IMGAPI_CLI_URL", through(&straight));
    tool.must(&add).unwrap();
    let (sent, _) = straight.bytes();
    assert!(
        sent < SIZE as u64 - FIRST / 2 + (64 << 10),
        "{sent} bytes went over"
    );
    tool.must(&["activate", image]).unwrap();
    assert!(daemon.get(&format!("/images/{image}/file")).unwrap().body == bytes(SIZE));
}

#[test]
fn an_image_whose_making_is_interrupted_is_gone_again_whoever_still_holds_the_pipe() {
    let (repository, daemon, tool) = started(json!({}));
    let owner = format!("owner={OWNER}");
    let arguments = [
        "create",
        "-f",
        "-",
        "-c",
        "none",
        "name=a",
        "version=1",
        "type=other",
        "os=linux",
        "public=true",
        &owner,
    ];
    let mut child = begin(&tool, &arguments);
    child.stdin.as_mut().unwrap().write_all(&bytes(1 << 20)).unwrap();
    upload(&repository);
    let outcome = told(child, Signal::INT);
    assert_eq!(outcome.code, 130, "{outcome:?}");
    assert!(
        outcome.err.contains("Deleted image ") && outcome.err.contains("error: interrupted"),
        "{outcome:?}"
    );
    let left = daemon.get("/images?state=all").unwrap().json().unwrap();
    assert_eq!(left, json!([]));
    until("nothing of its file is left", || {
        names(&repository.base().join("images/.uploads")).is_empty()
    });
}

#[test]
fn waiting_for_a_job_has_an_end_and_the_job_goes_on() {
    let (_source, source, _) = started(json!({}));
    bring(&source, IMAGE, None, &bytes(SIZE)).unwrap();
    let (_repository, daemon, mut tool) = started(json!({}));
    let proxy = CutProxy::new(source.address(), Fault::StallToClient(FIRST)).unwrap();
    let import = [
        "import-remote",
        IMAGE,
        "-S",
        &through(&proxy),
        "--timeout",
        "200ms",
    ];
    let late = tool.run(&import).unwrap();
    let job = late.err.split("wait-job ").nth(1).expect(&late.err)[..36].to_owned();
    let (help, words) = (
        format!("try: imgapi-cli wait-job {job}: it goes on"),
        format!("job {job} is not over after 200ms"),
    );
    assert!(
        late.code == 1 && late.err.contains(&help) && late.err.contains(&words),
        "{late:?}"
    );
    let late = tool.run(&["wait-job", &job, "--timeout", "200ms"]).unwrap();
    assert!(
        late.code == 1 && late.err.contains(&words) && late.out.is_empty(),
        "{late:?}"
    );
    let late = tool.run(&["wait", IMAGE, "--timeout", "200ms"]).unwrap();
    assert!(
        late.code == 1 && late.out.is_empty() && late.err.contains("not active"),
        "{late:?}"
    );
    // Interrupted while it waits, it says how to wait on.
    let straight = CutProxy::new(daemon.address(), Fault::None).unwrap();
    tool.set("IMGAPI_CLI_URL", through(&straight));
    let child = begin(&tool, &["wait-job", &job]);
    until("it was answered", || straight.bytes().1 > 0);
    assert_eq!(told(child, Signal::INT).code, 130);
    // What it waits for ends without success when its source is gone.
    drop(proxy);
    drop(source);
    let failed = tool.run(&["wait-job", &job]).unwrap();
    assert!(
        failed.code == 1 && failed.err.contains(&format!("job {job} failed: ")),
        "{failed:?}"
    );
}

/// A repository with TLS whose certificate an authority of the test made; its address and the authority's certificate.
fn with_tls() -> (Repository, Imgapi, String, PathBuf) {
    let mut repository = Repository::new(json!({})).unwrap();
    let authority = Authority::new(&repository.path().join("authority"), "test").unwrap();
    let ssl = repository.path().join("ssl");
    authority
        .issue("web", &["--server", "localhost,127.0.0.1"], &ssl)
        .unwrap();
    let port = free_port().unwrap();
    repository.configure(json!({
        "tlsPort": port, "tlsCertificate": ssl.join("cert.pem"), "tlsKey": ssl.join("key.pem"),
    }));
    let daemon = repository.start().unwrap();
    let authority = repository.path().join("authority/CA.pem");
    (repository, daemon, format!("https://127.0.0.1:{port}"), authority)
}

#[test]
fn a_certificate_counts_if_its_authority_is_named_or_nobody_asks_for_one() {
    let (_repository, daemon, address, authority) = with_tls();
    let content = bytes(SIZE);
    bring(&daemon, IMAGE, None, &content).unwrap();
    let mut tool = RepositoryTool::new(&address).unwrap();
    fs::copy(&authority, tool.home().join("ca.pem")).unwrap();
    let other = Authority::new(&tool.home().join("other"), "other").unwrap();
    let other = other.directory().join("CA.pem").display().to_string();

    let refused = tool.run(&["ping"]).unwrap();
    assert!(
        refused.code == 1 && refused.err.contains("certificate"),
        "{refused:?}"
    );
    let refused = tool.run(&["--ca-file", &other, "ping"]).unwrap();
    assert!(
        refused.code == 1 && refused.err.contains("certificate"),
        "{refused:?}"
    );
    let absent = tool.run(&["--ca-file", "nosuch.pem", "ping"]).unwrap();
    assert!(
        absent.code == 3 && absent.err.contains("nosuch.pem"),
        "{absent:?}"
    );
    fs::write(tool.home().join("text"), "no certificate\n").unwrap();
    assert_ne!(tool.run(&["--ca-file", "text", "ping"]).unwrap().code, 0);

    for way in [&["--ca-file", "ca.pem"][..], &["--insecure"]] {
        let get = [way, &["get-file", IMAGE, "-o", "image"]].concat();
        tool.must(&get).unwrap();
        assert!(fs::read(tool.home().join("image")).unwrap() == content, "{way:?}");
    }
    // A name that is not the certificate's is another matter than its authority.
    let elsewhere = address.replace("127.0.0.1", "127.0.0.2");
    let refused = tool
        .run(&["--ca-file", "ca.pem", "--url", &elsewhere, "ping"])
        .unwrap();
    assert_eq!(refused.code, 1, "{refused:?}");

    // A profile keeps it, and finds it from every directory.
    tool.must(&[
        "--ca-file",
        "ca.pem",
        "--url",
        &address,
        "profiles",
        "set",
        "lab",
        "--default",
    ])
    .unwrap();
    tool.set("IMGAPI_CLI_URL", "http://127.0.0.1:9");
    let mut elsewhere = tool.command(&["-P", "lab", "ping"]).unwrap();
    elsewhere.current_dir("/").stderr(Stdio::piped());
    let output = elsewhere.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    tool.set("IMGAPI_CLI_URL", &*address);
    tool.set("IMGAPI_CLI_CA_FILE", authority.display().to_string());
    tool.must(&["ping"]).unwrap();
    tool.set("IMGAPI_CLI_CA_FILE", other);
    tool.must(&["--insecure", "ping"]).unwrap();
    assert_eq!(
        tool.run(&["ping"]).unwrap().code,
        1,
        "the environment goes before the default profile"
    );
}

#[test]
fn an_agent_signs_for_who_names_a_key_by_its_fingerprint_and_one_without_it_is_told() {
    let maker = RepositoryTool::new("").unwrap();
    let keys = ["mine", "other"].map(|name| maker.make_key("ed25519", name).unwrap());
    let (_repository, daemon, _) =
        started(json!({ "authType": "signature", "authKeys": { "joe": [keys[0]] } }));
    let mut tool = maker;
    tool.set("IMGAPI_CLI_URL", daemon.url());
    let directory = tempfile::tempdir().unwrap();
    let agent = SshAgent::with_key(directory.path(), &tool.home().join("mine")).unwrap();
    tool.set("SSH_AUTH_SOCK", agent.socket.to_str().unwrap());
    let fingerprint = |hash: &str, name: &str| {
        let mut keygen = std::process::Command::new("ssh-keygen");
        keygen
            .args(["-l", "-E", hash, "-f"])
            .arg(tool.home().join(format!("{name}.pub")));
        let line = String::from_utf8(keygen.output().unwrap().stdout).unwrap();
        line.split(' ').nth(1).unwrap().to_owned()
    };
    let md5 = fingerprint("md5", "mine");
    let state = |identity: &str| tool.run(&["-u", "joe", "-i", identity, "state"]).unwrap();
    for identity in [&fingerprint("sha256", "mine"), md5.trim_start_matches("MD5:")] {
        let outcome = state(identity);
        assert_eq!(outcome.code, 0, "{identity}: {outcome:?}");
    }
    // An agent that has another key than the one that is named.
    let outcome = state(&fingerprint("sha256", "other"));
    assert_eq!(outcome.code, 3, "{outcome:?}");
    let outcome = state("other.pub");
    assert!(outcome.code != 0 && outcome.err.contains("agent"), "{outcome:?}");
    // No agent any more.
    drop(agent);
    let outcome = state(&fingerprint("sha256", "mine"));
    assert!(outcome.code != 0 && outcome.err.contains("agent"), "{outcome:?}");
}
