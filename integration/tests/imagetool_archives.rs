//! What `save-to-file` writes brings an image back, with its objects, and nothing else does.

// Helpers of tests are tests.
#![allow(clippy::unwrap_used)]

use gob::Time;
use image::Image;
use integration::secured::Secured;
use integration::server::Home;
use integration::tool::Tool;
use protocol::archive::{self, ImageArchive};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

const HOUR: Duration = Duration::from_secs(3600);

/// A secured server with the image `d/1` of some files, added by `adder`, and its administrator.
struct Stage {
    secured: Secured,
    admin: Tool,
}

impl Stage {
    fn new() -> Stage {
        let secured = Secured::new(&[]).unwrap();
        let admin = secured.issue("admin", &["--preset", "admin"]).unwrap();
        let adder = secured.issue("adder", &["--preset", "admin"]).unwrap();
        let stage = Stage { secured, admin };
        let tree = stage.path("tree");
        std::fs::create_dir_all(tree.join("sub")).unwrap();
        for (name, content) in [
            ("one", "first\n"),
            ("sub/two", "second\n"),
            ("sub/same", "first\n"),
        ] {
            std::fs::write(tree.join(name), content).unwrap();
        }
        std::fs::write(tree.join("empty"), "").unwrap();
        std::fs::write(stage.path("log"), "built\n").unwrap();
        stage.admin.must(&["mkdir", "d"]).unwrap();
        let (log, tree) = (format!("-buildLog={}", stage.text("log")), stage.text("tree"));
        adder.must(&[&log, "add", "d/1", &tree, "", ""]).unwrap();
        stage
    }

