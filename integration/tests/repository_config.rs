//! The configuration of the image repository: printed, checked, changed while it serves.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test: what cannot go on has failed"
)]

use integration::http_talk::Talk;
use integration::programs::program;
use integration::repository::{Imgapi, Repository};
use integration::server::free_port;
use integration::wait::until;
use serde_json::{Value, json};
use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::{Command, Output};

/// A repository of these keys, and its daemon.
fn running(configuration: Value) -> (Repository, Imgapi) {
    let repository = Repository::new(configuration).unwrap();
    let daemon = repository.start().unwrap();
    (repository, daemon)
}

/// Writes keys into the file beside those that are there.
fn edit(repository: &Repository, change: Value) {
    let path = repository.configuration_file();
    let mut all: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    for (key, value) in change.as_object().unwrap() {
        all[key] = value.clone();
    }
    // As editors do: a new file takes the place of the old one.
    let new = path.with_extension("new");
    fs::write(&new, all.to_string()).unwrap();
    fs::rename(new, path).unwrap();
}

fn problems(daemon: &Imgapi) -> String {
    daemon.get("/state").unwrap().json().unwrap()["problems"].to_string()
}

fn is_open(port: u16) -> bool {
    TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok()
}

fn config(arguments: &[&str]) -> Output {
    let mut command = Command::new(program("imgapi").unwrap());
    command.arg("config").args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn the_config_command_prints_what_is_used_and_scripts_can_ask_for_a_key() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("c.json");
    let manta = json!({ "url": "https://x", "user": "admin", "key": "/k", "keyId": "aa" });
    fs::write(&path, json!({ "port": 81, "manta": manta, "own": 1 }).to_string()).unwrap();
    let option = format!("--file={}", path.display());
    let all = config(&[&option]);
    let merged: Value = serde_json::from_slice(&all.stdout).unwrap();
    assert_eq!(
        (&merged["port"], &merged["address"]),
        (&81.into(), &"127.0.0.1".into())
    );
    assert_eq!(merged["own"], 1);
    assert!(text(&all.stdout).starts_with("{\n    \"port\": 81,\n"));
    let asked = |key| text(&config(&[&option, key]).stdout);
    assert_eq!(asked("mode"), "public\n");
    assert_eq!(asked("manta.rootDir"), "/admin/stor/imgapi\n");
    assert_eq!(asked("storageTypes"), "[\n    \"local\"\n]\n");
    let absent = config(&[&option, "a.b"]);
    assert_eq!(
        (absent.status.code(), text(&absent.stdout)),
        (Some(1), String::new())
    );
    assert!(text(&absent.stderr).contains("no property a.b found"));
    assert_eq!(config(&["-h"]).status.code(), Some(0));
    for bad in [&["--bogus"][..], &["a", "b"], &["-f", "/nonexistent"]] {
        let failed = config(bad);
        assert_eq!(failed.status.code(), Some(1), "{bad:?}");
        assert!(
            text(&failed.stderr).starts_with("imgapi config: error: "),
            "{bad:?}"
        );
    }
}

#[test]
fn the_samples_are_good_and_mean_something() {
    let samples = integration::machine::repository("config-samples/imgapi");
    let mut count = 0;
    for entry in fs::read_dir(samples).unwrap() {
        let path = entry.unwrap().path();
        if path.ends_with("users.yaml") {
            let users = repository::configuration::UserTable::read(&fs::read_to_string(&path).unwrap());
            assert!(users.is_ok(), "{users:?}");
            continue;
        }
        let file = path.to_str().unwrap();
        let mode = config(&["-f", file, "mode"]);
        assert!(mode.status.success(), "{file}: {}", text(&mode.stderr));
        let explained = text(&config(&["-f", file, "--explain"]).stdout);
        let given = explained
            .split("\n\n")
            .filter(|part| part.contains("the instance file"));
        for part in given {
            assert!(!part.contains("means nothing"), "{file}: {part}");
        }
        count += 1;
    }
    assert_eq!(count, 3);
}

