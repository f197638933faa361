//! Verbs that make images of others, or of what a web server has.

use super::*;

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
