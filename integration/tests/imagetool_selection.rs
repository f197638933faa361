//! Which images the tool picks, by name, type, tag, commit and expiry, and which server it asks.

use anyhow::{Result, ensure};
use image::{Annotation, DirectoryEntry, DirectoryInode, FileSystem, Filter, Image, Inode, RegularInode};
use integration::programs::program;
use integration::server::{Home, ImageServer};
use integration::tool::Tool;
use std::path::Path;
use std::process::Command;

/// A tree with one empty file, which needs no object.
fn tree(file: &str) -> FileSystem {
    let mut tree = FileSystem {
        directory_inode: DirectoryInode {
            mode: 0o040_755,
            entry_list: vec![DirectoryEntry {
                name: file.into(),
                inode_number: 1,
            }],
            ..DirectoryInode::default()
        },
        ..FileSystem::default()
    };
    let inode = RegularInode {
        mode: 0o100_644,
        mtime_seconds: 1_795_000_000,
        ..RegularInode::default()
    };
    tree.inode_table.insert(1, Inode::Regular(inode));
    tree.recount();
    tree
}

fn image(created_on: i64, change: impl FnOnce(&mut Image)) -> Image {
    let mut image = Image {
        created_on: gob::Time::new(1_795_000_000 + created_on, 0, gob::Time::ZERO.zone()),
        file_system: Some(tree(&format!("file{created_on}"))),
        filter: Some(Filter::default()),
        ..Image::default()
    };
    change(&mut image);
    image
}

fn tags(pairs: &[(&str, &str)]) -> std::collections::BTreeMap<String, String> {
    pairs
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect()
}

struct Stage {
    directory: tempfile::TempDir,
    home: Home,
    server: ImageServer,
}

impl Stage {
    /// A server that finds images of several kinds in its directory: `d/1` (oldest) to `d/10`.
    fn new() -> Result<Self> {
        let directory = tempfile::Builder::new()
            .prefix("imagewright-selection.")
            .tempdir()?;
        let home = Home::new()?;
        std::fs::create_dir(home.images().join("d"))?;
        let in_an_hour = gob::Time::now().unix_seconds() + 3600;
        let images = [
            ("d/1", image(1, |image| image.build_commit_id = "abc".to_owned())),
            (
                "d/2",
                image(2, |image| image.tags = tags(&[("k", "v"), ("x", "y")])),
            ),
            (
                "d/9",
                image(3, |image| {
                    image.tags = tags(&[("k", "v2"), ("x", "z")]);
                    image.build_branch = "main".to_owned();
                }),
            ),
            (
                "d/10",
                image(4, |image| {
                    image.expires_at = gob::Time::new(in_an_hour, 0, gob::Time::ZERO.zone());
                }),
            ),
        ];
        for (name, image) in &images {
            std::fs::write(home.images().join(name), protocol::image_file::encode(image))?;
        }
        let server = home.start_insecure(&[])?;
        Ok(Self {
            directory,
            home,
            server,
        })
    }

    fn tool(&self) -> Tool {
        Tool::new(
            &self.server,
            &self.directory.path().join("none"),
            self.directory.path(),
        )
    }
}

#[test]
fn lists_are_in_version_order_and_obey_expiry_and_tags() {
    let stage = Stage::new().unwrap();
    let tool = stage.tool();
    assert_eq!(tool.must(&["list"]).unwrap(), "d/1\nd/2\nd/9\nd/10\n");
    assert_eq!(
        tool.must(&["-ignoreExpiring", "list"]).unwrap(),
        "d/1\nd/2\nd/9\n"
    );
    for (asked, names) in [
        ("k=v", "d/2\n"),
        ("k=v,k=v2", "d/2\nd/9\n"),
        ("k=v,k=v2,x=z", "d/9\n"),
        ("k=nothing", ""),
    ] {
        assert_eq!(
            tool.must(&[format!("-tagsToMatch={asked}"), "list".to_owned()])
                .unwrap(),
            names,
            "{asked}"
        );
    }
}

