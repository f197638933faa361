//! Builds by `builder-tool` on its own machine, without a daemon (`builder-tool.md §2.2`).
#![allow(
    clippy::unwrap_used,
    reason = "a test ends where something is not as it must be"
)]

use anyhow::Result;
use integration::imaginator::lacks_root;
use integration::programs::program;
use integration::workshop::Place;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

const MANIFEST: (&str, &str) = (
    "manifest",
    r#"{"SourceImage": "base", "FilterLines": ["/etc/left-out"]}"#,
);
const SCRIPT: (&str, &str) = (
    "scripts/own",
    "#! /bin/sh\nenv >/etc/variables\necho x >/etc/left-out\necho said\n",
);

struct Tool<'a> {
    place: &'a Place,
    directory: PathBuf,
}

impl Tool<'_> {
    fn new(place: &Place) -> Result<Tool<'_>> {
        let directory = place.path().join("here");
        fs::create_dir_all(directory.join("tmp"))?;
        Ok(Tool { place, directory })
    }

    /// What it printed, what it said, how it ended.
    fn run(&self, arguments: &[&str]) -> Result<(String, String, i32)> {
        let output = Command::new(program("builder-tool")?)
            .args(["-imageServerHostname=127.0.0.1", "-certDirectory="])
            .arg(format!("-imageServerPortNum={}", self.place.server.port))
            .args(arguments)
            .current_dir(&self.directory)
            .env("HOME", &self.directory)
            .env("TMPDIR", self.directory.join("tmp"))
            .output()?;
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Ok((
            text(output.stdout),
            text(output.stderr),
            output.status.code().unwrap_or(-1),
        ))
    }

    fn manifest(&self, files: &[(&str, &str)]) -> Result<String> {
        self.place.order("local", files)?;
        Ok(self.place.path().join("manifests/local").display().to_string())
    }

    fn left(&self) -> usize {
        fs::read_dir(self.directory.join("tmp")).unwrap().count()
    }
}