#[test]
fn explain_says_where_each_value_comes_from_and_what_means_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("c.yaml");
    fs::write(&path, "port: 81\nufds:\n  bindPassword: tiger\nmine: 1\n").unwrap();
    let explained = config(&["--explain", "-f", path.to_str().unwrap()]);
    let told = text(&explained.stdout);
    for expected in [
        "port: 81\n    from    the instance file\n    effect  a change restarts the server",
        "placeholderImageLifespanDays: 7\n    from    the defaults\n    effect  a change takes effect at once",
        "mine: 1\n    from    the instance file\n    effect  is not known",
    ] {
        assert!(told.contains(expected), "{expected}\n{told}");
    }
    let users = told.split("\n\n").find(|part| part.starts_with("ufds:")).unwrap();
    assert!(users.contains("means nothing here"), "{users}");
    assert!(!told.contains("tiger"), "{told}");
}

#[test]
fn a_start_with_a_bad_configuration_ends_with_status_2_and_says_everything_that_is_wrong() {
    let repository = Repository::new(json!({ "mode": "secret", "authType": "basic" })).unwrap();
    let ended = repository.run_to_its_end().unwrap();
    let told = text(&ended.stderr);
    assert_eq!(ended.status.code(), Some(2), "{told}");
    assert!(
        told.contains("mode must be") && told.contains("authType must be"),
        "{told}"
    );
}

#[test]
fn the_command_line_is_the_original_s() {
    let repository = Repository::new(json!({})).unwrap();
    let run = |argument: &str| repository.command(1).unwrap().arg(argument).output().unwrap();
    let program = program("imgapi").unwrap();
    let version = Command::new(program).arg("--version").output().unwrap();
    assert!(text(&version.stdout).starts_with("IMGAPI 4."), "{version:?}");
    let wrong = run("--bogus");
    assert_eq!(wrong.status.code(), Some(1), "{wrong:?}");
}

#[test]
fn help_is_for_everybody_and_a_misspelt_subcommand_starts_no_server() {
    let repository = Repository::new(json!({})).unwrap();
    // Whoever runs the tests, root too: nothing is about to be served.
    let help = Command::new(program("imgapi").unwrap())
        .arg("-h")
        .output()
        .unwrap();
    let told = text(&help.stderr);
    assert!(
        told.contains("-logDir") && told.contains("imgapi config") && told.contains("imgapi logs"),
        "{told}"
    );
    let misspelt = repository.command(1).unwrap().arg("confg").output().unwrap();
    let told = text(&misspelt.stderr);
    assert_eq!(misspelt.status.code(), Some(1), "{told}");
    assert!(told.contains("unknown command: \"confg\""), "{told}");
}

#[test]
fn without_its_directory_the_server_says_what_to_do_and_says_it_once() {
    let repository = Repository::new(json!({})).unwrap();
    let mut command = repository.command(1).unwrap();
    fs::remove_dir_all(repository.base()).unwrap();
    let ended = command.output().unwrap();
    let told = text(&ended.stderr);
    assert_eq!(ended.status.code(), Some(1), "{told}");
    assert_eq!(told.matches("there is no directory").count(), 1, "{told}");
}

#[test]
fn a_key_that_can_change_live_does_without_a_restart() {
    let (repository, daemon) = running(json!({ "serverName": "one" }));
    let mut kept = daemon.talk().unwrap();
    let server = |talk: &mut Talk| {
        let reply = talk.ask("GET", "/ping", &[], b"").unwrap();
        reply.header("server").unwrap().to_owned()
    };
    assert_eq!(server(&mut kept), "one");
    edit(&repository, json!({ "serverName": "two" }));
    // On the same connection: nothing was restarted.
    until("the new name is used", || server(&mut kept) == "two");
    edit(&repository, json!({ "logLevel": "trace" }));
    until("the new level is used", || {
        daemon.get("/state").unwrap().json().unwrap()["log"]["level"] == 10
    });
}

#[test]
fn a_key_that_needs_it_restarts_the_server_in_place() {
    let (repository, mut daemon) = running(json!({}));
    let (process, old) = (daemon.process_id(), daemon.port);
    let port = free_port().unwrap();
    edit(&repository, json!({ "port": port, "mode": "private" }));
    until("the new port answers", || is_open(port));
    daemon.port = port;
    let ping = daemon.get("/ping").unwrap();
    assert_eq!(ping.status, 200);
    assert!(!is_open(old));
    assert!(daemon.is_running());
    assert_eq!(daemon.process_id(), process);
    // The directory's lock went over to the new one, too.
    assert_eq!(daemon.stop().unwrap(), Some(0));
}

