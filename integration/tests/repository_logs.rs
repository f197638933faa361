//! Records, figures and the reader of the log of the image repository.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test: what cannot go on has failed"
)]

use integration::http_talk::Talk;
use integration::repository::{Imgapi, Repository};
use integration::server::free_port;
use integration::wait::until;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, TcpStream};
use std::process::{Child, Stdio};

fn records(daemon: &Imgapi) -> Vec<Value> {
    let parse = |line: &str| serde_json::from_str(line).unwrap_or_else(|_| panic!("no record: {line}"));
    daemon.log_text().lines().map(parse).collect()
}

fn running(configuration: Value) -> (Repository, Imgapi) {
    let repository = Repository::new(configuration).unwrap();
    let daemon = repository.start().unwrap();
    (repository, daemon)
}

/// What all daemons of a repository have said.
fn log_of(repository: &Repository) -> String {
    std::fs::read_to_string(repository.path().join("imgapi.log")).unwrap()
}

#[test]
fn the_log_is_records_that_existing_tools_read_with_the_names_of_requests() {
    let (_repository, daemon) = running(json!({ "authType": "none" }));
    let headers = [("x-request-id", "my-request-1"), ("user-agent", "tester/1")];
    let reply = daemon.ask("GET", "/images?limit=3", &headers, b"").unwrap();
    assert_eq!(reply.header("x-request-id"), Some("my-request-1"));
    let of_request = || {
        records(&daemon)
            .into_iter()
            .find(|record| record["req_id"] == "my-request-1")
    };
    until("the request is recorded", || of_request().is_some());
    let record = of_request().unwrap();
    assert_eq!(record["route"], "listimages");
    assert_eq!(
        record["req"],
        json!({ "method": "GET", "url": "/images?limit=3" })
    );
    assert_eq!(record["res"]["statusCode"], 200);
    assert_eq!(record["userAgent"], "tester/1");
    for record in records(&daemon) {
        assert_eq!((&record["name"], &record["v"]), (&"imgapi".into(), &0.into()));
        assert!(
            record["level"].as_u64().is_some_and(|level| level % 10 == 0),
            "{record}"
        );
        for text in ["hostname", "msg", "time"] {
            assert!(record[text].is_string(), "{record}");
        }
    }
}

#[test]
fn pings_and_secrets_are_not_recorded() {
    let secret = json!({ "bindPassword": "tiger1", "url": "ldap://x" });
    let (_repository, daemon) = running(json!({ "ufds": secret }));
    let headers = [("x-request-id", "ping-1")];
    daemon.ask("GET", "/ping", &headers, b"").unwrap();
    daemon
        .ask("GET", "/images", &[("x-request-id", "list-1")], b"")
        .unwrap();
    until("a later request is recorded", || {
        daemon.log_text().contains("list-1")
    });
    assert!(!daemon.log_text().contains("ping-1"));
    assert!(daemon.log_text().contains("ldap://x") && !daemon.log_text().contains("tiger1"));
}

#[test]
fn the_level_of_the_configuration_decides_what_is_kept() {
    let (repository, daemon) = running(json!({ "logLevel": "warn" }));
    daemon
        .ask("GET", "/images", &[("x-request-id", "list-1")], b"")
        .unwrap();
    assert_eq!(daemon.get("/nothing/here").unwrap().status, 404);
    // Whoever stops writes what is still to be written.
    daemon.stop().unwrap();
    let text = log_of(&repository);
    assert!(
        !text.contains("list-1") && !text.contains("listening on"),
        "{text}"
    );
}

#[test]
fn a_stop_loses_no_record_and_they_stand_in_the_order_of_their_requests() {
    const REQUESTS: usize = 2000;
    let (repository, daemon) = running(json!({ "authType": "none" }));
    let mut talk = daemon.talk().unwrap();
    for number in 0..REQUESTS {
        let id = format!("in-order-{number}");
        let reply = talk.ask("GET", "/images", &[("x-request-id", &id)], b"").unwrap();
        assert_eq!(reply.status, 200);
    }
    assert_eq!(daemon.stop().unwrap(), Some(0));
    let log = log_of(&repository);
    let records = log
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    let numbers = records.filter_map(|record| {
        let id = record["req_id"].as_str()?;
        id.strip_prefix("in-order-")?.parse::<usize>().ok()
    });
    assert!(numbers.eq(0..REQUESTS), "{log}");
}

