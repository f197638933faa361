//! What verbs of the tool do where no recorded command shows it.

// Helpers of tests are tests.
#![allow(clippy::unwrap_used)]

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
fn verbs_that_look_take_an_image_from_wherever_its_type_says() {
    let stage = Stage::new();
    let names = with_rich(&stage);
    std::fs::write(
        stage.path("triggers"),
        r#"[{"MatchLines": ["/file"], "Service": "one"}, {"MatchLines": ["/none"], "Service": "none"}]"#,
    )
    .unwrap();
    let triggers = stage.text("triggers");
    // `X` stands for the image.
    let whole: &[&[&str]] = &[
        &["show", "X"],
        &["estimate-usage", "X"],
        &["show-inode", "X", "/file"],
        &["match-triggers", "X", &triggers],
        &["get-file-in-image", "X", "/file"],
        &["-skipFields=t", "diff", "cat", "X", "X"],
        &["diff-files", "cat", "X", "X", "/other"],
        &["tar", "X"],
    ];
    let metadata: &[&[&str]] = &[
        &["show-metadata", "X"],
        &["show-filter", "X"],
        &["show-triggers", "X"],
        &["get-archive-data", "X", "-"],
        &["get-build-log", "X"],
        &["get-package-list", "X"],
        &["--json", "get-package-list", "X"],
        &["diff-filters", "cat", "X", "X"],
        &["diff-triggers", "cat", "X", "X"],
        &["diff-build-logs", "cat", "X", "X"],
        &["diff-package-lists", "cat", "X", "X"],
    ];
    let tree = stage.path("tree.gob");
    std::fs::write(&tree, gob::to_vec(rich().file_system.as_ref().unwrap())).unwrap();
    let tree = format!("f:{}", tree.display());
    let with = |arguments: &[&str], name: &str| -> Vec<String> {
        let named = arguments
            .iter()
            .map(|word| if *word == "X" { name } else { word }.to_owned());
        named.collect()
    };
    for arguments in whole.iter().chain(metadata) {
        let expected = stage.tool.must(&with(arguments, &names[0])).unwrap();
        assert!(!expected.is_empty(), "{arguments:?}");
        for name in &names[1..] {
            let out = stage.tool.must(&with(arguments, name)).unwrap();
            assert_eq!(out, expected, "{arguments:?} with {name}");
        }
    }
    for arguments in whole {
        let expected = stage.tool.must(&with(arguments, &names[0])).unwrap();
        assert_eq!(
            stage.tool.must(&with(arguments, &tree)).unwrap(),
            expected,
            "{arguments:?}"
        );
    }
    for arguments in metadata {
        let said = refused(&stage.tool.run(&with(arguments, &tree)).unwrap());
        assert!(
            said.ends_with(": package data not available\n"),
            "{arguments:?}: {said}"
        );
    }
}

#[test]
fn verbs_that_make_an_image_of_another_take_it_from_wherever_its_type_says() {
    let stage = Stage::new();
    let names = with_rich(&stage);
    let layer = stage.path("layer");
    std::fs::create_dir(&layer).unwrap();
    std::fs::write(layer.join("file"), "replaced\n").unwrap();
    std::fs::write(stage.path("filter"), "").unwrap();
    let (layer, filter) = (stage.text("layer"), stage.text("filter"));
    make_directory(&stage.server, "made").unwrap();
    let shown = stage.must(&["show", "d/1"]);
    for (number, name) in names.iter().enumerate() {
        let made = |verb: &str| format!("made/{verb}{number}");
        stage.must(&["-requiredPaths=", "copy", &made("copy"), name]);
        assert_eq!(stage.must(&["show", &made("copy")]), shown, "{name}");
        stage.must(&["-requiredPaths=", "addi", &made("addi"), name, &filter, ""]);
        assert_eq!(stage.must(&["show", &made("addi")]), shown, "{name}");
        stage.must(&["-requiredPaths=", "addrep", &made("addrep"), name, &layer]);
        let replaced = stage.must(&["get-file-in-image", &made("addrep"), "/file"]);
        assert_eq!(replaced, "replaced\n", "{name}");
        let kept = stage.must(&["get-file-in-image", &made("addrep"), "/other"]);
        assert_eq!(kept, "more\n", "{name}");
    }
    // What is there on disk is found without asking the server for it.
    let local = format!("d:{layer}");
    assert_eq!(stage.must(&["get-file-in-image", &local, "/file"]), "replaced\n");
    assert_eq!(
        stage.must(&["diff-files", "cat", "d/1", &local, "/file"]),
        "content\nreplaced\n"
    );
    assert!(
        stage
            .refused(&["get-file-in-image", &local, "/none"])
            .contains("no such file or directory")
    );
    if rustix::process::geteuid().is_root() {
        for (number, name) in names.iter().enumerate() {
            let target = stage.text(&format!("got{number}"));
            stage.must(&["get", name, &target]);
            let initial = std::fs::read_to_string(format!("{target}/var/lib/initial-image")).unwrap();
            // The name that means the same to every other program.
            let expected = if name.starts_with("l:") {
                name.as_str()
            } else {
                "d/1"
            };
            assert_eq!(initial, format!("{expected}\n"));
        }
    }
}

