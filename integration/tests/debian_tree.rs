//! A real Debian tree comes back as it was: names, types, owners, modes, links, devices, contents, times of files.
//!
//! The tree is read from `IMAGEWRIGHT_DEBIAN_TREE`, which the test command sets to a debootstrapped one.

// Helpers of tests: what goes wrong here is a failed test.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use anyhow::{Context, Result, ensure};
use integration::server::Home;
use integration::tool::Tool;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What a tool may leave out or add, by the first word of a line of `scripts/tree-listing.sh`.
const NOT_OF_THE_SOURCE: &[&str] = &["./var/lib/initial-image"];

fn listing(tree: &Path) -> Result<Vec<String>> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/tree-listing.sh");
    let output = Command::new("bash").arg(script).arg(tree).output()?;
    ensure!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let keep = |line: &&str| !NOT_OF_THE_SOURCE.contains(&line.split(' ').next().unwrap_or_default());
    Ok(text.lines().filter(keep).map(str::to_owned).collect())
}

fn source() -> Option<PathBuf> {
    std::env::var_os("IMAGEWRIGHT_DEBIAN_TREE")
        .map(PathBuf::from)
        .filter(|path| path.is_dir())
}

fn assert_same(left: &[String], right: &[String]) {
    let only = |of: &[String], other: &[String]| -> Vec<String> {
        let other: std::collections::HashSet<&String> = other.iter().collect();
        of.iter()
            .filter(|line| !other.contains(line))
            .take(10)
            .cloned()
            .collect()
    };
    assert!(
        left == right,
        "only in the source: {:#?}\nonly in the copy: {:#?}",
        only(left, right),
        only(right, left)
    );
}

/// Lines of a listing without `time 1795331306.2271033890`.
fn without_times(lines: &[String]) -> Vec<String> {
    let time = regex::Regex::new(r" time \d+\.\d+").unwrap();
    lines
        .iter()
        .map(|line| time.replace(line, "").into_owned())
        .collect()
}

fn file_mode_line_count(lines: &str) -> usize {
    lines.lines().count()
}

#[test]
fn a_debian_tree_comes_back_as_it_was() {
    let name = "a_debian_tree_comes_back_as_it_was";
    let Some(source) = source() else {
        return integration::skip(
            name,
            "IMAGEWRIGHT_DEBIAN_TREE names no tree: run it through `make test`",
        );
    };
    if !rustix::process::geteuid().is_root() {
        return integration::skip(name, "needs root: owners and devices");
    }
    round_trip(&source).unwrap();
}

fn round_trip(source: &Path) -> Result<()> {
    let work = tempfile::Builder::new().prefix("imagewright-debian.").tempdir()?;
    let home = Home::new()?;
    let server = home.start_insecure(&[])?;
    let tool = Tool::new(&server, &work.path().join("none"), work.path());
    let path = |name: &str| work.path().join(name).display().to_string();
    std::fs::write(work.path().join("filter"), "")?;
    let source_text = source.display().to_string();

    tool.must(&["mkdir", "debian"])?;
    tool.must(&["add", "debian/1", &source_text, &path("filter"), ""])?;
    let objects = count_files(&home.objects())?;
    tool.must(&["add", "debian/2", &source_text, &path("filter"), ""])?;
    ensure!(
        count_files(&home.objects())? == objects,
        "an unchanged tree stores nothing new"
    );
    ensure!(tool.must(&["list"])? == "debian/1\ndebian/2\n", "both are listed");

    tool.must(&["get", "debian/1", &path("copy")])?;
    let before = listing(source)?;
    assert_same(&before, &listing(&work.path().join("copy"))?);
    let initial = std::fs::read_to_string(work.path().join("copy/var/lib/initial-image"))?;
    ensure!(initial == "debian/1\n", "{initial:?}");

    tool.must(&["tar", "debian/2", &path("copy.tar")])?;
    std::fs::create_dir(work.path().join("untarred"))?;
    let status = Command::new("tar")
        .args([
            "--numeric-owner",
            "-xpf",
            &path("copy.tar"),
            "-C",
            &path("untarred"),
        ])
        .status()?;
    ensure!(status.success(), "tar cannot read it");
    // The original rounds a tar's times to whole seconds, and so do we.
    assert_same(
        &without_times(&before),
        &without_times(&listing(&work.path().join("untarred"))?),
    );

    let shown = tool.must(&["show", "debian/1"])?;
    ensure!(file_mode_line_count(&shown) > 1000, "every entry is shown");
    ensure!(
        tool.must(&["diff", "diff", "debian/1", "debian/2"])?.is_empty(),
        "they are the same"
    );
    tool.must(&["delete", "debian/1"])?;
    ensure!(tool.run(&["check", "debian/1"])?.code == 1, "it is gone");

    // What was acknowledged is there after a start anew, and whole.
    let shown = tool.must(&["show", "debian/2"])?;
    ensure!(server.stop()? == Some(0), "a clean stop");
    let server = home.start_insecure(&[])?;
    let tool = Tool::new(&server, &work.path().join("none"), work.path());
    ensure!(
        tool.must(&["show", "debian/2"])? == shown,
        "the same listing after a restart"
    );
    tool.must(&["get", "debian/2", &path("again")])?;
    assert_same(&before, &listing(&work.path().join("again"))?);
    let again = tool.run(&["add", "debian/1", &source_text, &path("filter"), ""])?;
    ensure!(
        again.code == 1 && again.err.contains("cannot add previously deleted image"),
        "{again:?}"
    );
    Ok(())
}

fn count_files(directory: &Path) -> Result<usize> {
    let output = Command::new("find")
        .arg(directory)
        .args(["-type", "f", "-not", "-path", "*/.*"])
        .output()?;
    Ok(String::from_utf8(output.stdout)
        .context("file names")?
        .lines()
        .count())
}