#[test]
fn the_latest_image_is_found_by_commit_tags_and_expiry() {
    let stage = Stage::new().unwrap();
    let tool = stage.tool();
    let latest = |flags: &[&str]| {
        let mut arguments = flags.to_vec();
        arguments.extend(["find-latest-image", "d"]);
        tool.must(&arguments).unwrap()
    };
    assert_eq!(latest(&[]), "d/10\n");
    assert_eq!(latest(&["-ignoreExpiring"]), "d/9\n");
    assert_eq!(latest(&["-buildCommitId=abc"]), "d/1\n");
    assert_eq!(latest(&["-buildCommitId=main"]), "d/9\n");
    assert_eq!(latest(&["-tagsToMatch=k=v"]), "d/2\n");
    let none = tool
        .run(&["-buildCommitId=other", "find-latest-image", "d"])
        .unwrap();
    assert_eq!((none.code, none.out.as_str()), (1, ""));
    assert!(none.err.ends_with("no image found\n"), "{none:?}");
}

#[test]
fn an_image_is_the_same_under_each_type() {
    let stage = Stage::new().unwrap();
    let tool = stage.tool();
    let here = stage.directory.path();
    let show = |flags: &[&str], name: &str| {
        let mut arguments = flags.to_vec();
        arguments.extend(["show", name]);
        tool.must(&arguments).unwrap()
    };
    let shown = |number: u32| show(&[], &format!("d/{number}"));
    assert!(shown(9).ends_with(" /file3\n") && shown(10).ends_with(" /file4\n"));

    assert_eq!(show(&[], "i:d/9"), shown(9));
    assert_eq!(show(&[], "I:d"), shown(10));
    assert_eq!(show(&["-ignoreExpiring"], "I:d"), shown(9));
    assert_eq!(show(&["-buildCommitId=abc"], "I:d"), shown(1));
    assert_eq!(
        show(&["-tagsToMatch=k=v"], "I:d"),
        shown(10),
        "tags do not count here"
    );
    let file = stage.home.images().join("d/9").display().to_string();
    assert_eq!(show(&[], &format!("l:{file}")), shown(9));
    std::fs::write(here.join("tree"), gob::to_vec(&tree("file3"))).unwrap();
    assert_eq!(show(&[], &format!("f:{}", here.join("tree").display())), shown(9));
    // The owner of a directory of ours is ours: only its name is compared.
    std::fs::create_dir(here.join("directory")).unwrap();
    std::fs::write(here.join("directory/file3"), "").unwrap();
    let name = format!("d:{}", here.join("directory").display());
    assert_eq!(show(&["-skipFields=mlugst"], &name), "/\n/file3\n");

    for (arguments, text) in [
        (["show", "i:d/none"], "image: d/none not found"),
        (["show", "q:d/9"], "unknown image type: q"),
        (["get-package-list", "f:tree"], "package data not available"),
    ] {
        let outcome = tool.run(&arguments).unwrap();
        assert_eq!(outcome.code, 1);
        assert!(
            outcome.err.contains(text) && outcome.out.is_empty(),
            "{outcome:?}"
        );
    }
}

#[test]
fn questions_are_answered_by_the_exit_code_alone() {
    let stage = Stage::new().unwrap();
    let tool = stage.tool();
    for (arguments, code) in [
        (["check", "d/9"], 0),
        (["check", "d/11"], 1),
        (["check-directory", "d"], 0),
        (["check-directory", "e"], 1),
        (["wait", "d/9"], 0),
        (["wait", "d/11"], 1),
    ] {
        let outcome = tool.run(&arguments).unwrap();
        assert_eq!(outcome.code, code, "{arguments:?}");
        assert!(
            outcome.out.is_empty() && outcome.err.is_empty(),
            "{arguments:?}: {outcome:?}"
        );
    }
}

