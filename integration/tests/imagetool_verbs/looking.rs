//! Verbs that look at images.

use super::*;

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
