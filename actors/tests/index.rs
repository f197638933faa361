//! Starts with an index on disk: whatever became of it or of the files meanwhile, what is served is what the files say.

// Helpers of tests are tests.
#![allow(clippy::unwrap_used)]

mod common;

use actors::{IndexUse, StartReport};
use common::{Directories, IMAGE_INDEX, OBJECT_INDEX, put, served, served_alike, store};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Starts and stops until the indexes answer for everything: files that were just written are not taken at the word of
/// their stamps.
fn settle(directories: &Directories) -> StartReport {
    let start = Instant::now();
    loop {
        let system = directories.start();
        let report = system.start_report().clone();
        system.stop();
        if report.images_decoded == 0 && report.objects_scanned == 0 {
            assert_eq!(
                (&report.image_index, &report.object_index),
                (&IndexUse::Used, &IndexUse::Used)
            );
            return report;
        }
        assert!(start.elapsed() < Duration::from_secs(30), "{report:?}");
    }
}

/// Two directories of images, eight images with objects in common, two objects nobody needs.
async fn filled() -> Directories {
    let directories = Directories::new();
    let system = directories.start();
    let root = common::privileged("root");
    system
        .images
        .make_directory("a/b", true, root.clone())
        .await
        .unwrap();
    system.images.chown_directory("a", "users", root).await.unwrap();
    for number in 0..4 {
        let own = format!("content {number}");
        put(
            &system,
            &format!("{number}"),
            &[("same", b"same"), ("own", own.as_bytes())],
        )
        .await;
        put(
            &system,
            &format!("a/b/{number}"),
            &[("own", own.as_bytes()), ("empty", b""), ("again", own.as_bytes())],
        )
        .await;
    }
    let mut described = common::image(&[("same", b"same")]);
    described.packages = vec![
        image::Package {
            name: "bash".into(),
            size: 3,
            version: "5.2".into()
        };
        2
    ];
    described.tags = [("owner".to_owned(), "joe".to_owned())].into();
    described.filter = Some(image::Filter {
        filter_lines: vec!["/tmp/.*".into()],
    });
    described.release_notes = Some(image::Annotation {
        object: Some(hash::of(b"same")),
        url: String::new(),
    });
    described.expires_at = (std::time::SystemTime::now() + Duration::from_secs(3600)).into();
    common::add(&system, "described", described).await.unwrap();
    store(&system, &[b"loose", b"also loose"]).await;
    system.stop();
    directories
}

fn path(directories: &Directories, place: &str) -> PathBuf {
    directories.root.path().join(place)
}

#[tokio::test]
async fn a_start_takes_from_the_index_what_did_not_change_and_serves_the_same() {
    let directories = filled().await;
    let report = settle(&directories);
    assert_eq!((report.images_from_index, report.objects_from_index), (9, 7));
    let report = served_alike(&directories).await;
    assert_eq!(report.images_from_index, 9);
}

#[tokio::test]
async fn what_was_just_written_is_read_again() {
    let directories = filled().await;
    settle(&directories);
    let place = path(&directories, "images/1");
    let whole = std::fs::read(&place).unwrap();
    // As long as the old one, at once after it was written.
    std::fs::write(&place, &whole).unwrap();
    settle(&directories);
    let system = directories.start();
    let mut other = whole.clone();
    *other.last_mut().unwrap() ^= 1;
    std::fs::write(&place, &whole).unwrap();
    system.stop();
    std::fs::write(&place, &other).unwrap();
    let system = directories.start();
    assert!(system.images.image("1").await.is_err());
    assert_eq!(system.images.snapshot().quarantined.len(), 1);
    system.stop();
    served_alike(&directories).await;
}

#[tokio::test]
async fn quarantined_images_are_looked_at_again_at_every_start() {
    let directories = filled().await;
    settle(&directories);
    let object = directories.object(&hash::of(b"content 2"));
    std::fs::remove_file(&object).unwrap();
    for _ in 0..3 {
        let system = directories.start();
        assert_eq!(system.images.snapshot().quarantined.len(), 2);
        assert!(system.start_report().images_decoded >= 2);
        system.stop();
    }
    std::fs::write(&object, b"content 2").unwrap();
    let system = directories.start();
    assert!(system.images.snapshot().quarantined.is_empty());
    system.stop();
    served_alike(&directories).await;
}

