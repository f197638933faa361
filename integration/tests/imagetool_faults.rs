//! A command that cannot go on says so, ends, and takes away what it made and nothing else.

// Helpers stand outside the test functions, where the usual leave to unwrap does not reach.
#![allow(clippy::unwrap_used)]

use anyhow::{Context, Result, ensure};
use integration::programs::program;
use integration::server::{Home, ImageServer};
use integration::tool::Tool;
use rustix::process::{Pid, Signal, kill_process};
use std::io::Read;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// Where nothing happened for so long, nothing will.
const PATIENCE: Duration = Duration::from_secs(60);

/// More than what pipes, sockets and programs hold on the way, so that a transfer nobody reads stands still.
const CONTENT_BYTES: usize = 64 << 20;

struct Stage {
    directory: tempfile::TempDir,
    home: Home,
    server: Option<ImageServer>,
    port: u16,
}

impl Stage {
    /// A server with the image `d/1` of one large file and a small one.
    fn new() -> Result<Self> {
        let directory = tempfile::Builder::new().prefix("imagewright-faults.").tempdir()?;
        let home = Home::new()?;
        let server = home.start_insecure(&[])?;
        let tool = Tool::new(&server, Path::new("/nonexistent"), directory.path());
        let tree = directory.path().join("tree");
        std::fs::create_dir(&tree)?;
        std::fs::write(tree.join("large"), vec![b'x'; CONTENT_BYTES])?;
        std::fs::write(tree.join("small"), "small")?;
        tool.must(&["mkdir", "d"])?;
        tool.must(&["add", "d/1", &tree.display().to_string(), "", ""])?;
        let port = server.port;
        Ok(Self {
            directory,
            home,
            server: Some(server),
            port,
        })
    }

    fn server(&self) -> Result<&ImageServer> {
        self.server.as_ref().context("it was killed")
    }

    fn kill_server(&mut self) -> Result<()> {
        self.server.take().context("it was killed")?.kill()
    }

