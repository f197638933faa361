//! What the flags of the tool promise, on trees of this host and a server of its own.

use anyhow::{Context, Result, ensure};
use integration::programs::program;
use integration::server::{Home, ImageServer};
use integration::tool::Tool;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Where nothing happened for so long, nothing will.
const PATIENCE: Duration = Duration::from_secs(60);

struct Stage {
    directory: tempfile::TempDir,
    home: Home,
    server: ImageServer,
}

impl Stage {
    /// A server with the directory `d`, and files to work with.
    fn new() -> Result<Self> {
        let directory = tempfile::Builder::new().prefix("imagewright-flags.").tempdir()?;
        let home = Home::new()?;
        let server = home.start_insecure(&[])?;
        let stage = Self {
            directory,
            home,
            server,
        };
        stage.tool().must(&["mkdir", "d"])?;
        Ok(stage)
    }

    fn tool(&self) -> Tool {
        Tool::new(&self.server, &self.path("none"), self.directory.path())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    /// Writes files below `name`, all of the same time.
    fn tree(&self, name: &str, files: &[(&str, &str)], unix_seconds: u64) -> Result<String> {
        for (path, content) in files {
            let path = self.path(name).join(path);
            std::fs::create_dir_all(path.parent().context("no parent")?)?;
            std::fs::write(&path, content)?;
            let time = std::time::UNIX_EPOCH + Duration::from_secs(unix_seconds);
            std::fs::File::options()
                .write(true)
                .open(&path)?
                .set_modified(time)?;
        }
        Ok(self.text(name))
    }

    fn objects(&self) -> Result<usize> {
        let output = Command::new("find")
            .arg(self.home.objects())
            .args(["-type", "f", "-not", "-path", "*/.*"])
            .output()?;
        Ok(String::from_utf8(output.stdout)?.lines().count())
    }
}

const OLD: u64 = 1_700_000_000;
const NEW: u64 = 1_795_000_000;

#[test]
fn times_of_what_did_not_change_are_taken_from_another_image() {
    let stage = Stage::new().unwrap();
    let tool = stage.tool();
    let old = stage
        .tree("old", &[("same", "same"), ("other", "old")], OLD)
        .unwrap();
    let new = stage
        .tree("new", &[("same", "same"), ("other", "new")], NEW)
        .unwrap();
    tool.must(&["add", "d/old", &old, "", ""]).unwrap();
    tool.must(&["-copyMtimesFrom=d/old", "add", "d/new", &new, "", ""])
        .unwrap();
    assert_eq!(
        tool.must(&["-skipFields=mlugsd", "show", "d/new"]).unwrap(),
        format!(
            "{:25}/\n18 Nov 2026 11:06:40 UTC /other\n14 Nov 2023 22:13:20 UTC /same\n",
            ""
        )
    );
}

#[test]
fn required_paths_are_asked_of_images_with_a_filter() {
    let stage = Stage::new().unwrap();
    let tool = stage.tool();
    let tree = stage.tree("tree", &[("etc/passwd", "root\n")], NEW).unwrap();
    std::fs::write(stage.path("empty"), "").unwrap();
    let empty = stage.text("empty");
    let refused = tool.run(&["add", "d/1", &tree, &empty, ""]).unwrap();
    assert_eq!(refused.code, 1);
    assert_eq!(
        refused.err,
        "error adding image: \"d/1\": VerifyRequiredPaths(): missing path: /usr\n"
    );
    assert_eq!(tool.must(&["list"]).unwrap(), "");
    tool.must(&[
        "-requiredPaths=/etc:d,/etc/passwd:f",
        "add",
        "d/1",
        &tree,
        &empty,
        "",
    ])
    .unwrap();
    // A sparse image need not be a whole system.
    tool.must(&["add", "d/2", &tree, "", ""]).unwrap();
    assert_eq!(tool.must(&["list"]).unwrap(), "d/1\nd/2\n");
}

#[test]
fn an_image_expires_when_it_was_told_to() {
    let stage = Stage::new().unwrap();
    let tool = stage.tool();
    let tree = stage.tree("tree", &[("a", "a")], NEW).unwrap();
    tool.must(&["-expiresIn=2h", "add", "d/1", &tree, "", ""])
        .unwrap();
    let told = tool.must(&["get-image-expiration", "d/1"]).unwrap();
    assert!(told.starts_with("image expires at 20"), "{told}");
    assert!(
        told.contains(" +0000 UTC (in 1h59m") || told.contains(" (in 2h0m"),
        "{told}"
    );
    tool.must(&["add", "d/2", &tree, "", ""]).unwrap();
    assert_eq!(
        tool.must(&["get-image-expiration", "d/2"]).unwrap(),
        "image does not expire\n"
    );
}

#[test]
fn logs_and_notes_are_objects_if_they_are_files_and_addresses_if_not() {
    let stage = Stage::new().unwrap();
    let tool = stage.tool();
    let tree = stage.tree("tree", &[("a", "a")], NEW).unwrap();
    std::fs::write(stage.path("log"), "built by hand\n").unwrap();
    let log = format!("-buildLog={}", stage.text("log"));
    tool.must(&[
        &log,
        "-releaseNotes=http://example.com/n",
        "add",
        "d/1",
        &tree,
        "",
        "",
    ])
    .unwrap();
    let shown: serde_json::Value =
        serde_json::from_str(&tool.must(&["show-metadata", "d/1"]).unwrap()).unwrap();
    let hash = hash::of(b"built by hand\n").to_string();
    assert_eq!(shown["BuildLog"]["Object"], hash);
    assert_eq!(shown["ReleaseNotes"]["URL"], "http://example.com/n");
    assert_eq!(tool.must(&["get-build-log", "d/1"]).unwrap(), "built by hand\n");
}

#[test]
fn computed_files_are_empty_unless_their_content_lies_here() {
    let stage = Stage::new().unwrap();
    let tool = stage.tool();
    let files = [("etc/made", "template"), ("etc/other", "x")];
    let tree = stage.tree("tree", &files, NEW).unwrap();
    std::fs::write(stage.path("list"), "/etc/made host:6977\n").unwrap();
    let list = format!("-computedFiles={}", stage.text("list"));
    tool.must(&[&list, "add", "d/1", &tree, "", ""]).unwrap();
    let line = tool
        .must(&["-skipFields=t", "show-inode", "d/1", "/etc/made"])
        .unwrap();
    assert!(line.ends_with("   computed /etc/made <- host:6977\n"), "{line}");

    let read = |at: &str| std::fs::read_to_string(stage.path(at).join("etc/made")).unwrap();
    tool.must(&["get", "d/1", &stage.text("empty")]).unwrap();
    assert_eq!(read("empty"), "");
    stage.tree("root", &[("etc/made", "made here")], NEW).unwrap();
    let root = format!("-computedFilesRoot={}", stage.text("root"));
    tool.must(&[&root, "get", "d/1", &stage.text("full")]).unwrap();
    assert_eq!(read("full"), "made here");
    tool.must(&[&root, "tar", "d/1", &stage.text("full.tar")])
        .unwrap();
    let output = Command::new("tar")
        .args(["-xOf", &stage.text("full.tar"), "./etc/made"])
        .output()
        .unwrap();
    assert_eq!(output.stdout, b"made here");

    let nothing = format!("-computedFilesRoot={}", stage.text("tree/etc"));
    let refused = tool.run(&[&nothing, "get", "d/1", &stage.text("never")]).unwrap();
    assert_eq!(
        (refused.code, refused.err.as_str()),
        (1, "error getting image: missing computed file: /etc/made\n")
    );
    assert!(!stage.path("never").exists());
}

#[test]
fn a_compressed_archive_holds_the_same_as_a_plain_one() {
    let stage = Stage::new().unwrap();
    let tool = stage.tool();
    let tree = stage.tree("tree", &[("etc/a", "aaaa"), ("b", "b")], NEW).unwrap();
    std::fs::hard_link(stage.path("tree/b"), stage.path("tree/c")).unwrap();
    tool.must(&["add", "d/1", &tree, "", ""]).unwrap();
    tool.must(&["tar", "d/1", &stage.text("plain")]).unwrap();
    tool.must(&["-compress", "tar", "d/1", &stage.text("packed")])
        .unwrap();
    let plain = std::fs::read(stage.path("plain")).unwrap();
    let unpacked = Command::new("gzip")
        .args(["-dc"])
        .stdin(std::fs::File::open(stage.path("packed")).unwrap())
        .output()
        .unwrap();
    assert!(unpacked.status.success() && unpacked.stdout == plain);
    // Without a file name the same goes to standard output, here bytes that are all text.
    assert_eq!(tool.must(&["tar", "d/1"]).unwrap().into_bytes(), plain);

    let field = |member: usize, from: usize, length: usize| {
        let start = member * 512 + from;
        String::from_utf8_lossy(&plain[start..start + length])
            .trim_end_matches('\0')
            .to_owned()
    };
    assert_eq!(
        (field(0, 0, 100), field(0, 100, 8)),
        ("./".to_owned(), "0040755".to_owned())
    );
    assert_eq!(
        field(0, 136, 12).trim_start_matches('0'),
        "",
        "a directory has no time"
    );
    assert_eq!(
        (field(1, 0, 100), field(1, 100, 8)),
        ("./b".to_owned(), "0100644".to_owned())
    );
    // Behind the content of b: the second name of the same inode.
    assert_eq!(
        (field(3, 0, 100), field(3, 156, 1), field(3, 157, 100)),
        ("./c".to_owned(), "1".to_owned(), "./b".to_owned())
    );
    assert_eq!(field(3, 265, 64), "", "owners have numbers only");
}

#[test]
fn trees_are_compared_without_what_their_common_filter_leaves_out() {
    let stage = Stage::new().unwrap();
    let tool = stage.tool();
    let one = stage
        .tree("one", &[("etc/a", "1"), ("tmp/x", "1"), ("var/y", "1")], NEW)
        .unwrap();
    let two = stage
        .tree("two", &[("etc/a", "2"), ("tmp/x", "2"), ("var/y", "2")], NEW)
        .unwrap();
    tool.must(&["add", "d/sparse", &one, "", ""]).unwrap();
    std::fs::write(stage.path("tmp-filter"), "/tmp/.*\n").unwrap();
    std::fs::write(stage.path("var-filter"), "/var/.*\n").unwrap();
    tool.must(&[
        "-requiredPaths=",
        "add",
        "d/whole",
        &two,
        &stage.text("tmp-filter"),
        "",
    ])
    .unwrap();
    let differing = |flags: &[&str]| {
        let mut arguments = vec!["-skipFields=mlugst", "-diffArgs=-U0"];
        arguments.extend(flags);
        arguments.extend(["diff", "diff", "d/sparse", "d/whole"]);
        let text = tool.must(&arguments).unwrap();
        let lines = text.lines().filter_map(|line| line.strip_prefix("-/"));
        let names = lines.filter_map(|line| line.split(' ').next());
        names.map(str::to_owned).collect::<Vec<_>>().join(" ")
    };
    // What the image's filter names was never in it: the other side leaves it out, too.
    assert_eq!(differing(&[]), "etc/a var/y");
    assert_eq!(differing(&["-ignoreFilters"]), "etc/a tmp/x var/y");
    let delete = format!("-deleteFilter={}", stage.text("var-filter"));
    assert_eq!(differing(&[&delete]), "etc/a tmp/x");
    let filter = format!("-filterFile={}", stage.text("var-filter"));
    assert_eq!(differing(&[&filter]), "etc/a");
}

#[test]
fn an_image_made_of_another_is_filtered_by_the_delete_filter_given() {
    let stage = Stage::new().unwrap();
    let tool = stage.tool();
    let files = [("etc/a", "1"), ("tmp/x", "1"), ("var/y", "1")];
    let tree = stage.tree("tree", &files, NEW).unwrap();
    for name in ["tmp", "var"] {
        std::fs::write(stage.path(name), format!("/{name}/.*\n")).unwrap();
    }
    let add = ["-requiredPaths=", "add", "d/base", &tree, &stage.text("tmp"), ""];
    tool.must(&add).unwrap();
    tool.must(&["addi", "d/all", "d/base", "", ""]).unwrap();
    let delete = format!("-deleteFilter={}", stage.text("var"));
    tool.must(&[&delete, "addi", "d/less", "d/base", "", ""]).unwrap();
    let has = |image: &str, path: &str| tool.run(&["show-inode", image, path]).unwrap().code == 0;
    assert!(has("d/all", "/var/y") && has("d/less", "/etc/a"));
    assert!(!has("d/less", "/var/y"));
}

#[test]
fn a_small_tree_is_compared_with_its_part_of_a_large_one() {
    let stage = Stage::new().unwrap();
    let tool = stage.tool();
    let names: Vec<String> = (0..40).map(|number| format!("file{number}")).collect();
    let all: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "x")).collect();
    let whole = stage.tree("whole", &all, NEW).unwrap();
    let part = stage.tree("part", &[("file7", "y")], NEW).unwrap();
    let (whole, part) = (format!("d:{whole}"), format!("d:{part}"));
    let flags = ["-skipFields=mlugst", "-diffArgs=-U0"];
    let text = tool
        .must(&[flags[0], flags[1], "diff", "diff", &whole, &part])
        .unwrap();
    let differing: Vec<&str> = text.lines().filter(|line| line.contains("/file")).collect();
    assert_eq!(differing.len(), 2, "{text}");
    let text = tool
        .must(&[
            "-ignoreFilters",
            flags[0],
            flags[1],
            "diff",
            "diff",
            &whole,
            &part,
        ])
        .unwrap();
    assert_eq!(
        text.lines().filter(|line| line.contains("/file")).count(),
        41,
        "{text}"
    );
}

