//! What verbs of the tool do where no recorded command shows it.

// Helpers of tests are tests.
#![allow(clippy::unwrap_used)]

mod looking;
mod making;

use image::{Annotation, Image, Package, Trigger, Triggers};
use integration::images::{add_trusted, delete, get, image, make_directory, put, store};
use integration::programs::program;
use integration::server::{Home, ImageServer};
use integration::tool::{Outcome, Tool};
use integration::web::WebServer;
use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

struct Stage {
    directory: tempfile::TempDir,
    home: Home,
    server: ImageServer,
    tool: Tool,
}

impl Stage {
    fn new() -> Stage {
        let directory = tempfile::Builder::new()
            .prefix("imagewright-verbs.")
            .tempdir()
            .unwrap();
        let home = Home::new().unwrap();
        let server = home.start_insecure(&[]).unwrap();
        make_directory(&server, "d").unwrap();
        let tool = Tool::new(&server, &directory.path().join("none"), directory.path());
        Stage {
            directory,
            home,
            server,
            tool,
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    fn must(&self, arguments: &[&str]) -> String {
        self.tool.must(arguments).unwrap()
    }

    /// What a command said that must not work.
    fn refused(&self, arguments: &[&str]) -> String {
        refused(&self.tool.run(arguments).unwrap())
    }
}

fn refused(outcome: &Outcome) -> String {
    assert!(outcome.code == 1 && outcome.out.is_empty(), "{outcome:?}");
    outcome.err.clone()
}

fn package(name: &str, version: &str, size: u64) -> Package {
    Package {
        name: name.to_owned(),
        version: version.to_owned(),
        size,
    }
}

/// An image with everything that verbs show.
fn rich() -> Image {
    Image {
        filter: Some(image::filter::parse_lines(b"/tmp/.*\n")),
        triggers: Some(Triggers {
            triggers: vec![Trigger {
                match_lines: vec!["/etc/.*".to_owned()],
                service: "all".to_owned(),
                ..Trigger::default()
            }],
        }),
        build_log: Some(Annotation {
            object: Some(hash::of(b"built \xc2\xb5\rin \xe2\x86\x92 steps\n")),
            url: String::new(),
        }),
        packages: vec![
            package("bash", "5.2", 7 << 20),
            package("libc6", "2.41-12", 13 << 20),
        ],
        created_on: gob::Time::new(1_795_000_000, 0, gob::Zone::Utc),
        created_by: "builder".to_owned(),
        ..image(&[("file", b"content\n"), ("other", b"more\n")])
    }
}

/// A server with [`rich`] as `d/1`, which also lies in a file; the four names it has.
fn with_rich(stage: &Stage) -> Vec<String> {
    store(
        &stage.server,
        &[
            b"content\n",
            b"more\n",
            b"built \xc2\xb5\rin \xe2\x86\x92 steps\n",
        ],
    )
    .unwrap();
    add_trusted(&stage.server, "d/1", rich()).unwrap();
    let file = format!("l:{}", stage.home.images().join("d/1").display());
    ["d/1", "i:d/1", "I:d", &file].map(str::to_owned).to_vec()
}

#[test]
fn changes_are_printed_as_they_happen_until_the_connection_ends() {
    let stage = Stage::new();
    put(&stage.server, "d/1", &[("file", b"content")]).unwrap();
    let mut child = Command::new(program("imagetool").unwrap())
        .args(stage.tool.flags())
        .arg("get-image-updates")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut next = || lines.next().unwrap().unwrap();
    let expected = ["DIR: .", "DIR: d", "INIT: d/1", "INITIAL list received"];
    assert_eq!(expected.map(|_| next()), expected);
    stage.must(&["mkdir", "e"]);
    assert_eq!(next(), "MKDIR: e");
    let expiring = Image {
        expires_at: (std::time::SystemTime::now() + Duration::from_secs(3600)).into(),
        ..image(&[])
    };
    add_trusted(&stage.server, "e/1", expiring).unwrap();
    assert_eq!(next(), "ADD: e/1");
    stage.must(&["-expiresIn=2h", "change-image-expiration", "e/1"]);
    assert_eq!(next(), "ADD: e/1");
    stage.must(&["delete", "d/1"]);
    assert_eq!(next(), "DELETE: d/1");
    stage.must(&["mkdir", "f"]);
    stage.must(&["rmdir", "f"]);
    assert_eq!([next(), next()], ["MKDIR: f", "DELETE DIRECTORY: f"]);
    let Stage { server, .. } = stage;
    server.stop().unwrap();
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(1));
    assert!(said.starts_with("error getting image updates: "), "{said}");
}

#[test]
fn a_replica_names_its_master_and_is_waited_for_until_it_has_what_the_master_has() {
    let master = Stage::new();
    put(&master.server, "d/1", &[("file", b"content")]).unwrap();
    assert_eq!(master.must(&["get-replication-master"]), "");
    let home = Home::new().unwrap();
    let port = format!("-imageServerPortNum={}", master.server.port);
    let replica = home
        .start_insecure(&["-imageServerHostname=127.0.0.1", &port])
        .unwrap();
    let tool = Tool::new(&replica, &home.path().join("none"), home.path());
    assert_eq!(
        tool.must(&["get-replication-master"]).unwrap(),
        format!("127.0.0.1:{}\n", master.server.port)
    );
    tool.must(&["-timeout=10m", "wait", "d/1"]).unwrap();
    // Time is up: no is no failure, and says nothing.
    let none = tool.run(&["-timeout=100ms", "wait", "d/2"]).unwrap();
    assert_eq!((none.code, none.err.as_str(), none.out.as_str()), (1, "", ""));
    // The master is asked first; here it is the server itself, at the one port that both have.
    let none = master
        .tool
        .run(&[
            "-masterImageServerHostname=127.0.0.1",
            "-timeout=10m",
            "wait",
            "d/2",
        ])
        .unwrap();
    assert_eq!(
        (none.code, none.err.as_str()),
        (1, "image not present on master: 127.0.0.1\n")
    );
    master.must(&[
        "-masterImageServerHostname=127.0.0.1",
        "-timeout=10m",
        "wait",
        "d/1",
    ]);
    delete(&master.server, "d/1").unwrap();
}
