//! The directory of a repository of images.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on has failed"
)]

use proptest::prelude::*;
use std::fs;
use std::os::unix::fs::symlink;
use storage::{RepositoryDir, StorageError};
use tempfile::TempDir;

const AREAS: [&str; 3] = ["manifests", "images", "archive"];

fn open() -> (TempDir, RepositoryDir) {
    let base = tempfile::tempdir().unwrap();
    let directory = RepositoryDir::open(base.path(), &AREAS).unwrap();
    (base, directory)
}

#[test]
fn a_second_process_is_refused_with_the_first_one_s_number() {
    let (base, directory) = open();
    let error = RepositoryDir::open(base.path(), &AREAS).unwrap_err();
    assert!(matches!(error, StorageError::Locked { .. }));
    assert!(
        error.to_string().contains(&std::process::id().to_string()),
        "{error}"
    );
    drop(directory);
    assert!(RepositoryDir::open(base.path(), &AREAS).is_ok());
}

#[test]
fn many_files_are_written_at_once_and_a_bad_name_spoils_only_its_own() {
    let (base, directory) = open();
    let files: [(&str, &[u8]); 5] = [
        ("manifests/a.raw", b"1"),
        ("archive/abc/a.json", b"2"),
        ("manifests/../../x", b"3"),
        ("nowhere/x", b"4"),
        ("manifests/a.raw", b"5"),
    ];
    let results = directory.write_all(&files);
    let is_good: Vec<bool> = results.iter().map(Result::is_ok).collect();
    assert_eq!(is_good, [true, true, false, false, true]);
    assert_eq!(fs::read(base.path().join("manifests/a.raw")).unwrap(), b"5");
    assert_eq!(fs::read(base.path().join("archive/abc/a.json")).unwrap(), b"2");
    let (content, stamp) = directory.read("manifests/a.raw", 10).unwrap().unwrap();
    assert_eq!(
        (content.as_slice(), stamp),
        (&b"5"[..], *results[4].as_ref().unwrap())
    );
    assert!(directory.read("manifests/a.raw", 0).is_err());
    assert_eq!(directory.read("manifests/b.raw", 10).unwrap(), None);
    // Nothing is left beside them.
    assert_eq!(directory.list("manifests").unwrap().len(), 1);
}

#[test]
fn an_upload_that_is_given_up_leaves_nothing_and_does_not_touch_the_file_that_is_there() {
    let (base, directory) = open();
    let place = base.path().join("images/abc/abcdef");
    let mut first = directory.begin_upload("images/abc/abcdef/file0.one").unwrap();
    first.append(b"good").unwrap();
    first.commit("file0").unwrap();
    let mut second = directory.begin_upload("images/abc/abcdef/file0.two").unwrap();
    second.append(b"bad").unwrap();
    drop(second);
    let names: Vec<String> = directory
        .list("images/abc/abcdef")
        .unwrap()
        .into_iter()
        .map(|found| found.name)
        .collect();
    assert_eq!(
        (names, fs::read(place.join("file0")).unwrap()),
        (vec!["file0".to_owned()], b"good".to_vec())
    );
}

#[test]
fn an_upload_that_is_kept_goes_on_where_it_ended() {
    let (_base, directory) = open();
    let name = "images/abc/abcdef/file0.job";
    assert!(directory.resume_upload(name).unwrap().is_none());
    let mut upload = directory.begin_upload(name).unwrap();
    upload.append(b"half ").unwrap();
    assert_eq!(upload.keep().unwrap(), 5);
    let mut upload = directory.resume_upload(name).unwrap().unwrap();
    assert_eq!(upload.length(), 5);
    assert_eq!(
        std::io::read_to_string(upload.reader().unwrap()).unwrap(),
        "half "
    );
    upload.append(b"whole").unwrap();
    assert_eq!(upload.length(), 10);
    let stamp = upload.commit("file0").unwrap();
    assert_eq!(stamp.size, 10);
    let (file, _) = directory.open_file("images/abc/abcdef/file0").unwrap().unwrap();
    assert_eq!(std::io::read_to_string(file).unwrap(), "half whole");
    let upload = directory.begin_upload(name).unwrap();
    assert!(matches!(upload.commit("../x"), Err(StorageError::BadName { .. })));
}