#[test]
fn what_is_not_there_is_told_in_the_words_that_scripts_know() {
    let stage = Stage::new();
    with_rich(&stage);
    for (arguments, said) in [
        (
            &["show-inode", "d/9", "/file"][..],
            "error showing image inode: d/9: not found",
        ),
        (
            &["show-inode", "d/1", "/none"],
            "error showing image inode: path: \"/none\" not present in image",
        ),
        (
            &["diff", "cat", "d/1", "d/9"],
            "error getting right image: image: d/9 not found",
        ),
        (
            &["diff", "no-such-tool", "d/1", "d/1"],
            "error diffing images: exec: \"no-such-tool\": executable file not found in $PATH",
        ),
        (
            &["diff", "./no-such-tool", "d/1", "d/1"],
            "error diffing images: ./no-such-tool: no such file or directory",
        ),
        (
            &["get-object-statistics-for-images", "none"],
            "error getting object statistics for images: open none: no such file or directory",
        ),
        (
            &["get-package-list", "d/9"],
            "error getting image package list: image: d/9 not found",
        ),
    ] {
        assert_eq!(stage.refused(arguments), format!("{said}\n"), "{arguments:?}");
    }
}

#[test]
fn files_of_layers_replace_those_of_the_base_and_nothing_else() {
    let stage = Stage::new();
    with_rich(&stage);
    let layer = |name: &str| {
        std::fs::create_dir(stage.path(name)).unwrap();
        stage.text(name)
    };
    let (first, second) = (layer("first"), layer("second"));
    std::fs::write(stage.path("first/file"), "first\n").unwrap();
    std::fs::write(stage.path("first/other"), "first\n").unwrap();
    std::fs::write(stage.path("second/other"), "second\n").unwrap();
    stage.must(&["-requiredPaths=", "addrep", "d/2", "d/1", &first, &second]);
    for (path, content) in [("/file", "first\n"), ("/other", "second\n")] {
        assert_eq!(stage.must(&["get-file-in-image", "d/2", path]), content);
    }
    let base = get(&stage.server, "d/1").unwrap().unwrap();
    let made = get(&stage.server, "d/2").unwrap().unwrap();
    assert_eq!((made.filter, made.packages), (base.filter, base.packages));

    let third = layer("third");
    std::fs::write(stage.path("third/new"), "").unwrap();
    let addrep = |layer: &str| stage.refused(&["-requiredPaths=", "addrep", "d/3", "d/1", layer]);
    assert_eq!(
        addrep(&third),
        "error adding image: \"d/3\": /new missing in base image\n"
    );
    let fourth = layer("fourth");
    std::os::unix::fs::symlink("other", stage.path("fourth/file")).unwrap();
    assert_eq!(
        addrep(&fourth),
        "error adding image: \"d/3\": /file changed type\n"
    );
    let expiring = Image {
        expires_at: (std::time::SystemTime::now() + Duration::from_secs(3600)).into(),
        ..rich()
    };
    add_trusted(&stage.server, "d/expiring", expiring).unwrap();
    let skipped = stage.tool.run(&["addrep", "d/3", "d/expiring", &first]).unwrap();
    assert_eq!(
        (skipped.code, skipped.err.as_str()),
        (0, "Skipping expiring image: d/expiring\n")
    );
    assert_eq!(
        stage.refused(&["addrep", "d/2", "d/1", &first]),
        "error adding image: \"d/2\": image exists\n"
    );
    assert_eq!(stage.tool.run(&["check", "d/3"]).unwrap().code, 1);
}

