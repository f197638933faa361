//! Connections that are cut, or stand still, after any number of bytes: the client says so and leaves nothing half done,
//! the server forgets the attempt and everything held for it, and the next attempt works.

// Helpers of tests are tests.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use anyhow::{Context, Result, ensure};
use integration::cut_proxy::{CutProxy, Fault};
use integration::images::{make_directory, names};
use integration::plain_call::connect;
use integration::programs::program;
use integration::random::{Random, rounds};
use integration::server::{Home, INSECURE, ImageServer};
use integration::tool::{Outcome, Tool};
use integration::whole::{self, Contents};
use protocol::image_server::CheckImageRequest;
use std::io::{BufRead, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Environment variable with the number of cuts in each direction of each command.
const CUTS_VARIABLE: &str = "IMAGEWRIGHT_CUTS";
const SHORT_CUTS: usize = 10;
/// Environment variable with the seconds for which a connection idles between two calls.
const IDLE_VARIABLE: &str = "IMAGEWRIGHT_IDLE_SECONDS";
/// Where nothing happened for so long, nothing will.
const PATIENCE: Duration = Duration::from_secs(60);

struct Stage {
    server: ImageServer,
    home: Home,
    work: tempfile::TempDir,
    random: Random,
}

impl Stage {
    fn new(test: &str) -> Result<Self> {
        let home = Home::new()?;
        // Else a client on the same host leaves the connection for a socket of its own.
        let server = home.start(&[INSECURE, &["-srpcUnixSocketPath="]].concat())?;
        make_directory(&server, "d")?;
        Ok(Self {
            server,
            home,
            work: tempfile::tempdir()?,
            random: Random::for_test(test),
        })
    }

    fn tool(&self) -> Tool {
        Tool::new(&self.server, Path::new("/nonexistent"), self.home.path())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.work.path().join(name)
    }

    /// A tree of new contents: some small files and one that is sent in pieces.
    fn tree(&mut self, name: &str) -> Result<(String, Contents)> {
        let mut contents: Contents = (0..8)
            .map(|number| (format!("file{number}"), self.random.bytes(700)))
            .collect();
        contents.insert("large".to_owned(), self.random.bytes((1 << 20) + 100_000));
        let tree = self.path(name);
        std::fs::create_dir(&tree)?;
        for (path, content) in &contents {
            std::fs::write(tree.join(path), content)?;
        }
        Ok((tree.display().to_string(), contents))
    }

    /// Adds an image without any fault.
    fn put(&mut self, name: &str) -> Result<Contents> {
        let (tree, contents) = self.tree(&format!("tree-{}", name.replace('/', "-")))?;
        self.tool().must(&["add", name, &tree, "", ""])?;
        Ok(contents)
    }

    /// Runs a command through a fault. Its outcome, and the bytes that went each way.
    fn through(&self, fault: Fault, arguments: &[&str]) -> Result<(Outcome, (u64, u64))> {
        let proxy = CutProxy::new(self.server.address(), fault)?;
        let outcome = self.tool().at_port(proxy.port()).run(arguments)?;
        if outcome.code != 0 {
            ensure!(outcome.code == 1, "{fault:?}: {outcome:?}");
            ensure!(
                outcome.err.trim_end().lines().count() == 1,
                "{fault:?}: {outcome:?}"
            );
        }
        Ok((outcome, proxy.bytes()))
    }

    /// Cuts at many places of a conversation of so many bytes each way: its beginning, its end, and any.
    fn cuts(&mut self, (up, down): (u64, u64)) -> Vec<Fault> {
        let count = rounds(CUTS_VARIABLE, SHORT_CUTS);
        let mut faults = Vec::new();
        for (total, fault) in [
            (up, Fault::CutToServer as fn(u64) -> Fault),
            (down, Fault::CutToClient),
        ] {
            let places = [0, 1, 40, total / 2, total.saturating_sub(1)].into_iter();
            let mut random = self.random.fork();
            let further = std::iter::from_fn(|| Some(random.below(total as usize) as u64));
            faults.extend(places.chain(further).take(count.max(5)).map(fault));
        }
        faults
    }

    fn open_files(&self) -> Result<usize> {
        Ok(std::fs::read_dir(format!("/proc/{}/fd", self.server.process_id()))?.count())
    }

    /// Waits until the server has no more files and connections open than before.
    fn wait_until_freed(&self, before: usize) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        while self.open_files()? > before {
            ensure!(
                Instant::now() < deadline,
                "{} files are open, {before} before",
                self.open_files()?
            );
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }
}

/// Whether the bytes of a fault are far from the end: then the command cannot have succeeded.
fn is_early(fault: Fault, (up, down): (u64, u64)) -> bool {
    match fault {
        Fault::CutToServer(after) => after < up / 2,
        Fault::CutToClient(after) => after < down / 2,
        _ => false,
    }
}

#[test]
fn a_cut_add_is_an_error_and_the_image_whole_or_absent() {
    let mut stage = Stage::new("a_cut_add_is_an_error_and_the_image_whole_or_absent").unwrap();
    let (tree, _) = stage.tree("first").unwrap();
    let (outcome, bytes) = stage
        .through(Fault::None, &["add", "first", &tree, "", ""])
        .unwrap();
    assert_eq!(outcome.code, 0, "{outcome:?}");
    let before = stage.open_files().unwrap();
    for (number, fault) in stage.cuts(bytes).into_iter().enumerate() {
        let name = format!("d/{number}");
        let (tree, contents) = stage.tree(&format!("tree{number}")).unwrap();
        let add = ["add", &name, &tree, "", ""];
        let (outcome, _) = stage.through(fault, &add).unwrap();
        assert!(
            outcome.code == 1 || !is_early(fault, bytes),
            "{fault:?}: {outcome:?}"
        );
        let found = whole::fetch(&stage.server, &name).unwrap();
        match &found {
            Some(found) => assert_eq!(found, &contents, "{fault:?}"),
            None => {
                assert_eq!(outcome.code, 1, "{fault:?}: acknowledged and not there");
                stage.tool().must(&add).context("the next attempt").unwrap();
                assert_eq!(
                    whole::fetch(&stage.server, &name).unwrap(),
                    Some(contents),
                    "{fault:?}"
                );
            }
        }
        std::fs::remove_dir_all(&tree).unwrap();
    }
    // No lease, no staged object, no connection is left.
    stage.wait_until_freed(before).unwrap();
    whole::check_objects_on_disk(&stage.home.objects()).unwrap();
}

#[test]
fn a_cut_get_or_tar_is_an_error_and_leaves_nothing() {
    let mut stage = Stage::new("a_cut_get_or_tar_is_an_error_and_leaves_nothing").unwrap();
    let contents = stage.put("d/1").unwrap();
    for verb in ["get", "tar"] {
        let first = stage.path(&format!("first-{verb}")).display().to_string();
        let (outcome, bytes) = stage.through(Fault::None, &[verb, "d/1", &first]).unwrap();
        assert_eq!(outcome.code, 0, "{outcome:?}");
        let before = stage.open_files().unwrap();
        for (number, fault) in stage.random_cuts(bytes).into_iter().enumerate() {
            let target = stage.path(&format!("{verb}{number}"));
            let text = target.display().to_string();
            let (outcome, _) = stage.through(fault, &[verb, "d/1", &text]).unwrap();
            assert!(
                outcome.code == 1 || !is_early(fault, bytes),
                "{fault:?}: {outcome:?}"
            );
            if outcome.code == 1 {
                let left: Vec<_> = std::fs::read_dir(stage.work.path())
                    .unwrap()
                    .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
                    .filter(|name| name.contains(&format!("{verb}{number}")))
                    .collect();
                assert!(left.is_empty(), "{fault:?}: {left:?}");
                stage
                    .tool()
                    .must(&[verb, "d/1", &text])
                    .context("the next attempt")
                    .unwrap();
            }
            if verb == "get" {
                for (path, content) in &contents {
                    assert_eq!(
                        &std::fs::read(target.join(path)).unwrap(),
                        content,
                        "{fault:?}: {path}"
                    );
                }
                std::fs::remove_dir_all(&target).unwrap();
            } else {
                let size = std::fs::metadata(&target).unwrap().len();
                assert_eq!(size, std::fs::metadata(&first).unwrap().len(), "{fault:?}");
                std::fs::remove_file(&target).unwrap();
            }
        }
        stage.wait_until_freed(before).unwrap();
    }
}

impl Stage {
    /// As [`cuts`](Self::cuts) where the stage is borrowed.
    fn random_cuts(&self, bytes: (u64, u64)) -> Vec<Fault> {
        let mut random = self.random.clone();
        let count = rounds(CUTS_VARIABLE, SHORT_CUTS);
        (0..count)
            .flat_map(|number| {
                let place = |total: u64, random: &mut Random| match number {
                    0 => 0,
                    1 => total.saturating_sub(1),
                    _ => random.below(total as usize) as u64,
                };
                [
                    Fault::CutToServer(place(bytes.0, &mut random)),
                    Fault::CutToClient(place(bytes.1, &mut random)),
                ]
            })
            .collect()
    }
}

#[test]
fn a_cut_delete_deletes_or_does_not() {
    let mut stage = Stage::new("a_cut_delete_deletes_or_does_not").unwrap();
    let contents = stage.put("first").unwrap();
    let (outcome, bytes) = stage.through(Fault::None, &["delete", "first"]).unwrap();
    assert_eq!(outcome.code, 0, "{outcome:?}");
    let tree = stage.path("tree-first").display().to_string();
    for (number, fault) in stage.cuts(bytes).into_iter().enumerate() {
        let name = format!("d/{number}");
        stage.tool().must(&["add", &name, &tree, "", ""]).unwrap();
        let (outcome, _) = stage.through(fault, &["delete", &name]).unwrap();
        // The reply was lost, or the request: only looking tells. A request that was lost half-way does nothing later.
        match whole::fetch(&stage.server, &name).unwrap() {
            Some(found) => {
                assert_eq!(outcome.code, 1, "{fault:?}: acknowledged and there");
                assert_eq!(found, contents);
                stage
                    .tool()
                    .must(&["delete", &name])
                    .context("the next attempt")
                    .unwrap();
            }
            None => assert!(!matches!(fault, Fault::CutToServer(0)), "nobody asked for it"),
        }
        let again = stage.tool().run(&["add", &name, &tree, "", ""]).unwrap();
        assert!(
            again.err.contains("cannot add previously deleted image"),
            "{again:?}"
        );
    }
    assert!(names(&stage.server).unwrap().is_empty());
}

#[test]
fn cut_updates_are_an_error_and_never_a_deletion() {
    let mut stage = Stage::new("cut_updates_are_an_error_and_never_a_deletion").unwrap();
    for number in 0..5 {
        stage.put(&format!("d/{number}")).unwrap();
    }
    let before = stage.open_files().unwrap();
    // Far less than the list takes.
    for after in (0..300).step_by(300 / SHORT_CUTS) {
        let (outcome, _) = stage
            .through(Fault::CutToClient(after), &["get-image-updates"])
            .unwrap();
        assert_eq!(outcome.code, 1, "{after}: {outcome:?}");
        assert!(!outcome.out.contains("DELETE"), "{after}: {outcome:?}");
        assert!(
            !outcome.out.contains("INITIAL list received"),
            "{after}: {outcome:?}"
        );
    }
    stage.wait_until_freed(before).unwrap();
}

#[test]
fn a_connection_that_stands_still_is_in_nobodys_way() {
    let mut stage = Stage::new("a_connection_that_stands_still_is_in_nobodys_way").unwrap();
    stage.put("d/1").unwrap();
    let before = stage.open_files().unwrap();
    let (tree, contents) = stage.tree("stalled").unwrap();
    let got = stage.path("got").display().to_string();
    for (fault, arguments) in [
        (Fault::StallToServer(600_000), vec!["add", "d/2", &tree, "", ""]),
        (Fault::StallToClient(600_000), vec!["get", "d/1", &got]),
    ] {
        let proxy = CutProxy::new(stage.server.address(), fault).unwrap();
        let child = Command::new(program("imagetool").unwrap())
            .args(["-imageServerHostname=127.0.0.1", "-certDirectory="])
            .arg(format!("-imageServerPortNum={}", proxy.port()))
            .args(&arguments)
            .env("HOME", stage.work.path())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let deadline = Instant::now() + PATIENCE;
        while proxy.bytes().0.max(proxy.bytes().1) < 600_000 {
            assert!(Instant::now() < deadline, "{fault:?}: {:?}", proxy.bytes());
            std::thread::sleep(Duration::from_millis(2));
        }
        // Everybody else goes on.
        let name = format!("d/meanwhile-{}", arguments[0]);
        let meanwhile = stage.put(&name).unwrap();
        assert_eq!(whole::fetch(&stage.server, &name).unwrap(), Some(meanwhile));
        drop(proxy);
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{output:?}");
    }
    stage.wait_until_freed(before).unwrap();
    assert!(!Path::new(&got).exists(), "half a copy");
    assert_eq!(whole::fetch(&stage.server, "d/2").unwrap(), None);
    stage.tool().must(&["add", "d/2", &tree, "", ""]).unwrap();
    assert_eq!(whole::fetch(&stage.server, "d/2").unwrap(), Some(contents));
}

/// A call on a connection that is there already.
fn check_image(stream: &mut std::io::BufReader<std::net::TcpStream>) -> Result<()> {
    let mut bytes = b"ImageServer.CheckImage\n".to_vec();
    let request = CheckImageRequest {
        image_name: "d/1".to_owned(),
    };
    gob::Encoder::new().encode(&request, &mut bytes);
    stream.get_mut().write_all(&bytes)?;
    for _ in 0..2 {
        let mut line = String::new();
        stream.read_line(&mut line)?;
        ensure!(line == "\n", "{line:?}");
    }
    let mut decoder = gob::Decoder::new(gob::Limits::default());
    let mut answer = Vec::new();
    loop {
        if let gob::Progress::Value { value, .. } =
            decoder.decode::<protocol::image_server::CheckImageResponse>(&answer)?
        {
            ensure!(value.image_exists, "it is not there");
            return Ok(());
        }
        let more = stream.fill_buf()?;
        ensure!(!more.is_empty(), "connection closed");
        let count = more.len();
        answer.extend_from_slice(more);
        stream.consume(count);
    }
}

#[test]
fn a_connection_may_idle_between_two_calls() {
    let mut stage = Stage::new("a_connection_may_idle_between_two_calls").unwrap();
    let contents = stage.put("d/1").unwrap();
    let mut idle = connect(stage.server.address()).unwrap();
    check_image(&mut idle).unwrap();
    // Others come and go meanwhile.
    let started = Instant::now();
    let seconds = rounds(IDLE_VARIABLE, 0) as u64;
    loop {
        assert_eq!(
            whole::fetch(&stage.server, "d/1").unwrap().as_ref(),
            Some(&contents)
        );
        if started.elapsed() >= Duration::from_secs(seconds) {
            break;
        }
        std::thread::sleep(Duration::from_millis(200));
    }
    check_image(&mut idle).unwrap();
}