#[test]
fn messages_begin_with_the_time_if_asked_for() {
    let stage = Stage::new().unwrap();
    let tool = stage.tool();
    let tree = stage.tree("tree", &[("a", "a")], NEW).unwrap();
    let mut number = 0;
    let mut said = |flags: &[&str]| {
        number += 1;
        let name = format!("d/{number}");
        let mut arguments = flags.to_vec();
        arguments.extend(["add", &name, &tree, "", ""]);
        tool.run(&arguments).unwrap().err
    };
    assert_eq!(said(&[]), "", "nothing is said unless asked for");
    assert!(said(&["-logDebugLevel=0"]).starts_with("Scanned file-system and uploaded "));
    for (flags, pattern) in [
        (
            &["-logDebugLevel=0", "-logDatestamps"][..],
            r"^\d{4}/\d\d/\d\d \d\d:\d\d:\d\d Scanned ",
        ),
        (
            &["-logDebugLevel=0", "-logDatestamps", "-logSubseconds"],
            r"^\d{4}/\d\d/\d\d \d\d:\d\d:\d\d\.\d{6} Scanned ",
        ),
    ] {
        let text = said(flags);
        assert!(regex::Regex::new(pattern).unwrap().is_match(&text), "{text}");
    }
}

/// The pause is so long that a second object would never be sent.
#[test]
fn an_interrupted_add_that_pauses_between_objects_has_sent_one() {
    fn judge(stage: &Stage) -> Result<()> {
        let tree = stage.tree("tree", &[("a", "a"), ("b", "b"), ("c", "c")], NEW)?;
        let mut child = Command::new(program("imagetool")?)
            .arg("-imageServerHostname=127.0.0.1")
            .arg(format!("-imageServerPortNum={}", stage.server.port))
            .args([
                "-certDirectory=",
                "-objectAddInterval=100h",
                "add",
                "d/1",
                &tree,
                "",
                "",
            ])
            .env("HOME", stage.directory.path())
            .stderr(Stdio::piped())
            .spawn()?;
        let deadline = Instant::now() + PATIENCE;
        while stage.objects()? == 0 {
            ensure!(Instant::now() < deadline, "no object arrives");
            std::thread::sleep(Duration::from_millis(20));
        }
        let pid = i32::try_from(child.id())?;
        let pid = rustix::process::Pid::from_raw(pid).context("no process id")?;
        rustix::process::kill_process(pid, rustix::process::Signal::INT)?;
        let output = child.wait()?;
        let mut text = String::new();
        std::io::Read::read_to_string(&mut child.stderr.take().context("no output")?, &mut text)?;
        ensure!(output.code() == Some(130), "{output:?}: {text}");
        ensure!(text.ends_with("interrupted\n"), "{text}");
        ensure!(stage.objects()? == 1, "one object");
        ensure!(stage.tool().must(&["list"])?.is_empty(), "no image");
        Ok(())
    }
    judge(&Stage::new().unwrap()).unwrap();
}