    fn path(&self, name: &str) -> PathBuf {
        self.secured.directory.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    /// Saves `d/1`; the bytes of the file.
    fn save(&self, name: &str) -> Vec<u8> {
        self.admin
            .must(&["save-to-file", "d/1", &self.text(name)])
            .unwrap();
        std::fs::read(self.path(name)).unwrap()
    }

    /// Everything a client can learn of `d/1`.
    fn told(&self) -> String {
        told(&self.admin)
    }

    /// Restores what is in the file `name`, which must not work; what it said.
    fn refused(&self, name: &str) -> String {
        let outcome = self.admin.run(&["restore-from-file", &self.text(name)]).unwrap();
        assert_eq!(outcome.code, 1, "{outcome:?}");
        let cause = outcome.err.strip_prefix("error restoring image: ");
        assert!(cause.is_some() && outcome.out.is_empty(), "{outcome:?}");
        cause.unwrap().trim_end().to_owned()
    }
}

fn told(tool: &Tool) -> String {
    ["show-metadata", "show", "get-build-log"]
        .map(|verb| tool.must(&[verb, "d/1"]).unwrap())
        .join("\n")
}

/// A file as `save-to-file` writes it, of an image without objects.
fn saved(content: &ImageArchive, secret: &[u8], path: &Path) {
    let mut bytes = Vec::new();
    gob::Encoder::new().encode(&archive::encode(content, secret).unwrap(), &mut bytes);
    std::fs::write(path, bytes).unwrap();
}

#[test]
fn a_saved_image_comes_back_as_it_was_although_it_was_deleted_and_its_objects_are_gone() {
    let mut stage = Stage::new();
    let before = stage.told();
    let file = stage.save("file");
    // To another program it writes the same.
    let piped = std::process::Command::new("bash")
        .args(["-c", "\"$0\" \"${@:2}\" save-to-file d/1 >\"$1\""])
        .arg(integration::programs::program("imagetool").unwrap())
        .arg(stage.path("piped"))
        .args(stage.admin.flags())
        .status()
        .unwrap();
    assert!(piped.success());
    let sizes = |name: &str| std::fs::metadata(stage.path(name)).unwrap().len();
    assert_eq!(sizes("piped"), file.len() as u64);
    assert_eq!(stage.refused("file"), "d/1 already exists");

    stage.admin.must(&["delete", "d/1"]).unwrap();
    // No connection protects the objects any more after a restart.
    stage.secured.restart().unwrap();
    stage.admin.must(&["delunrefobj", "100", "0"]).unwrap();
    assert_eq!(stage.admin.must(&["listunrefobj"]).unwrap(), "");
    assert_eq!(stage.admin.run(&["check", "d/1"]).unwrap().code, 1);
    let restored = stage
        .admin
        .run(&["restore-from-file", &stage.text("piped")])
        .unwrap();
    assert_eq!(
        (restored.code, restored.err.as_str(), restored.out.as_str()),
        (0, "restored image: d/1\n", ""),
        "it is the image it was, so there is nothing to warn of"
    );
    assert_eq!(stage.told(), before);
    assert!(before.contains("\"CreatedBy\": \"adder\""), "{before}");
    stage.secured.restart().unwrap();
    assert_eq!(stage.told(), before);
    let target = stage.text("got");
    if rustix::process::geteuid().is_root() {
        stage.admin.must(&["get", "d/1", &target]).unwrap();
        let two = std::fs::read_to_string(stage.path("got/sub/two")).unwrap();
        assert_eq!(two, "second\n");
    }
}

#[test]
fn on_another_server_it_is_a_new_image_of_whoever_brings_it_and_the_tool_says_so() {
    let here = Stage::new();
    here.save("file");
    let there = Secured::new(&[]).unwrap();
    let bringer = there.issue("bringer", &["--preset", "admin"]).unwrap();
    let restore = ["restore-from-file".to_owned(), here.text("file")];
    let refused = bringer.run(&restore).unwrap();
    assert!(
        refused.err.contains("no metadata for: \"d\""),
        "there is no such directory: {refused:?}"
    );
    bringer.must(&["mkdir", "d"]).unwrap();
    let restored = bringer.run(&restore).unwrap();
    assert_eq!(restored.code, 0, "{restored:?}");
    let mut lines = restored.err.lines();
    assert_eq!(lines.next(), Some("restored image: d/1"));
    let warning = lines.next().unwrap();
    assert!(
        warning.starts_with("Warning: ") && warning.ends_with("d/1 is a new image of yours"),
        "{warning}"
    );
    let (there_told, here_told) = (told(&bringer), here.told());
    assert!(there_told.contains("\"CreatedBy\": \"bringer\""), "{there_told}");
    let tree = |text: &str| text.split("\n/").skip(1).collect::<Vec<_>>().join("\n/");
    assert_eq!(tree(&there_told), tree(&here_told));
    // Deleted there, it stays deleted: only an archive of that server itself gets over its tombstone.
    bringer.must(&["delete", "d/1"]).unwrap();
    let refused = bringer.run(&restore).unwrap();
    assert!(
        refused
            .err
            .starts_with("error restoring image: HMAC mismatch: expected: "),
        "{refused:?}"
    );
    assert_eq!(bringer.run(&["check", "d/1"]).unwrap().code, 1);
}

#[test]
fn a_file_that_was_changed_or_cut_restores_nothing_and_harms_nothing() {
    /// Places tried; a run of the tool each.
    const PLACES: usize = 40;
    let stage = Stage::new();
    let before = stage.told();
    let file = stage.save("file");
    stage.admin.must(&["copy", "d/other", "d/1"]).unwrap();
    let other = stage.admin.must(&["show", "d/other"]).unwrap();
    stage.admin.must(&["delete", "d/1"]).unwrap();
    for place in 0..PLACES {
        let at = file.len() * place / PLACES;
        let mut changed = file.clone();
        changed[at] ^= 0x10;
        std::fs::write(stage.path("changed"), changed).unwrap();
        let outcome = stage
            .admin
            .run(&["restore-from-file", &stage.text("changed")])
            .unwrap();
        assert!(
            !outcome.err.contains("restored image: d/1\n"),
            "byte {at}: {outcome:?}"
        );
        if outcome.code == 1 {
            assert!(outcome.err.len() > "error restoring image: \n".len(), "byte {at}");
        }
        std::fs::write(stage.path("cut"), &file[..at]).unwrap();
        let restore = ["restore-from-file".to_owned(), stage.text("cut")];
        let outcome = stage.admin.run(&restore).unwrap();
        if outcome.code == 0 {
            // Cut between two objects: the server has what is lacking.
            assert_eq!(stage.told(), before, "cut to {at} bytes");
            stage.admin.must(&["delete", "d/1"]).unwrap();
        } else {
            assert!(
                outcome.err.len() > "error restoring image: \n".len(),
                "cut to {at} bytes"
            );
        }
    }
    assert_eq!(stage.admin.must(&["list"]).unwrap(), "d/other\n");
    assert_eq!(stage.admin.must(&["show", "d/other"]).unwrap(), other);
    // The causes, in words.
    std::fs::write(stage.path("empty"), "").unwrap();
    assert_eq!(
        stage.refused("empty"),
        format!("{}: is empty", stage.text("empty"))
    );
    std::fs::write(stage.path("cut"), &file[..file.len() - 3]).unwrap();
    assert_eq!(
        stage.refused("cut"),
        format!("{}: ends too early", stage.text("cut"))
    );
    std::fs::write(stage.path("tree.tar"), vec![b'x'; 2000]).unwrap();
    let foreign = stage.refused("tree.tar");
    assert!(
        foreign.contains("tree.tar: not a saved image, or damaged: "),
        "{foreign}"
    );
    let mut changed = file.clone();
    // The last byte belongs to the last object.
    *changed.last_mut().unwrap() ^= 1;
    std::fs::write(stage.path("changed"), changed).unwrap();
    let corrupted = stage.refused("changed");
    assert!(corrupted.starts_with("corrupted object: "), "{corrupted}");
    stage
        .admin
        .must(&["restore-from-file", &stage.text("file")])
        .unwrap();
    assert_eq!(stage.told(), before);
}

#[test]
fn objects_that_neither_file_nor_server_has_are_counted() {
    let mut stage = Stage::new();
    let file = stage.save("file");
    stage.admin.must(&["delete", "d/1"]).unwrap();
    stage.secured.restart().unwrap();
    stage.admin.must(&["delunrefobj", "100", "0"]).unwrap();
    // The archive is the first value: a length, and so many bytes.
    let mut decoder = gob::Decoder::new(gob::Limits::default());
    let gob::Progress::Value { value, consumed } = decoder.decode::<Vec<u8>>(&file).unwrap() else {
        panic!("there is no archive in the file");
    };
    assert!(value.len() < consumed);
    std::fs::write(stage.path("cut"), &file[..consumed]).unwrap();
    let said = stage.refused("cut");
    assert!(
        said.starts_with("3 objects are not available: ")
            && said.contains("cut lacks 3 objects of the image"),
        "{said}"
    );
}

#[test]
fn an_image_that_had_expired_gets_a_new_life_within_the_limits() {
    let home = Home::new().unwrap();
    std::fs::write(home.images().join(".secret"), b"known to the test").unwrap();
    let server = home.start_insecure(&[]).unwrap();
    let tool = Tool::new(&server, &home.path().join("none"), home.path());
    let file = |name: &str, expires_at: Time| {
        let content = ImageArchive {
            image_name: name.to_owned(),
            image: Image {
                expires_at,
                created_by: "builder".to_owned(),
                ..integration::images::image(&[])
            },
        };
        let path = home.path().join(format!("{name}.saved"));
        saved(&content, b"known to the test", &path);
        path.display().to_string()
    };
    let past = Time::new(1_000_000_000, 0, gob::Zone::Utc);
    let left = |name: &str| {
        let image = integration::images::get(&server, name).unwrap().unwrap();
        assert_eq!(image.created_by, "builder");
        let at = image.expires_at.to_system_time().unwrap();
        at.duration_since(SystemTime::now()).unwrap()
    };
    let lives = file("lives", (SystemTime::now() + HOUR).into());
    let refused = tool.run(&["restore-from-file", &lives]).unwrap();
    assert!(
        refused
            .err
            .starts_with("error restoring image: cannot restore for: 59m"),
        "{refused:?}"
    );
    tool.must(&["restore-from-file", &file("usual", past)]).unwrap();
    let usual = left("usual");
    assert!(usual <= HOUR / 4 && usual > HOUR / 5, "{usual:?}");
    tool.must(&["-expiresIn=3h", "restore-from-file", &file("longer", past)])
        .unwrap();
    let longer = left("longer");
    assert!(longer <= 3 * HOUR && longer > 2 * HOUR, "{longer:?}");
    let stage = Secured::new(&[]).unwrap();
    let admin = stage.issue("admin", &["--preset", "admin"]).unwrap();
    let refused = admin
        .run(&["-expiresIn=1000h", "restore-from-file", &file("long", past)])
        .unwrap();
    assert!(
        refused
            .err
            .ends_with("maximum expiration time is 4w2d10h0m0s for you\n"),
        "{refused:?}"
    );
}
