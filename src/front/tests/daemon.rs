//! Promises about a daemon as a process, kept by the example in `examples/daemon.rs`.
#![allow(clippy::unwrap_used)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixDatagram;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// Far more than anything here takes; only a hang reaches it.
const PATIENCE: Duration = Duration::from_secs(30);
/// Anybody but root.
const NOBODY: u32 = 65_534;

/// cargo builds examples before it runs tests.
fn example() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let path = test
        .parent()
        .and_then(Path::parent)
        .unwrap()
        .join("examples/daemon");
    assert!(
        path.exists(),
        "{} is missing: run `cargo build -p front --example daemon`",
        path.display()
    );
    path
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// The example as somebody who is not root.
fn as_user(arguments: &[&str]) -> Command {
    let mut command = Command::new(example());
    command
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    if is_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
    command
}

fn run(arguments: &[&str]) -> (Option<i32>, String) {
    let Output { status, stderr, .. } = as_user(arguments).output().unwrap();
    (status.code(), String::from_utf8(stderr).unwrap())
}

struct Running {
    child: Child,
    directory: tempfile::TempDir,
    port: u16,
    notifications: UnixDatagram,
}

impl Running {
    fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        if is_root() {
            std::os::unix::fs::chown(directory.path(), Some(NOBODY), Some(NOBODY)).unwrap();
        }
        let notify = directory.path().join("notify");
        let notifications = UnixDatagram::bind(&notify).unwrap();
        if is_root() {
            std::os::unix::fs::chown(&notify, Some(NOBODY), None).unwrap();
        }
        notifications.set_read_timeout(Some(PATIENCE)).unwrap();
        let log_directory = format!("-logDir={}", directory.path().join("log").display());
        let mut command = as_user(&[
            "-portNum=0",
            "-listenAddress=127.0.0.1",
            "-CAfile=",
            "-permitInsecureMode",
            "-generateMissingWebcert",
            "-srpcUnixSocketPath=",
            &log_directory,
        ]);
        let child = command.env("NOTIFY_SOCKET", &notify).spawn().unwrap();
        let mut running = Self {
            child,
            directory,
            port: 0,
            notifications,
        };
        running.expect_notification("READY=1");
        let line = running.wait_for_line("Service ready");
        running.port = line.rsplit_once(':').unwrap().1.parse().unwrap();
        running
    }

    fn expect_notification(&self, expected: &str) {
        let mut buffer = [0; 64];
        let length = self.notifications.recv(&mut buffer).unwrap();
        assert_eq!(std::str::from_utf8(&buffer[..length]).unwrap(), expected);
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.directory.path().join("log/latest")).unwrap_or_default()
    }

    /// The first whole line of the log with these words.
    fn wait_for_line(&self, words: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let log = self.log();
            let line = log
                .split_inclusive('\n')
                .find(|line| line.contains(words) && line.ends_with('\n'));
            if let Some(line) = line {
                return line.trim_end().to_owned();
            }
            assert!(Instant::now() < deadline, "{words:?} is not in {log}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    fn ended(&mut self) -> Option<i32> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            assert!(Instant::now() < deadline, "it does not end");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// A session with a call running that never ends.
    fn busy_session(&self) -> TcpStream {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        let call = "CONNECT /_SRPC_/unsecured/JSON HTTP/1.0\n\nExample.Wait\n{\"Args\":[],\"Name\":\"\"}\n";
        stream.write_all(call.as_bytes()).unwrap();
        self.wait_for_line("waiting");
        stream
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended, as most tests want it to.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn root_is_refused_before_anything_else() {
    let mut command = if is_root() {
        Command::new(example())
    } else {
        let mut unshare = Command::new("unshare");
        unshare.args(["--user", "--map-root-user"]).arg(example());
        unshare
    };
    let Output {
        status,
        stdout,
        stderr,
    } = command.args(["-nope"]).output().unwrap();
    assert_eq!(status.code(), Some(1));
    assert_eq!(
        String::from_utf8(stderr).unwrap(),
        "Do not run the example as root\n"
    );
    assert!(stdout.is_empty());
}

#[test]
fn flags_that_are_wrong_or_only_ask_end_the_daemon_as_go_does() {
    let (code, text) = run(&["-h"]);
    assert_eq!(code, Some(0));
    assert!(
        text.starts_with("Usage of front-example:\n  -CAfile string\n"),
        "{text}"
    );
    let (code, text) = run(&["-version"]);
    assert_eq!(code, Some(0));
    assert!(text.starts_with("front-example "), "{text}");
    let (code, text) = run(&["-portNum=x"]);
    assert_eq!(code, Some(2));
    assert!(
        text.starts_with("invalid value \"x\" for flag -portNum: parse error\nUsage of"),
        "{text}"
    );
}

#[test]
fn what_is_fatal_is_said_on_the_terminal_and_in_the_log() {
    let directory = tempfile::tempdir().unwrap();
    if is_root() {
        std::os::unix::fs::chown(directory.path(), Some(NOBODY), Some(NOBODY)).unwrap();
    }
    let log = directory.path().join("log");
    let flag = format!("-logDir={}", log.display());
    let (code, text) = run(&[&flag, "-CAfile=", "-generateMissingWebcert"]);
    assert_eq!((code, text.as_str()), (Some(1), "missing CA\n"));
    assert!(
        std::fs::read_to_string(log.join("latest"))
            .unwrap()
            .ends_with(" missing CA\n")
    );
    let (code, text) = run(&[&flag, "-certFile=/nonexistent/cert.pem"]);
    assert_eq!((code, text.as_str()), (Some(1), "missing certificate\n"));
}

#[test]
fn without_files_the_log_goes_to_standard_error() {
    let (code, text) = run(&["-logDir=", "-CAfile=", "-generateMissingWebcert"]);
    assert_eq!(code, Some(1));
    let lines: Vec<&str> = text.lines().map(|line| line.get(20..).unwrap_or(line)).collect();
    assert!(
        lines[0].starts_with("Startup: ") && lines.last() == Some(&"missing CA"),
        "{text}"
    );
}

#[test]
fn a_log_directory_that_cannot_be_made_is_fatal_and_says_what_to_do() {
    let (code, text) = run(&["-logDir=/nonexistent/parent/log"]);
    assert_eq!(code, Some(1));
    assert!(text.contains("set -logDir"), "{text}");
}

#[test]
fn the_daemon_serves_pages_and_logs_to_its_file_alone() {
    let mut daemon = Running::start();
    let mut stream = TcpStream::connect(("127.0.0.1", daemon.port)).unwrap();
    stream.write_all(b"GET / HTTP/1.0\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(
        answer.contains("front-example status page") && answer.contains("insecure mode"),
        "{answer}"
    );
    assert!(daemon.log().lines().next().unwrap().contains(" Startup: "));
    daemon.signal(Signal::TERM);
    assert_eq!(daemon.ended(), Some(0));
    let mut said = String::new();
    daemon
        .child
        .stdout
        .take()
        .unwrap()
        .read_to_string(&mut said)
        .unwrap();
    BufReader::new(daemon.child.stderr.take().unwrap())
        .read_line(&mut said)
        .unwrap();
    assert_eq!(said, "", "standard output and error lead to the log file");
}

#[test]
fn each_stop_signal_ends_the_daemon_in_order_with_status_zero() {
    for (signal, name) in [
        (Signal::TERM, "SIGTERM"),
        (Signal::INT, "SIGINT"),
        (Signal::HUP, "SIGHUP"),
    ] {
        let mut daemon = Running::start();
        daemon.signal(signal);
        daemon.expect_notification("STOPPING=1");
        assert_eq!(daemon.ended(), Some(0), "{name}");
        let log = daemon.log();
        assert!(log.contains(&format!("stopping because of {name}")), "{log}");
        assert!(log.ends_with(" stopped, 0 calls cut off\n"), "{log}");
    }
}

#[test]
fn a_second_signal_ends_the_daemon_at_once() {
    let mut daemon = Running::start();
    let _session = daemon.busy_session();
    daemon.signal(Signal::TERM);
    daemon.expect_notification("STOPPING=1");
    assert!(
        daemon.child.try_wait().unwrap().is_none(),
        "a running call holds up the stop"
    );
    daemon.signal(Signal::TERM);
    assert_eq!(daemon.ended(), Some(1));
}