/// `imgapi logs`, as the user of the server.
fn reader(repository: &Repository, port: u16, arguments: &[&str]) -> Child {
    let server = repository.command(port).unwrap();
    let mut words = vec![server.get_program().to_owned()];
    words.extend(server.get_args().map(ToOwned::to_owned));
    // What comes behind the program is the server's.
    let end = words
        .iter()
        .position(|word| word == "-f")
        .expect("no configuration is named");
    let mut command = std::process::Command::new(&words[0]);
    command.args(&words[1..end]);
    command.arg("logs").args(arguments).arg("-f");
    command.arg(repository.configuration_file());
    command.stdout(Stdio::piped()).stderr(Stdio::null());
    command.spawn().unwrap()
}

#[test]
fn the_log_of_the_running_server_is_followed_at_a_finer_level_also_across_a_restart() {
    let (repository, mut daemon) = running(json!({ "logLevel": "error" }));
    let mut child = reader(&repository, daemon.port, &["--follow", "--level", "trace"]);
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut seen = |daemon: &Imgapi, name: &'static str| {
        // It may not be listening yet: asked until it tells.
        let stop = std::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                    let _ = daemon.ask("GET", "/images", &[("x-request-id", name)], b"");
                    std::thread::sleep(std::time::Duration::from_millis(20));
                }
            });
            let found = lines
                .by_ref()
                .map_while(Result::ok)
                .find(|line| line.contains(name));
            stop.store(true, std::sync::atomic::Ordering::Relaxed);
            found.expect("the log ended")
        })
    };
    let line: Value = serde_json::from_str(&seen(&daemon, "first-1")).unwrap();
    assert_eq!(line["route"], "listimages");
    assert!(!daemon.log_text().contains("first-1"), "it is kept, too");
    let port = free_port().unwrap();
    repository.command(port).unwrap();
    until("it is started again", || {
        TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok()
    });
    daemon.port = port;
    seen(&daemon, "second-2");
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn the_last_records_are_shown_without_following() {
    let (repository, daemon) = running(json!({}));
    let child = reader(&repository, daemon.port, &[]);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    assert!(String::from_utf8_lossy(&output.stdout).contains("Image API listening on"));
    let port = daemon.port;
    daemon.stop().unwrap();
    let without = reader(&repository, port, &[]);
    assert_eq!(without.wait_with_output().unwrap().status.code(), Some(1));
}

fn metrics(port: u16) -> Option<String> {
    let mut talk = Talk::to((Ipv4Addr::LOCALHOST, port).into()).ok()?;
    let reply = talk.ask("GET", "/metrics", &[], b"").ok()?;
    assert_eq!(reply.status, 200);
    let kind = reply.header("content-type").unwrap_or_default().to_owned();
    assert!(kind.starts_with("text/plain"), "{kind}");
    Some(reply.text())
}

#[test]
fn figures_are_served_at_the_admin_address_in_dc_mode() {
    let port = free_port().unwrap();
    let (_repository, daemon) = running(json!({
        "mode": "dc", "datacenterName": "here", "adminIp": "127.0.0.1", "metricsPort": port,
        "serviceName": "imgapi", "instanceUuid": "i-1", "serverUuid": "s-1",
    }));
    let headers = [("user-agent", "sdc-clients/9.0 (x)")];
    daemon.ask("GET", "/images", &headers, b"").unwrap();
    daemon.ask("GET", "/nothing", &headers, b"").unwrap();
    let fixed =
        "datacenter=\"here\",instance=\"i-1\",server=\"s-1\",service=\"imgapi\",buckets_version=\"1\"";
    let line = |route: &str, status: u16| {
        format!(
            "http_requests_completed{{route=\"{route}\",method=\"GET\",user_agent=\"sdc-clients/9.0\",status_code=\"{status}\",{fixed}}} 1"
        )
    };
    // A request is counted when its answer is out, which its reader may see first.
    until("both are counted", || {
        let text = metrics(port).unwrap();
        text.contains(&line("listimages", 200)) && text.contains(&line("unknown", 404))
    });
    let text = metrics(port).unwrap();
    for expected in [
        "# HELP http_requests_completed count of requests completed\n# TYPE http_requests_completed counter\n",
        "# HELP http_request_duration_seconds total time to process requests\n# TYPE http_request_duration_seconds histogram\n",
        ",le=\"0.001\"}",
        ",le=\"4000\"}",
        ",le=\"+Inf\"} 1",
        "process_",
        "imgapi_jobs_queued",
    ] {
        assert!(text.contains(expected), "{expected}\n{text}");
    }
}

#[test]
fn elsewhere_figures_are_served_only_where_the_configuration_says_so() {
    let port = free_port().unwrap();
    let (_repository, _daemon) = running(json!({ "metricsPort": port }));
    assert!(metrics(port).is_none());
    let (_repository, _daemon) = running(json!({ "metricsPort": port, "metricsAddress": "127.0.0.1" }));
    assert!(metrics(port).is_some_and(|text| text.contains("http_requests_completed")));
}