#[tokio::test]
async fn an_index_that_is_gone_or_cut_or_changed_in_one_bit_is_made_anew() {
    let directories = filled().await;
    settle(&directories);
    let expected = {
        let system = directories.start();
        let seen = served(&system).await;
        system.stop();
        seen
    };
    for index in [IMAGE_INDEX, OBJECT_INDEX] {
        let place = path(&directories, index);
        let whole = std::fs::read(&place).unwrap();
        let lengths = (0..16)
            .map(|part| whole.len() * part / 16)
            .chain([whole.len() - 1]);
        let cut = lengths.map(|length| whole[..length].to_vec());
        let flipped = (0..whole.len()).step_by(whole.len() / 40 + 1).map(|at| {
            let mut flipped = whole.clone();
            flipped[at] ^= 1 << (at % 8);
            flipped
        });
        let longer = [&whole[..], b"x"].concat();
        for bad in cut.chain(flipped).chain([longer]) {
            std::fs::write(&place, &bad).unwrap();
            let system = directories.start();
            let report = system.start_report();
            let (used, from_index) = if index == IMAGE_INDEX {
                (&report.image_index, report.images_from_index)
            } else {
                (&report.object_index, report.objects_from_index)
            };
            assert!(matches!(used, IndexUse::Refused(_)), "{used:?}");
            assert_eq!(from_index, 0);
            assert_eq!(served(&system).await, expected);
            system.stop();
        }
        std::fs::remove_file(&place).unwrap();
        served_alike(&directories).await;
        settle(&directories);
    }
}

#[tokio::test]
async fn an_index_of_another_version_kind_or_directory_is_not_believed() {
    let directories = filled().await;
    let other = filled().await;
    settle(&directories);
    settle(&other);
    let [images, objects] = [IMAGE_INDEX, OBJECT_INDEX].map(|index| path(&directories, index));
    let [image_index, object_index] = [&images, &objects].map(|place| std::fs::read(place).unwrap());
    // Each other's.
    std::fs::write(&images, &object_index).unwrap();
    std::fs::write(&objects, &image_index).unwrap();
    let report = served_alike(&directories).await;
    assert_eq!(
        report.image_index,
        IndexUse::Refused("it is no such index".into())
    );
    assert_eq!(
        report.object_index,
        IndexUse::Refused("it is no such index".into())
    );
    // Another server's, of the same names and contents.
    std::fs::copy(path(&other, IMAGE_INDEX), &images).unwrap();
    std::fs::copy(path(&other, OBJECT_INDEX), &objects).unwrap();
    let report = served_alike(&directories).await;
    assert_eq!(
        report.image_index,
        IndexUse::Refused("it was made for another directory".into())
    );
    assert_eq!((report.images_from_index, report.objects_from_index), (0, 0));
    // A later version's.
    let mut later = image_index.clone();
    later[12] += 1;
    std::fs::write(&images, &later).unwrap();
    let report = served_alike(&directories).await;
    assert!(matches!(report.image_index, IndexUse::Refused(cause) if cause.contains("version 2")));
}

#[tokio::test]
async fn directories_that_were_copied_with_their_index_are_read_anew() {
    let directories = filled().await;
    settle(&directories);
    let copy = Directories::new();
    common::copy_tree(&directories.images(), &copy.images());
    common::copy_tree(&directories.objects(), &copy.objects());
    let report = served_alike(&copy).await;
    assert_eq!((report.images_from_index, report.objects_from_index), (0, 0));
}

