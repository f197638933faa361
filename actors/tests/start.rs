//! What a start finds, whatever it finds.

// Helpers of tests are tests.
#![allow(clippy::unwrap_used)]

mod common;

use actors::image_index::EntryState;
use common::{Directories, add, copy_tree, expiring, image, names, privileged, put, store};
use std::path::Path;
use std::time::Duration;

#[tokio::test]
async fn a_restart_finds_everything_as_it_was() {
    let directories = Directories::new();
    let system = directories.start();
    system
        .images
        .make_directory("a/b", true, privileged("root"))
        .await
        .unwrap();
    for number in 0..20 {
        let name = format!("a/b/{number}");
        put(&system, &name, &[("same", b"same"), ("own", name.as_bytes())]).await;
    }
    store(&system, &[b"loose"]).await;
    let before = system.images.snapshot();
    let figures = system.objects.statistics();
    system.stop();
    let system = directories.start();
    let after = system.images.snapshot();
    assert_eq!(names(&system).len(), 20);
    for (name, entry) in &before.images {
        let found = &after.images[name];
        assert_eq!(found.metadata, entry.metadata);
        assert_eq!(found.checksum, entry.checksum);
        assert_eq!(found.inodes, entry.inodes);
        let hashes = |entry: &actors::image_index::ImageEntry| {
            entry
                .objects
                .iter()
                .map(|object| (object.hash, object.size))
                .collect::<Vec<_>>()
        };
        assert_eq!(hashes(found), hashes(entry));
    }
    let again = system.objects.statistics();
    assert_eq!(again.references, figures.references);
    assert_eq!(
        (
            again.objects,
            again.referenced_objects,
            again.unreferenced_objects
        ),
        (22, 21, 1)
    );
    assert_eq!(
        system.objects.unreferenced().await.unwrap(),
        [(hash::of(b"loose"), 5)]
    );
}

#[tokio::test]
async fn a_damaged_image_is_quarantined_with_its_name_and_the_rest_is_served() {
    let directories = Directories::new();
    let system = directories.start();
    for name in ["bad", "cut", "good"] {
        put(&system, name, &[("file", b"content")]).await;
    }
    system.stop();
    let path = directories.images().join("bad");
    let whole = std::fs::read(&path).unwrap();
    let mut bad = whole.clone();
    *bad.last_mut().unwrap() ^= 1;
    std::fs::write(&path, &bad).unwrap();
    std::fs::write(directories.images().join("cut"), &whole[..whole.len() / 3]).unwrap();
    let system = directories.start();
    assert_eq!(names(&system), ["bad", "cut", "good"]);
    assert!(system.images.image("good").await.unwrap().is_some());
    let error = system.images.image("bad").await.unwrap_err().to_string();
    let expected = "image: bad is quarantined: its file is damaged: checksum mismatch; to repair it: put a good copy of its file";
    assert!(error.starts_with(expected), "{error}");
    assert!(system.images.image("cut").await.is_err());
    assert_eq!(system.images.snapshot().quarantined.len(), 2);
    // Nobody knows what objects they need, so nothing is deleted.
    store(&system, &[b"loose"]).await;
    let error = system
        .objects
        .delete_unreferenced(100, 0)
        .await
        .unwrap_err()
        .to_string();
    assert!(error.starts_with("2 images cannot be decoded"), "{error}");
    // Ways out: a copy of the file, or deleting it.
    std::fs::write(&path, &whole).unwrap();
    system.images.reload("bad").await.unwrap();
    assert!(system.images.image("bad").await.unwrap().is_some());
    let refused = system.images.reload("bad").await.unwrap_err().to_string();
    assert_eq!(refused, "image: bad is not quarantined");
    system.images.delete("cut", privileged("joe")).await.unwrap();
    assert_eq!(system.images.snapshot().quarantined.len(), 0);
    assert_eq!(system.objects.statistics().references, 2);
    system.objects.delete_unreferenced(100, 0).await.unwrap();
}

#[tokio::test]
async fn an_image_with_missing_objects_is_quarantined_and_keeps_those_it_has() {
    let directories = Directories::new();
    let system = directories.start();
    put(&system, "image", &[("a", b"lost"), ("b", b"kept")]).await;
    put(&system, "other", &[("a", b"lost"), ("b", b"gone")]).await;
    system.stop();
    std::fs::remove_file(directories.object(&hash::of(b"lost"))).unwrap();
    std::fs::remove_file(directories.object(&hash::of(b"gone"))).unwrap();
    let system = directories.start();
    let state = |name: &str| system.images.snapshot().images[name].state.clone();
    let cause = format!("object: {} is not available", hash::of(b"lost"));
    assert_eq!(state("image"), EntryState::Quarantined(cause));
    assert_eq!(
        state("other"),
        EntryState::Quarantined("2 objects are not available".into())
    );
    assert!(system.objects.delete_unreferenced(100, 1).await.is_err());
    assert_eq!(system.objects.sizes(&[hash::of(b"kept")], None), [4]);
    store(&system, &[b"lost"]).await;
    system.images.reload("image").await.unwrap();
    assert_eq!(state("image"), EntryState::Present);
    // Those of `image`; `other` has none yet.
    assert_eq!(system.objects.statistics().references, 2);
    system.images.discard("other").await.unwrap();
    assert_eq!(names(&system), ["image"]);
    assert!(!directories.images().join("other").exists());
}