#[test]
fn links_are_followed_at_an_area_and_nowhere_below() {
    let base = tempfile::tempdir().unwrap();
    let other = tempfile::tempdir().unwrap();
    symlink(other.path(), base.path().join("images")).unwrap();
    let directory = RepositoryDir::open(base.path(), &AREAS).unwrap();
    directory
        .begin_upload("images/abc/file0.x")
        .unwrap()
        .commit("file0")
        .unwrap();
    assert!(other.path().join("abc/file0").exists());
    let secret = tempfile::tempdir().unwrap();
    fs::write(secret.path().join("file0"), "secret").unwrap();
    symlink(secret.path(), other.path().join("def")).unwrap();
    symlink(secret.path().join("file0"), other.path().join("abc/file1")).unwrap();
    assert!(directory.open_file("images/def/file0").is_err());
    assert!(directory.open_file("images/abc/file1").is_err());
    assert!(directory.begin_upload("images/def/file0.x").is_err());
    assert!(directory.write_all(&[("images/def/x", b"y")])[0].is_err());
    assert_eq!(fs::read_dir(secret.path()).unwrap().count(), 1);
}

#[test]
fn what_is_removed_or_renamed_takes_its_empty_directory_along_only_if_asked() {
    let (base, directory) = open();
    directory
        .begin_upload("images/abc/old/file0.x")
        .unwrap()
        .commit("file0")
        .unwrap();
    assert!(!directory.remove_empty_directory("images/abc/old").unwrap());
    assert!(directory.rename("images/abc/old", "images/def/new").unwrap());
    assert!(!directory.rename("images/abc/old", "images/def/new").unwrap());
    assert!(base.path().join("images/def/new/file0").exists());
    assert!(directory.remove("images/def/new/file0").unwrap());
    assert!(!directory.remove("images/def/new/file0").unwrap());
    assert!(directory.remove_empty_directory("images/def/new").unwrap());
    assert!(!directory.remove_empty_directory("images/nowhere/new").unwrap());
}

#[test]
fn leftovers_of_writes_are_removed_and_nothing_else() {
    let (base, directory) = open();
    for name in [".a.raw.0~", "b.raw", ".hidden", "c~"] {
        fs::write(base.path().join("manifests").join(name), "x").unwrap();
    }
    assert_eq!(directory.remove_temporaries("manifests").unwrap(), 1);
    assert_eq!(directory.list("manifests").unwrap().len(), 3);
}

#[test]
fn files_come_into_directories_that_others_remove_meanwhile() {
    let (_base, directory) = open();
    std::thread::scope(|scope| {
        let remover = scope.spawn(|| {
            for _ in 0..2000 {
                let _ = directory.remove_empty_directory("images/abc/abcdef");
                let _ = directory.remove_empty_directory("images/abc");
            }
        });
        let mut made = 0;
        while !remover.is_finished() || made < 100 {
            // Giving up after several tries is allowed; a file in a directory that is no more is not.
            if let Ok(upload) = directory.begin_upload("images/abc/abcdef/file0.x") {
                upload.commit("file0").unwrap();
                assert!(directory.remove("images/abc/abcdef/file0").unwrap());
            }
            made += 1;
        }
    });
}

proptest! {
    #[test]
    fn no_name_leads_outside(name in "(manifests|images)?(/(\\.|\\.\\.|a|[^/\0]{0,3})){0,4}") {
        let (base, directory) = open();
        let outside = base.path().join("secret");
        fs::write(&outside, "secret").unwrap();
        let _ = directory.write_all(&[(name.as_str(), b"x")]);
        if let Ok(Some((content, _))) = directory.read(&name, 100) {
            prop_assert_ne!(content, b"secret".to_vec());
        }
        let _ = directory.remove(&name);
        prop_assert_eq!(fs::read(&outside).unwrap(), b"secret".to_vec());
        let inside: Vec<String> = fs::read_dir(base.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        prop_assert!(inside.iter().all(|name| AREAS.contains(&name.as_str()) || name == "secret" || name == ".imgapi.lock"), "{:?}", inside);
    }
}

#[test]
fn what_goes_past_the_page_cache_is_the_same_file() {
    let (base, directory) = open();
    let name = "images/abc/large";
    let content: Vec<u8> = (0..3_000_000u32).map(|number| (number % 251) as u8).collect();
    // Blocks of all sizes, aligned and not, in two sittings.
    let lengths = [512 << 10, 300_000, 5, 4091, 512 << 10, 1_000_001];
    let (mut rest, mut sitting) = (&content[..], directory.begin_upload(name).unwrap());
    for (turn, length) in lengths.into_iter().chain([usize::MAX]).enumerate() {
        let (piece, behind) = rest.split_at(length.min(rest.len()));
        let mut block = storage::Block::with_capacity(piece.len());
        assert!(block.fill(piece).is_empty() && block.is_full());
        sitting.append(block.bytes()).unwrap();
        rest = behind;
        if turn == 3 {
            let length = sitting.keep().unwrap();
            sitting = directory.resume_upload(name).unwrap().unwrap();
            assert_eq!(sitting.length(), length);
        }
    }
    assert_eq!(sitting.length(), content.len() as u64);
    sitting.commit("small").unwrap();
    assert!(fs::read(base.path().join("images/abc/small")).unwrap() == content);
}