/// What the original does to the directories: it knows nothing of the index.
#[tokio::test]
async fn an_index_older_than_what_the_original_did_meanwhile_misleads_nobody() {
    let directories = filled().await;
    settle(&directories);
    let images = directories.images();
    // Deleted, added, replaced, expired; an object added and one collected.
    std::fs::OpenOptions::new()
        .write(true)
        .truncate(true)
        .open(images.join("0"))
        .unwrap();
    std::fs::copy(images.join("1"), images.join("a/b/new~")).unwrap();
    std::fs::hard_link(images.join("a/b/new~"), images.join("a/b/new")).unwrap();
    std::fs::remove_file(images.join("a/b/new~")).unwrap();
    std::fs::copy(images.join("1"), images.join("2~")).unwrap();
    std::fs::rename(images.join("2~"), images.join("2")).unwrap();
    std::fs::remove_file(images.join("described")).unwrap();
    std::fs::remove_file(images.join("a/.metadata")).unwrap();
    std::fs::create_dir(images.join("c")).unwrap();
    std::fs::remove_file(directories.object(&hash::of(b"loose"))).unwrap();
    let added = directories.object(&hash::of(b"added"));
    std::fs::create_dir_all(added.parent().unwrap()).unwrap();
    std::fs::write(added, b"added").unwrap();
    let report = served_alike(&directories).await;
    assert_eq!((report.images_from_index, report.images_decoded), (6, 2));
    assert_eq!((report.objects_from_index, report.objects_scanned), (6, 1));
}

/// The index is also written while the server runs: one that is killed leaves what it wrote last.
#[tokio::test]
async fn a_server_that_is_killed_leaves_an_index() {
    let directories = filled().await;
    settle(&directories);
    let config = || actors::Config {
        index_pause: Duration::from_millis(20),
        ..directories.config()
    };
    let system = actors::start(config()).unwrap();
    put(&system, "late", &[("late", b"late")]).await;
    system
        .images
        .delete("3", common::privileged("joe"))
        .await
        .unwrap();
    // Two changes apart from the rest, so that one more round is due once those above are settled.
    let place = path(&directories, IMAGE_INDEX);
    let mut number = 0;
    let start = Instant::now();
    let left = loop {
        store(&system, &[format!("tick {number}").as_bytes()]).await;
        number += 1;
        let index = std::fs::read(&place).unwrap_or_default();
        if index.windows(6).any(|window| window == b"\x04late\xff")
            || index.windows(4).any(|window| window == b"late")
        {
            break [
                std::fs::read(&place).unwrap(),
                std::fs::read(path(&directories, OBJECT_INDEX)).unwrap(),
            ];
        }
        assert!(start.elapsed() < Duration::from_secs(30));
        tokio::time::sleep(Duration::from_millis(10)).await;
    };
    system.stop();
    // As if it had not been able to write at its end.
    std::fs::write(&place, &left[0]).unwrap();
    std::fs::write(path(&directories, OBJECT_INDEX), &left[1]).unwrap();
    let report = served_alike(&directories).await;
    assert_eq!((report.images_from_index, report.images_decoded), (9, 0));
    // The objects stored meanwhile may have been too new to be vouched for.
    assert_eq!(report.object_index, IndexUse::Used);
    assert!(report.objects_from_index >= 7, "{report:?}");
}

#[tokio::test]
async fn an_image_is_not_acknowledged_on_objects_that_only_the_index_still_has() {
    let directories = filled().await;
    settle(&directories);
    let (cut, gone) = (hash::of(b"loose"), hash::of(b"also loose"));
    // As a repair of the file system does: the directory's own stamp stays.
    let file = std::fs::OpenOptions::new()
        .write(true)
        .open(directories.object(&cut))
        .unwrap();
    file.set_len(2).unwrap();
    let file = std::fs::OpenOptions::new()
        .write(true)
        .open(directories.object(&gone))
        .unwrap();
    file.set_len(0).unwrap();
    let system = directories.start();
    assert_eq!(system.start_report().object_index, IndexUse::Used);
    let files: [(&str, &[u8]); 2] = [("a", b"loose"), ("b", b"also loose")];
    let refused = common::add(&system, "needs-them", common::image(&files))
        .await
        .unwrap_err();
    assert_eq!(refused.to_string(), "2 objects are not available");
    store(&system, &[b"loose", b"also loose"]).await;
    common::add(&system, "needs-them", common::image(&files))
        .await
        .unwrap();
    assert_eq!(common::read(&system, &cut).await.unwrap(), b"loose");
    assert_eq!(common::read(&system, &gone).await.unwrap(), b"also loose");
}