#[test]
fn an_image_that_comes_later_is_waited_for() {
    let stage = Stage::new().unwrap();
    let flags = [
        "-imageServerHostname=127.0.0.1".to_owned(),
        format!("-imageServerPortNum={}", stage.server.port),
        "-certDirectory=".to_owned(),
    ];
    let mut waiting = Command::new(program("imagetool").unwrap())
        .args(&flags)
        .args(["-timeout=10m", "wait", "d/11"])
        .spawn()
        .unwrap();
    let tree = stage.directory.path().join("tree");
    std::fs::create_dir(&tree).unwrap();
    let tool = stage.tool();
    tool.must(&["add", "d/11", &tree.display().to_string(), "", ""])
        .unwrap();
    assert_eq!(waiting.wait().unwrap().code(), Some(0));
}

#[test]
fn what_changes_goes_to_the_master_and_what_looks_to_the_server() {
    fn attempt(stage: &Stage, server: &str, master: &str, arguments: &[&str]) -> Result<(i32, String)> {
        let output = Command::new(program("imagetool")?)
            .arg(format!("-imageServerHostname={server}"))
            .arg(format!("-masterImageServerHostname={master}"))
            .arg(format!("-imageServerPortNum={}", stage.server.port))
            .arg("-certDirectory=")
            .args(arguments)
            .env("HOME", stage.directory.path())
            .output()?;
        let text = String::from_utf8(output.stderr)?;
        Ok((output.status.code().unwrap_or(-1), text))
    }
    let stage = Stage::new().unwrap();
    // A name with an empty label is no host anywhere.
    let (here, nowhere) = ("127.0.0.1", "no..host");
    let changes: [&[&str]; 4] = [
        &["mkdir", "m"],
        &["rmdir", "m"],
        &["-expiresIn=2h", "change-image-expiration", "d/10"],
        &["delete", "d/1"],
    ];
    for arguments in changes {
        let (code, text) = attempt(&stage, here, nowhere, arguments).unwrap();
        assert_eq!(code, 1, "{arguments:?}");
        assert!(
            text.starts_with("Error dialing: no..host:"),
            "{arguments:?}: {text}"
        );
        assert_eq!(
            attempt(&stage, nowhere, here, arguments).unwrap(),
            (0, String::new())
        );
    }
    assert_eq!(
        attempt(&stage, here, nowhere, &["check", "d/2"]).unwrap(),
        (0, String::new())
    );
    let (code, text) = attempt(&stage, nowhere, here, &["list"]).unwrap();
    assert_eq!(code, 1);
    assert!(text.starts_with("Error dialing: no..host:"), "{text}");
}

#[test]
fn metadata_that_only_builders_write_are_shown() {
    fn judge() -> Result<()> {
        let directory = tempfile::tempdir()?;
        let home = Home::new()?;
        std::fs::create_dir(home.images().join("d"))?;
        let package = |name: &str, size, version: &str| image::Package {
            name: name.to_owned(),
            size,
            version: version.to_owned(),
        };
        let built = image(1, |image| {
            image.packages = vec![
                package("bash", 7 << 20, "5.2"),
                package("libc6", 13 << 20, "2.41-12"),
            ];
            image.build_log = Some(Annotation {
                object: None,
                url: "http://localhost/log".to_owned(),
            });
        });
        std::fs::write(home.images().join("d/1"), protocol::image_file::encode(&built))?;
        let server = home.start_insecure(&[])?;
        let tool = Tool::new(&server, Path::new("/nonexistent"), directory.path());
        let listed = tool.must(&["get-package-list", "d/1"])?;
        ensure!(
            listed == "bash  5.2     7 MiB\nlibc6 2.41-12 13 MiB\n",
            "{listed:?}"
        );
        let shown: serde_json::Value = serde_json::from_str(&tool.must(&["show-metadata", "d/1"])?)?;
        ensure!(shown["BuildLog"]["URL"] == "http://localhost/log", "{shown}");
        Ok(())
    }
    judge().unwrap();
}