#[tokio::test]
async fn leftovers_are_removed_and_expired_images_end() {
    let directories = Directories::new();
    let system = directories.start();
    put(&system, "image", &[]).await;
    add(&system, "short", expiring(&[], Duration::from_secs(4)))
        .await
        .unwrap();
    system.stop();
    std::fs::write(directories.images().join("unfinished~"), b"half").unwrap();
    std::fs::create_dir_all(directories.objects().join("aa/bb")).unwrap();
    std::fs::write(directories.objects().join("aa/bb/cc~"), b"half").unwrap();
    std::thread::sleep(Duration::from_secs(4));
    let system = directories.start();
    assert_eq!(names(&system), ["image"]);
    for gone in ["unfinished~", "short"] {
        assert!(!directories.images().join(gone).exists());
    }
    assert!(!directories.objects().join("aa/bb/cc~").exists());
    add(&system, "short", image(&[])).await.unwrap();
}

#[tokio::test]
async fn unreadable_metadata_of_a_directory_takes_rights_away_and_nothing_else() {
    let directories = Directories::new();
    let system = directories.start();
    system
        .images
        .make_directory("d", false, privileged("root"))
        .await
        .unwrap();
    system
        .images
        .chown_directory("d", "users", privileged("root"))
        .await
        .unwrap();
    put(&system, "d/image", &[]).await;
    system.stop();
    std::fs::write(directories.images().join("d/.metadata"), b"damage").unwrap();
    let system = directories.start();
    assert!(system.images.image("d/image").await.unwrap().is_some());
    let entry = system.images.snapshot().directories["d"].clone();
    assert_eq!(&*entry.owner_group, "");
    assert!(matches!(entry.state, EntryState::Quarantined(_)));
    system
        .images
        .chown_directory("d", "", privileged("root"))
        .await
        .unwrap();
    assert_eq!(
        system.images.snapshot().directories["d"].state,
        EntryState::Present
    );
}

#[tokio::test]
async fn metadata_with_stale_bytes_at_its_end_is_read_from_the_front() {
    let directories = Directories::new();
    let system = directories.start();
    system
        .images
        .chown_directory(".", "users", privileged("root"))
        .await
        .unwrap();
    system.stop();
    let path = directories.images().join(".metadata");
    let mut content = std::fs::read(&path).unwrap();
    content.extend_from_slice(b"\x01\x02");
    std::fs::write(&path, content).unwrap();
    let system = directories.start();
    let entry = system.images.snapshot().directories["."].clone();
    assert_eq!(
        (&*entry.owner_group, entry.state.clone()),
        ("users", EntryState::Present)
    );
}

#[tokio::test]
async fn a_second_server_on_the_same_directories_is_refused() {
    let directories = Directories::new();
    let _system = directories.start();
    let error = actors::start(directories.config()).err().unwrap().to_string();
    assert!(error.contains("is in use by another process"), "{error}");
}

/// Files written by the original, without their objects: every name is known, and what is missing is said.
#[tokio::test]
async fn the_originals_image_files_are_read() {
    let directories = Directories::new();
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/images");
    copy_tree(&data, &directories.images());
    let system = directories.start();
    let snapshot = system.images.snapshot();
    assert_eq!(&*snapshot.directories["owned"].owner_group, "adm");
    for name in ["small/v1", "small/v2"] {
        let EntryState::Quarantined(cause) = &snapshot.images[name].state else {
            panic!("no objects")
        };
        assert!(cause.ends_with("not available"), "{cause}");
        assert!(snapshot.images[name].inodes.regular > 0);
    }
    let deleted = add(&system, "small/deleted", image(&[]))
        .await
        .unwrap_err()
        .to_string();
    assert_eq!(deleted, "cannot add previously deleted image: small/deleted");
}

/// The whole recorded state, where it lies beside the workspace.
#[tokio::test]
async fn the_originals_directories_are_served_whole() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/golden/disk");
    if !golden.exists() {
        // The same promise is kept for our own directories above, and for the original's files without objects.
        return;
    }
    let directories = Directories::new();
    copy_tree(&golden.join("images"), &directories.images());
    copy_tree(&golden.join("objects"), &directories.objects());
    let system = directories.start();
    for name in ["small/v1", "small/v2"] {
        let image = system.images.image(name).await.unwrap().unwrap();
        for (hash, size) in image::objects::references(&image) {
            let content = common::read(&system, &hash).await.unwrap();
            assert!(size.is_none_or(|size| size == content.len() as u64));
        }
    }
    assert_eq!(system.images.snapshot().quarantined.len(), 0);
}