#[test]
fn metadata_for_the_records_has_neither_tree_nor_filter_nor_triggers() {
    let stage = Stage::new();
    with_rich(&stage);
    // Both spellings of a flag, and both forms of the file.
    let (bytes, json) = (stage.text("out"), stage.text("out.json"));
    stage.must(&["-timeout=1s", "get-archive-data", "d/1", &bytes]);
    stage.must(&["--timeout=1s", "get-archive-data", "d/1", &json]);
    let (read, rest): (Image, usize) =
        gob::from_slice(&std::fs::read(&bytes).unwrap(), gob::Limits::default()).unwrap();
    assert_eq!(rest, std::fs::read(&bytes).unwrap().len(), "nothing behind it");
    let expected = Image {
        filter: None,
        triggers: None,
        file_system: None,
        ..rich()
    };
    assert_eq!(read, expected);
    let text = std::fs::read_to_string(&json).unwrap();
    assert_eq!(text, stage.must(&["get-archive-data", "d/1", "-"]));
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(value["Packages"][0]["Name"], "bash");
    assert!(value["Filter"].is_null() && value["Triggers"].is_null() && value["FileSystem"].is_null());
    // A file that is there already survives a failure.
    assert!(
        stage
            .refused(&["get-archive-data", "d/none", &json])
            .contains("image: d/none not found")
    );
    assert_eq!(std::fs::read_to_string(&json).unwrap(), text);
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

#[test]
fn logs_are_fetched_from_where_an_image_says_they_are() {
    let stage = Stage::new();
    let web = WebServer::new().unwrap();
    let with_log = |name: &str, url: String| {
        let image = Image {
            build_log: Some(Annotation { object: None, url }),
            packages: vec![package(name, "1", 1)],
            ..image(&[])
        };
        add_trusted(&stage.server, name, image).unwrap();
    };
    with_log("d/left", web.put("/left", b"one\rtwo\n"));
    with_log(
        "d/right",
        web.put("/right?x=1", "5 \u{b5}s \u{2192} done\n".as_bytes()),
    );
    with_log("d/none", web.url("/none"));
    with_log("d/nowhere", "http://127.0.0.1:1/log".to_owned());
    assert_eq!(stage.must(&["get-build-log", "d/left"]), "one\rtwo\n");
    stage.must(&["get-build-log", "d/right", &stage.text("log")]);
    assert_eq!(
        std::fs::read_to_string(stage.path("log")).unwrap(),
        "5 \u{b5}s \u{2192} done\n"
    );
    // For the sake of some tools a few signs are made plain.
    assert_eq!(
        stage.must(&["diff-build-logs", "cat", "d/left", "d/right"]),
        "one\ntwo\n5  us  -> done\n"
    );
    let none = stage.refused(&["get-build-log", "d/none"]);
    assert!(none.ends_with("/none: 404 Not Found\n"), "{none}");
    let nowhere = stage.refused(&["get-build-log", "d/nowhere"]);
    assert!(
        nowhere.starts_with("error getting image build log: GET http://127.0.0.1:1/log: "),
        "{nowhere}"
    );
    // Lists in columns of one width, so that only packages differ.
    assert_eq!(
        stage.must(&["diff-package-lists", "cat", "d/left", "d/right"]),
        "d/left  1 1 B\nd/right 1 1 B\n"
    );
}

#[test]
fn the_packages_of_a_directory_are_those_its_host_tells() {
    let name = "the_packages_of_a_directory_are_those_its_host_tells";
    let stage = Stage::new();
    let below = stage.path("below");
    std::fs::create_dir(&below).unwrap();
    let packager = below.join("generic-packager");
    let script = "#!/bin/sh\ncase $1 in show-size-multiplier) echo 1024;; list) printf 'zlib 1.3 2\\nbash 5.2 7168\\n';; esac\n";
    std::fs::write(&packager, script).unwrap();
    std::fs::set_permissions(&packager, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    // A name space of its own, where the script lies beside the programs of this host.
    let script = "mount -t overlay overlay -o lowerdir=\"$1\":/usr/bin /usr/bin || exit 77
        \"$2\" get-package-list d:/srv";
    let output = Command::new("unshare")
        .args(["-m", "sh", "-c", script, "sh"])
        .arg(&below)
        .arg(program("imagetool").unwrap())
        .output()
        .unwrap();
    if output.status.code() == Some(77) || !rustix::process::geteuid().is_root() {
        return integration::skip(name, "needs a mount name space with an overlay");
    }
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "bash 5.2 7 MiB\nzlib 1.3 2 KiB\n",
        "{output:?}"
    );
    if !std::path::Path::new("/bin/generic-packager").exists() {
        assert_eq!(
            stage.refused(&["get-package-list", "d:/srv"]),
            "error getting image package list: error getting size multiplier: /bin/generic-packager: no such file or directory\n"
        );
    }
}

#[test]
fn a_tree_on_a_web_server_becomes_an_image_that_expires() {
    let stage = Stage::new();
    let web = WebServer::new().unwrap();
    let blob = |content: &[u8]| {
        let hash = hash::of(content);
        web.put(&format!("/base/blob/{hash}"), content);
        hash
    };
    let tree = |text: String| {
        let hash = hash::of(text.as_bytes());
        let url = web.put(&format!("/base/tree/{hash}"), text.as_bytes());
        (hash, url, text.len())
    };
    let (file, link) = (blob(b"content\n"), blob(b"file"));
    let (below, _, bytes) = tree(format!("again/0/420/0/0/8/{file}\n"));
    let (root, url, _) = tree(format!(
        "below/1/493/0/0/{bytes}/{below}\nfile/0/420/1/2/8/{file}\nlink/2/511/0/0/4/{link}\n"
    ));
    assert_eq!(
        stage.refused(&["import-fs-tree", "d", &url]),
        "error importing FsTree: must specify an expiry time\n"
    );
    let imported = stage
        .tool
        .run(&["-expiresIn=1h", "import-fs-tree", "d", &url])
        .unwrap();
    let name = format!("d/{root}");
    assert_eq!((imported.code, imported.out), (0, format!("{name}\n")));
    let mut said = imported.err.lines();
    assert!(
        said.next().unwrap().starts_with("Imported 2 ("),
        "{}",
        imported.err
    );
    let data = said.next().unwrap();
    assert!(
        data.starts_with("Imported 2 (12 B) new data objects in: ") && data.ends_with("/s)"),
        "{data}"
    );
    let listed = stage.must(&["-skipFields=t", "show", &name]);
    for line in ["/below/again", "/file", "/link -> file"] {
        assert!(listed.contains(line), "{listed}");
    }
    assert!(
        listed.contains("-rw-r--r--   1     1     2          8 /file"),
        "{listed}"
    );
    assert_eq!(
        stage.must(&["get-file-in-image", &name, "/below/again"]),
        "content\n"
    );
    assert!(
        stage
            .must(&["get-image-expiration", &name])
            .starts_with("image expires at ")
    );
    for (directory, url, cause) in [
        ("d", url.as_str(), format!("image: {name} already exists")),
        ("none", &url, "directory: none does not exist".to_owned()),
        ("d", "http://127.0.0.1:1/", "not a tree".to_owned()),
    ] {
        let said = stage.refused(&["-expiresIn=1h", "import-fs-tree", directory, url]);
        assert_eq!(said, format!("error importing FsTree: {cause}\n"));
    }
    let (_, lacking, _) = tree(format!("file/0/420/0/0/9/{}\n", hash::of(b"not there")));
    let said = stage.refused(&["-expiresIn=1h", "import-fs-tree", "d", &lacking]);
    assert!(said.ends_with(": 404 Not Found\n"), "{said}");
}