    fn tool(&self) -> Result<Tool> {
        let home = self.directory.path();
        Ok(Tool::new(self.server()?, Path::new("/nonexistent"), home))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    /// Starts the tool, its output in pipes that nobody reads yet.
    fn start(&self, arguments: &[&str]) -> Result<Child> {
        Ok(Command::new(program("imagetool")?)
            .arg("-imageServerHostname=127.0.0.1")
            .arg(format!("-imageServerPortNum={}", self.port))
            .arg("-certDirectory=")
            .args(arguments)
            .env("HOME", self.directory.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?)
    }

    fn objects(&self) -> Result<usize> {
        let output = Command::new("find")
            .arg(self.home.objects())
            .args(["-type", "f", "-not", "-path", "*/.*"])
            .output()?;
        Ok(String::from_utf8(output.stdout)?.lines().count())
    }
}

/// What it said and how it ended; kills it and fails if it does not end.
fn end(mut child: Child) -> Result<Output> {
    let deadline = Instant::now() + PATIENCE;
    // What it still writes must not hold it up.
    let mut stdout = child.stdout.take().context("no output")?;
    let drain = std::thread::spawn(move || std::io::copy(&mut stdout, &mut std::io::sink()));
    while child.try_wait()?.is_none() {
        if Instant::now() > deadline {
            child.kill()?;
            anyhow::bail!("it does not end");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let output = child.wait_with_output()?;
    ensure!(drain.join().is_ok(), "reading failed");
    Ok(output)
}

fn signal(id: u32, signal: Signal) -> Result<()> {
    let id = Pid::from_raw(i32::try_from(id)?).context("no process id")?;
    Ok(kill_process(id, signal)?)
}

fn assert_ended(output: &Output, code: i32, start: &str) {
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{text}");
    assert!(text.starts_with(start), "{text}");
    assert_eq!(text.lines().count(), 1, "one line, without progress: {text}");
}

#[test]
fn a_server_that_dies_ends_an_add() {
    fn judge(stage: &mut Stage) -> Result<Output> {
        let tree = stage.path("many");
        std::fs::create_dir(&tree)?;
        for number in 0..1000 {
            std::fs::write(tree.join(number.to_string()), format!("content {number}"))?;
        }
        let before = stage.objects()?;
        let child = stage.start(&["-objectAddInterval=1s", "add", "d/2", &stage.text("many"), "", ""])?;
        let deadline = Instant::now() + PATIENCE;
        while stage.objects()? == before {
            ensure!(Instant::now() < deadline, "no object arrives");
            std::thread::sleep(Duration::from_millis(20));
        }
        stage.kill_server()?;
        end(child)
    }
    let output = judge(&mut Stage::new().unwrap()).unwrap();
    assert_ended(
        &output,
        1,
        "error adding image: \"d/2\": error building image: the connection was lost while sending objects (",
    );
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(
        text.ends_with("try again; what has arrived is not sent again\n"),
        "{text}"
    );
}

#[test]
fn a_server_that_dies_ends_a_transfer() {
    fn judge(stage: &mut Stage) -> Result<Output> {
        let mut child = stage.start(&["tar", "d/1"])?;
        let mut start = [0; 512];
        child
            .stdout
            .as_mut()
            .context("no output")?
            .read_exact(&mut start)?;
        stage.kill_server()?;
        end(child)
    }
    let output = judge(&mut Stage::new().unwrap()).unwrap();
    assert_ended(&output, 1, "error taring image: ");
}

#[test]
fn an_interrupt_ends_a_transfer_that_stands_still() {
    fn judge(stage: &Stage) -> Result<Output> {
        let mut child = stage.start(&["tar", "d/1"])?;
        let mut start = [0; 512];
        child
            .stdout
            .as_mut()
            .context("no output")?
            .read_exact(&mut start)?;
        signal(child.id(), Signal::INT)?;
        end(child)
    }
    let output = judge(&Stage::new().unwrap()).unwrap();
    assert_ended(&output, 130, "error taring image: interrupted");
}

#[test]
fn an_interrupt_ends_a_get_from_a_silent_server_and_leaves_nothing() {
    fn judge(stage: &Stage) -> Result<Vec<Output>> {
        let server = stage.server()?.process_id();
        let mut ended = Vec::new();
        for arguments in [
            ["get", "d/1", &stage.text("got")],
            ["tar", "d/1", &stage.text("got.tar")],
        ] {
            signal(server, Signal::STOP)?;
            let child = stage.start(&arguments)?;
            // Interrupted before or after it has asked: it is the same.
            std::thread::sleep(Duration::from_millis(300));
            signal(child.id(), Signal::INT)?;
            let output = end(child);
            signal(server, Signal::CONT)?;
            ended.push(output?);
        }
        Ok(ended)
    }
    let stage = Stage::new().unwrap();
    for output in judge(&stage).unwrap() {
        assert_eq!(output.status.code(), Some(130), "{output:?}");
    }
    assert!(!stage.path("got").exists());
    assert!(!stage.path("got.tar").exists());
}

#[test]
fn what_cannot_be_fetched_whole_leaves_what_was_there() {
    let stage = Stage::new().unwrap();
    let tool = stage.tool().unwrap();
    let hash = hash::of(b"small").to_string();
    let object = stage
        .home
        .objects()
        .join(&hash[..2])
        .join(&hash[2..4])
        .join(&hash[4..]);
    std::fs::write(object, "SMALL").unwrap();

    let nothing_but = |name: &str, code: i32, arguments: &[&str]| {
        let before = names(stage.directory.path());
        let outcome = tool.run(arguments).unwrap();
        assert_eq!(outcome.code, code, "{name}: {outcome:?}");
        assert_eq!(outcome.err.lines().count(), 1, "{name}: {outcome:?}");
        assert_eq!(names(stage.directory.path()), before, "{name}");
    };
    nothing_but("new directory", 1, &["get", "d/1", &stage.text("new")]);
    std::fs::create_dir(stage.path("mine")).unwrap();
    std::fs::write(stage.path("mine/file"), "mine").unwrap();
    nothing_but("directory that is there", 1, &["get", "d/1", &stage.text("mine")]);
    assert_eq!(names(&stage.path("mine")), ["file"]);
    nothing_but("new archive", 1, &["tar", "d/1", &stage.text("new.tar")]);
    std::fs::write(stage.path("mine.tar"), "mine").unwrap();
    nothing_but(
        "archive that is there",
        1,
        &["tar", "d/1", &stage.text("mine.tar")],
    );
    assert_eq!(std::fs::read_to_string(stage.path("mine.tar")).unwrap(), "mine");
    nothing_but("device", 1, &["tar", "d/1", "/dev/null"]);
    let device = std::fs::symlink_metadata("/dev/null").unwrap();
    assert!(device.file_type().is_char_device());
}

#[test]
fn an_object_that_is_damaged_on_the_server_is_told_as_that() {
    let stage = Stage::new().unwrap();
    let tool = stage.tool().unwrap();
    let hash = hash::of(b"small").to_string();
    let below = |hash: &str| {
        let (first, rest) = hash.split_at(2);
        let (second, rest) = rest.split_at(2);
        stage.home.objects().join(first).join(second).join(rest)
    };
    std::fs::write(below(&hash), "SMALL").unwrap();
    // At first the server withholds the end of it; from then on it knows.
    for round in 0..2 {
        for arguments in [
            vec!["get", "d/1", &stage.text("new")],
            vec!["tar", "d/1", "/dev/null"],
            vec!["get-file-in-image", "d/1", "/small"],
            vec!["save-to-file", "d/1", "/dev/null"],
        ] {
            let outcome = tool.run(&arguments).unwrap();
            assert_eq!(outcome.code, 1, "{outcome:?}");
            assert!(
                outcome.err.contains(&hash) && outcome.err.contains("imagetool list-damaged"),
                "round {round}, {arguments:?}: {outcome:?}"
            );
        }
    }
    let listed = tool.run(&["list-damaged"]).unwrap();
    assert!(listed.out.contains(&hash), "{listed:?}");
}

fn names(directory: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}