#[test]
fn a_filter_can_come_from_standard_input() {
    fn judge(stage: &Stage) -> Result<String> {
        let tree = stage.tree("tree", &[("etc/a", "a"), ("tmp/b", "b")], NEW)?;
        let mut child = Command::new(program("imagetool")?)
            .arg("-imageServerHostname=127.0.0.1")
            .arg(format!("-imageServerPortNum={}", stage.server.port))
            .args(["-certDirectory=", "-requiredPaths=", "add", "d/1", &tree, "-", ""])
            .env("HOME", stage.directory.path())
            .stdin(Stdio::piped())
            .spawn()?;
        let mut input = child.stdin.take().context("no input")?;
        input.write_all(b"# a comment\n\n/tmp(|/.*)$\n")?;
        drop(input);
        ensure!(child.wait()?.success(), "not added");
        let filter = stage.tool().must(&["show-filter", "d/1"])?;
        ensure!(filter == "/tmp(|/.*)$\n", "{filter:?}");
        stage.tool().must(&["-skipFields=mlugstd", "show", "d/1"])
    }
    assert_eq!(judge(&Stage::new().unwrap()).unwrap(), "/\n/etc\n/etc/a\n");
}

#[test]
fn what_is_no_image_source_is_refused_before_anything_is_sent() {
    let stage = Stage::new().unwrap();
    let tool = stage.tool();
    std::fs::write(stage.path("file"), "some text").unwrap();
    std::fs::write(stage.path("bad.tar"), "no archive").unwrap();
    std::fs::write(stage.path("bad-filter"), "/(\n").unwrap();
    let tree = stage.tree("tree", &[("a", "a")], NEW).unwrap();
    for (source, filter, text) in [
        ("file", "", "unrecognised image type"),
        ("missing", "", "no such file or directory"),
        ("bad.tar", "", ""),
        ("tree", "bad-filter", ""),
    ] {
        let filter = if filter.is_empty() {
            String::new()
        } else {
            stage.text(filter)
        };
        let refused = tool
            .run(&["add", "d/1", &stage.text(source), &filter, ""])
            .unwrap();
        assert_eq!(refused.code, 1, "{source}");
        assert!(
            refused.err.starts_with("error adding image: \"d/1\": ") && refused.err.contains(text),
            "{refused:?}"
        );
    }
    assert_eq!(stage.objects().unwrap(), 0);
    tool.must(&["add", "d/1", &tree, "", ""]).unwrap();
    let again = tool.run(&["add", "d/1", &tree, "", ""]).unwrap();
    assert_eq!(again.err, "error adding image: \"d/1\": image exists\n");
}
