//! `imagewright up`: what it starts is running, stays running, and ends with it.

// A test that cannot prepare its surroundings fails there and then.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use integration::programs::{all_programs, program};
use integration::wait::until;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

struct Up {
    child: Child,
    output: BufReader<ChildStdout>,
    port: u16,
}

fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap().port()
}

fn get(port: u16, path: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.write_all(format!("GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n").as_bytes())?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    Ok(text)
}

impl Up {
    /// The image server alone, by whoever runs the test; root names a user that is on every Debian.
    fn start(directory: &Path) -> Self {
        Self::start_with(directory, &["--no-imgapi"])
    }

    /// Without an image builder, which needs root.
    fn start_with(directory: &Path, arguments: &[&str]) -> Self {
        let port = free_port();
        let mut child = Command::new(all_programs().unwrap().join("imagewright"))
            .args([
                "up",
                "--no-imaginator",
                "--user",
                "nobody",
                "--address",
                "127.0.0.1",
                "--dir",
            ])
            .arg(directory)
            .args(["--imageserver-port", &port.to_string()])
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        Self { child, output, port }
    }

    /// Reads what it prints up to the line that says how to end it.
    fn told(&mut self) -> String {
        let mut text = String::new();
        while !text.contains("Ctrl-C") {
            if self.output.read_line(&mut text).unwrap() == 0 {
                let mut error = String::new();
                self.child
                    .stderr
                    .take()
                    .unwrap()
                    .read_to_string(&mut error)
                    .unwrap();
                panic!("it ended:\n{text}\n{error}");
            }
        }
        text
    }

    fn page(&self) -> std::io::Result<String> {
        get(self.port, "/healthz")
    }

    /// The number of the daemon's process.
    fn daemon(&self) -> Option<u32> {
        let children = format!("/proc/{0}/task/{0}/children", self.child.id());
        let text = std::fs::read_to_string(children).unwrap();
        text.split_whitespace()
            .next()
            .map(|number| number.parse().unwrap())
    }

    fn terminate(&self) {
        signal(self.child.id(), "TERM");
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        if self.child.try_wait().unwrap().is_none() {
            self.terminate();
            let _ = self.child.wait();
        }
    }
}

fn signal(process: u32, name: &str) {
    let status = Command::new("kill")
        .args(["-s", name, &process.to_string()])
        .status();
    assert!(status.unwrap().success());
}

/// A directory that the image server's user can enter.
fn directory() -> tempfile::TempDir {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().unwrap();
    std::fs::set_permissions(directory.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    directory
}

#[test]
fn a_daemon_that_dies_is_started_again_and_all_end_with_it() {
    let place = directory();
    let mut up = Up::start(&place.path().join("home"));
    let told = up.told();
    assert!(told.contains("imagetool -imageServerPortNum="), "{told}");
    let first = up.daemon().unwrap();
    signal(first, "KILL");
    until("another one is running", || {
        up.daemon().is_some_and(|now| now != first)
    });
    until("it answers", || {
        up.page().is_ok_and(|page| page.contains(" 200 "))
    });
    let second = up.daemon().unwrap();
    up.terminate();
    assert!(up.child.wait().unwrap().success());
    assert!(!Path::new(&format!("/proc/{second}")).exists());
}

#[test]
fn the_certificates_it_makes_are_good_for_the_tools_and_kept() {
    let place = directory();
    let home = place.path().join("home");
    let mut up = Up::start(&home);
    up.told();
    let tool = |up: &Up, verb: &[&str]| {
        Command::new(program("imagetool").unwrap())
            .arg(format!("-imageServerPortNum={}", up.port))
            .arg(format!("-certDirectory={}", home.join("administrator").display()))
            .args(verb)
            .output()
            .unwrap()
    };
    let made = tool(&up, &["mkdir", "kept"]);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let authority = std::fs::read(home.join("authority/CA.pem")).unwrap();
    up.terminate();
    assert!(up.child.wait().unwrap().success());
    let mut again = Up::start(&home);
    again.told();
    let listed = tool(&again, &["listdirs"]);
    assert!(String::from_utf8_lossy(&listed.stdout).contains("kept"));
    assert_eq!(std::fs::read(home.join("authority/CA.pem")).unwrap(), authority);
}

#[test]
fn a_directory_in_use_is_refused_in_words() {
    let place = directory();
    let mut first = Up::start(&place.path().join("home"));
    first.told();
    let mut second = Up::start(&place.path().join("home"));
    assert_eq!(second.child.wait().unwrap().code(), Some(2));
    let mut error = String::new();
    second
        .child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut error)
        .unwrap();
    assert!(
        error.contains(&format!("in use by process {}", first.child.id())),
        "{error}"
    );
    assert!(first.page().unwrap().contains(" 200 "));
}

#[test]
fn the_image_repository_comes_up_beside_the_image_server_and_its_configuration_is_kept() {
    let directory = directory();
    let port = free_port().to_string();
    let mut up = Up::start_with(directory.path(), &["--imgapi-port", &port]);
    let told = up.told();
    assert!(told.contains(&format!("http://localhost:{port}/ui")), "{told}");
    let page = get(port.parse().unwrap(), "/ui").unwrap();
    assert!(page.contains("There are no images yet"), "{page}");
    let channels = get(port.parse().unwrap(), "/channels").unwrap();
    assert!(channels.contains("release"), "{channels}");
    drop(up);
    // What the operator made of it counts from now on, its port too.
    let configuration = directory.path().join("imgapi/imgapi.config.json");
    let text = std::fs::read_to_string(&configuration).unwrap();
    let mut changed: serde_json::Value = serde_json::from_str(&text).unwrap();
    let port = free_port();
    changed["port"] = port.into();
    changed["channels"][1]["name"] = "approved".into();
    std::fs::write(&configuration, changed.to_string()).unwrap();
    let mut up = Up::start_with(directory.path(), &[]);
    up.told();
    let channels = get(port, "/channels").unwrap();
    assert!(channels.contains("approved"), "{channels}");
}
