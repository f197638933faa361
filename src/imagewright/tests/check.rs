//! `imagewright check` finds what is wrong with the directories of a server that does not run, says what to do about it, and
//! changes nothing.

// Helpers of tests are tests.
#![allow(clippy::unwrap_used)]

use integration::images::{delete, described, image, make_directory, put, store};
use integration::programs::program;
use integration::server::{Home, INSECURE};
use integration::whole;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn check(home: &Home, more: &[&str]) -> Output {
    let mut command = Command::new(program("imagewright").unwrap());
    command.arg("check").arg(home.path()).args(more);
    command.output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn object(home: &Home, content: &[u8]) -> PathBuf {
    home.objects().join(storage::object_place(&hash::of(content)))
}

fn flip(path: &Path, at: usize) {
    let mut content = std::fs::read(path).unwrap();
    content[at] ^= 4;
    std::fs::write(path, content).unwrap();
}

/// A server's directories with three images, a deleted one and an object that nobody needs; stopped, with its indexes.
fn directories() -> Home {
    let home = Home::new().unwrap();
    let server = home.start(INSECURE).unwrap();
    make_directory(&server, "d").unwrap();
    put(&server, "d/one", &[("a", b"first"), ("b", b"second")]).unwrap();
    put(&server, "d/two", &[("a", b"first"), ("b", b"third")]).unwrap();
    store(&server, &[b"note", b"unneeded"]).unwrap();
    let with_notes = described(image(&[("a", b"second")]), b"note");
    integration::images::add(&server, "three", with_notes).unwrap();
    put(&server, "deleted", &[("a", b"first")]).unwrap();
    delete(&server, "deleted").unwrap();
    server.stop().unwrap();
    home
}

fn lines(output: &Output) -> Vec<Value> {
    let text = text(&output.stdout);
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn whole_directories_are_told_to_be_and_are_left_as_they_are() {
    let home = directories();
    let files = whole::files_below(home.path()).unwrap();
    let output = check(&home, &[]);
    let told = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(
        told.contains("3 images in 2 directories") && told.contains("; 1 deleted names"),
        "{told}"
    );
    assert!(
        told.contains("5 objects (28 B), 1 of them needed by no image (8 B)"),
        "{told}"
    );
    assert!(told.ends_with("nothing is damaged\n"), "{told}");
    assert_eq!(whole::files_below(home.path()).unwrap(), files);
    let named = Command::new(program("imagewright").unwrap())
        .args(["check", "--json", "--threads=1", "--image-dir"])
        .arg(home.images())
        .arg("--object-dir")
        .arg(home.objects())
        .output()
        .unwrap();
    let summary = lines(&named).pop().unwrap();
    assert_eq!(
        (&summary["Images"], &summary["IsDamaged"]),
        (&3.into(), &false.into()),
        "{named:?}"
    );
}

#[test]
fn everything_that_is_wrong_is_found_with_whom_it_affects_and_what_to_do() {
    let home = directories();
    flip(&object(&home, b"first"), 2);
    std::fs::remove_file(object(&home, b"note")).unwrap();
    std::fs::write(object(&home, b"unneeded"), b"").unwrap();
    flip(&home.images().join("d/two"), 50);
    std::fs::write(home.images().join("d/.metadata"), b"no metadata").unwrap();
    std::fs::write(home.images().join(".secret"), b"short").unwrap();
    std::fs::write(home.images().join("d/four~"), b"half").unwrap();
    std::fs::create_dir(home.objects().join("README")).unwrap();
    std::fs::write(home.objects().join("README/notes"), b"by somebody").unwrap();
    flip(&home.objects().join(".imagewright.objects.index"), 40);
    let files = whole::files_below(home.path()).unwrap();
    let output = check(&home, &["--json"]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let mut found = lines(&output);
    let summary = found.pop().unwrap();
    assert_eq!(
        (&summary["IsDamaged"], &summary["IncompleteImages"]),
        (&true.into(), &2.into())
    );
    let hex = |content: &[u8]| hash::of(content).to_string();
    let expected = [
        ("damaged-image", "d/two".to_owned(), 0),
        ("damaged-object", hex(b"first"), 1),
        ("damaged-object", hex(b"unneeded"), 0),
        ("missing-object", hex(b"note"), 1),
        ("damaged-metadata", "d/.metadata".to_owned(), 0),
        ("damaged-secret", ".secret".to_owned(), 0),
        ("damaged-index", ".imagewright.objects.index".to_owned(), 0),
        ("temporary", "d/four~".to_owned(), 0),
        ("stray", "README/notes".to_owned(), 0),
    ];
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    for (kind, name, affected) in expected {
        let finding = found
            .iter()
            .find(|finding| finding["Kind"] == kind && finding["Name"] == *name);
        let finding = finding.unwrap_or_else(|| panic!("no {kind} {name} in {found:#?}"));
        assert_eq!(finding["AffectedImages"], affected, "{finding}");
        let is_damage = !matches!(kind, "damaged-index" | "temporary" | "stray");
        assert_eq!(finding["IsDamage"], is_damage, "{finding}");
        assert!(!finding["Remedy"].as_str().unwrap().is_empty());
    }
    let told = text(&check(&home, &[]).stdout);
    assert!(told.contains("affects        d/one\n"), "{told}");
    let place = storage::object_place(&hash::of(b"note"));
    assert!(
        told.contains(&format!("what to do     copy {place} from a backup")),
        "{told}"
    );
    assert!(told.ends_with("6 damaged or missing\n"), "{told}");
    assert_eq!(
        whole::files_below(home.path()).unwrap(),
        files,
        "nothing was repaired or removed"
    );
}

#[test]
fn directories_that_a_server_uses_are_checked_only_if_that_is_insisted_on() {
    let home = directories();
    let server = home.start(INSECURE).unwrap();
    let refused = check(&home, &[]);
    assert_eq!(refused.status.code(), Some(2), "{refused:?}");
    let told = text(&refused.stderr);
    assert!(
        told.contains("a server uses") && told.contains("imagetool scrub"),
        "{told}"
    );
    let insisted = check(&home, &["--while-running"]);
    assert_eq!(insisted.status.code(), Some(0), "{insisted:?}");
    assert!(text(&insisted.stderr).contains("warning: a server uses"));
    drop(server);
    let nowhere = Command::new(program("imagewright").unwrap())
        .args(["check", "/etc"])
        .output()
        .unwrap();
    assert_eq!(nowhere.status.code(), Some(2), "{nowhere:?}");
}