#[test]
fn requests_in_progress_are_answered_before_a_restart() {
    let (repository, daemon) = running(json!({}));
    let mut slow = daemon.talk().unwrap();
    let head = "POST /images?action=import HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\ncontent-type: application/json\r\n\r\n{";
    slow.say(head.as_bytes()).unwrap();
    let port = free_port().unwrap();
    edit(&repository, json!({ "port": port }));
    until("the restart begins", || {
        daemon.log_text().contains("Restarting for port")
    });
    until("the old port takes no more", || !is_open(daemon.port));
    slow.say(b"}").unwrap();
    // What it is does not matter: that it comes does.
    let answer = slow.answer_to("POST").unwrap();
    assert!(answer.status >= 400 && !answer.body.is_empty(), "{answer:?}");
    until("the new port answers", || is_open(port));
}

#[test]
fn a_restart_that_could_not_serve_is_refused_and_told() {
    let (repository, mut daemon) = running(json!({}));
    let taken = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).unwrap();
    let port = taken.local_addr().unwrap().port();
    edit(&repository, json!({ "port": port }));
    until("it is told", || problems(&daemon).contains("cannot listen on"));
    edit(
        &repository,
        json!({ "port": daemon.port, "baseDir": "/nonexistent/imgapi" }),
    );
    until("it is told", || problems(&daemon).contains("is no directory"));
    edit(&repository, json!({ "baseDir": repository.base() }));
    until("all is well again", || problems(&daemon) == "null");
    assert!(daemon.is_running());
}

#[test]
fn a_bad_file_keeps_the_last_good_one_and_says_why() {
    let (repository, daemon) = running(json!({ "serverName": "one" }));
    let good = fs::read_to_string(repository.configuration_file()).unwrap();
    fs::write(repository.configuration_file(), "{ half").unwrap();
    until("it is told", || {
        problems(&daemon).contains("neither JSON nor YAML")
    });
    // Lines gather for a moment before they are written.
    let told = "what was in force before stays in force";
    until("the log has it", || daemon.log_text().contains(told));
    assert_eq!(daemon.get("/ping").unwrap().header("server"), Some("one"));
    fs::write(repository.configuration_file(), good).unwrap();
    until("all is well again", || problems(&daemon) == "null");
}

#[test]
fn the_environment_of_the_original_s_tests_says_where_the_directory_is() {
    let repository = Repository::new(json!({ "baseDir": "/nonexistent/imgapi" })).unwrap();
    let base = repository.path().join("elsewhere");
    fs::create_dir(&base).unwrap();
    repository.hand_over().unwrap();
    let place = base.to_str().unwrap();
    let daemon = repository
        .start_in(&[("IMGAPITEST_LOCAL_BASE_DIR", place)])
        .unwrap();
    assert_eq!(daemon.get("/ping").unwrap().status, 200);
    assert!(base.join("run").is_dir());
}

#[test]
fn in_dc_mode_what_stands_for_other_services_is_told() {
    let port = free_port().unwrap();
    let (_repository, daemon) =
        running(json!({ "mode": "dc", "datacenterName": "here", "metricsPort": port }));
    let told = "in place of the surrounding services: every owner exists; jobs run inside this process";
    until("the log has it", || daemon.log_text().contains(told));
}

#[test]
fn who_configured_an_object_store_is_told_that_there_is_none() {
    let manta = json!({ "url": "https://manta", "user": "admin", "key": "/key", "keyId": "aa:bb" });
    let (_repository, daemon) = running(json!({ "storageTypes": ["manta", "local"], "manta": manta }));
    let told = "names an object store, and there is none here";
    until("the log has it", || daemon.log_text().contains(told));
}

#[test]
fn the_port_of_the_figures_says_on_one_line_that_it_has_nothing_else() {
    let port = free_port().unwrap();
    let (_repository, _daemon) = running(
        json!({ "mode": "dc", "datacenterName": "here", "metricsPort": port, "metricsAddress": "127.0.0.1" }),
    );
    let place = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let reply = Talk::to(place).unwrap().ask("GET", "/foo", &[], b"").unwrap();
    assert_eq!(reply.status, 404);
    assert_eq!(reply.header("content-type"), Some("application/json"));
    assert_eq!(
        reply.text(),
        r#"{"code":"ResourceNotFound","message":"/foo does not exist"}"#
    );
    assert_eq!(
        Talk::to(place)
            .unwrap()
            .ask("GET", "/metrics", &[], b"")
            .unwrap()
            .status,
        200
    );
}