#[test]
fn an_image_is_built_from_a_manifest_here_and_its_log_left() -> Result<()> {
    if lacks_root("an_image_is_built_from_a_manifest_here_and_its_log_left") {
        return Ok(());
    }
    let place = Place::new(|_| Ok(()))?;
    let tool = Tool::new(&place)?;
    fs::write(tool.directory.join("v.json"), r#"{"MINE": "of $IMAGE_STREAM"}"#)?;
    let manifest = tool.manifest(&[MANIFEST, SCRIPT, ("tags.json", r#"{"mine": "$MINE"}"#)])?;
    let (out, err, code) = tool.run(&[
        "-variablesFilename=v.json",
        "-expiresIn=2h",
        "build-from-manifest",
        &manifest,
        "mine/local",
    ])?;
    assert_eq!((code, &*err), (0, ""));
    let image = place.fetch(out.trim_end())?;
    assert_eq!(image.tags["mine"], "of mine/local");
    assert_eq!(image.source_image, "base/2026-01-01:00:00:00");
    assert!(image.created_for.is_empty() && image.build_branch.is_empty());
    let lives = image.expires_at.unix_seconds() - image.created_on.unix_seconds();
    assert!((7100..=7300).contains(&lives), "{lives}");
    let log = tool.directory.join("build.log");
    assert!(fs::read_to_string(&log)?.contains("\nsaid\n"));
    assert_eq!(fs::metadata(&log)?.permissions().mode() & 0o7777, 0o444);
    assert_eq!(tool.left(), 0);
    // Again, shown.
    let (_, err, code) = tool.run(&[
        "-alwaysShowBuildLog",
        "build-from-manifest",
        &manifest,
        "mine/local",
    ])?;
    assert_eq!(code, 0);
    assert!(
        err.starts_with("Start of build log ===")
            && err.contains("\nsaid\n")
            && err.contains("End of build log ===")
    );
    // One that fails.
    let bad = tool.manifest(&[MANIFEST, ("scripts/bad", "#! /bin/sh\necho why; exit 4\n")])?;
    let (out, err, code) = tool.run(&["build-from-manifest", &bad, "mine/local"])?;
    assert_eq!((code, &*out), (1, ""));
    assert!(
        err.contains("\nwhy\n") && err.ends_with("error running script: bad: exit status 4\n"),
        "{err}"
    );
    assert_eq!(tool.left(), 0);
    Ok(())
}

#[test]
fn a_tree_is_built_from_a_manifest_here_and_kept_only_if_it_is_whole() -> Result<()> {
    if lacks_root("a_tree_is_built_from_a_manifest_here_and_kept_only_if_it_is_whole") {
        return Ok(());
    }
    let place = Place::new(|_| Ok(()))?;
    let tool = Tool::new(&place)?;
    fs::write(tool.directory.join("v.json"), r#"{"MINE": "1"}"#)?;
    let manifest = tool.manifest(&[MANIFEST, SCRIPT, ("tests/fails", "#! /bin/sh\nexit 1\n")])?;
    let (out, err, code) = tool.run(&["-variablesFilename=v.json", "build-tree-from-manifest", &manifest])?;
    assert_eq!((code, &*err), (0, ""));
    let tree = Path::new(out.trim_end());
    assert!(
        tree.starts_with(tool.directory.join("tmp")) && out.contains("/tree"),
        "{out}"
    );
    let variables = fs::read_to_string(tree.join("etc/variables"))?;
    assert!(
        variables.contains("\nMINE=1\n") && !variables.contains("IMAGE_STREAM"),
        "{variables}"
    );
    assert!(!tree.join("etc/left-out").exists() && tree.join("etc/passwd").exists());
    assert_eq!(tool.left(), 1);
    let bad = tool.manifest(&[MANIFEST, ("scripts/bad", "#! /bin/sh\nexit 4\n")])?;
    let (_, err, code) = tool.run(&["build-tree-from-manifest", &bad])?;
    assert_eq!(code, 1);
    assert!(
        err.ends_with("\nerror processing manifest: error running script: bad: exit status 4\n"),
        "{err}"
    );
    assert_eq!(tool.left(), 1);
    Ok(())
}

#[test]
fn a_manifest_is_carried_out_in_a_tree_that_is_there() -> Result<()> {
    if lacks_root("a_manifest_is_carried_out_in_a_tree_that_is_there") {
        return Ok(());
    }
    let place = Place::new(|_| Ok(()))?;
    let tool = Tool::new(&place)?;
    // The file `manifest` is not even read.
    let manifest = tool.manifest(&[("manifest", "no JSON"), SCRIPT, ("files/etc/new", "new")])?;
    let root = place.path().join("system").display().to_string();
    let (out, err, code) = tool.run(&["process-manifest", &manifest, &root])?;
    assert_eq!((code, &*out), (0, ""));
    // Nothing above it is closed.
    assert!(
        err.starts_with("warning: ")
            && err.contains("others of this host may enter it")
            && err.lines().count() == 1,
        "{err}"
    );
    let etc = place.path().join("system/etc");
    assert_eq!(fs::read_to_string(etc.join("new"))?, "new");
    assert!(etc.join("left-out").exists());
    let (_, err, code) = tool.run(&["process-manifest", &manifest, "/nonexistent"])?;
    assert_eq!(code, 1);
    assert!(
        err.starts_with("error processing manifest: /nonexistent: "),
        "{err}"
    );
    Ok(())
}

#[test]
fn directories_of_the_host_are_seen_while_a_tree_is_built_and_are_not_in_it() -> Result<()> {
    if lacks_root("directories_of_the_host_are_seen_while_a_tree_is_built_and_are_not_in_it") {
        return Ok(());
    }
    let place = Place::new(|_| Ok(()))?;
    let tool = Tool::new(&place)?;
    let seen = place.path().join("seen");
    fs::create_dir(&seen)?;
    fs::write(seen.join("file"), "of the host\n")?;
    let at = seen.display();
    let script = format!("#! /bin/sh\nset -e\ncp {at}/file /etc/copied\n! touch {at}/written\n");
    let manifest = tool.manifest(&[MANIFEST, ("scripts/copy", &script)])?;
    let flag = format!("-bindMounts={at}");
    let (out, err, code) = tool.run(&[&flag, "build-tree-from-manifest", &manifest])?;
    assert_eq!((code, &*err), (0, ""));
    let tree = Path::new(out.trim_end());
    assert_eq!(fs::read_to_string(tree.join("etc/copied"))?, "of the host\n");
    assert!(!tree.join(seen.strip_prefix("/")?).exists());
    assert_eq!(fs::read_dir(&seen)?.count(), 1);
    Ok(())
}

#[test]
fn times_of_files_that_a_filter_names_are_not_taken_from_the_last_image() -> Result<()> {
    if lacks_root("times_of_files_that_a_filter_names_are_not_taken_from_the_last_image") {
        return Ok(());
    }
    let place = Place::new(|_| Ok(()))?;
    let tool = Tool::new(&place)?;
    fs::write(tool.directory.join("filter"), "/etc/new-time\n")?;
    let files = [
        MANIFEST,
        ("files/etc/new-time", "one"),
        ("files/etc/old-time", "two"),
    ];
    let manifest = tool.manifest(&files)?;
    let times = || -> Result<Vec<(i64, i32)>> {
        let flag = "-mtimesCopyFilterFile=filter";
        let (out, err, code) = tool.run(&[flag, "build-from-manifest", &manifest, "mine/timed"])?;
        assert_eq!(code, 0, "{err}");
        let tree = place.fetch(out.trim_end())?.file_system.unwrap();
        let of_file = |path: &str| {
            let number = tree.find_all([path.into()]).into_values().next().unwrap();
            tree.inode_table.get(number).unwrap().as_ref().mtime().unwrap()
        };
        Ok(vec![of_file("/etc/new-time"), of_file("/etc/old-time")])
    };
    let (first, second) = (times()?, times()?);
    assert_ne!(first[0], second[0]);
    assert_eq!(first[1], second[1]);
    Ok(())
}
