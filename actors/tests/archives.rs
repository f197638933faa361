//! What archives of images promise (`imageserver.md §3.11, §3.12`).

// Helpers of tests are tests.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Directories, expiring, privileged, put, store};
use gob::Time;
use image::Image;
use protocol::archive::{self, ImageArchive};
use std::time::{Duration, SystemTime};

const HOUR: Duration = Duration::from_secs(3600);

fn ahead(by: Duration) -> Time {
    (SystemTime::now() + by).into()
}

fn text<T: std::fmt::Debug>(result: Result<T, actors::IndexError>) -> String {
    result.unwrap_err().to_string()
}

#[tokio::test]
async fn an_archive_restores_a_deleted_image_as_it_was() {
    let directories = Directories::new();
    let system = directories.start();
    put(&system, "kept", &[("file", b"content")]).await;
    let images = &system.images;
    assert_eq!(images.archive("none").await.unwrap(), None);
    let archive = images.archive("kept").await.unwrap().unwrap();
    let before = images.image("kept").await.unwrap().unwrap();
    let restore = |data: &[u8]| images.restore(data.to_vec(), Time::ZERO, privileged("joe"));
    assert_eq!(text(restore(&archive).await), "image: kept already exists");
    images.delete("kept", privileged("joe")).await.unwrap();
    let mut forged = archive.clone();
    *forged.last_mut().unwrap() ^= 1;
    assert!(text(restore(&forged).await).starts_with("HMAC mismatch: expected: "));
    assert!(text(restore(b"no archive").await).starts_with("cannot read image archive: "));
    assert_eq!(restore(&archive).await.unwrap(), "kept");
    assert_eq!(*images.image("kept").await.unwrap().unwrap(), *before);
    assert_eq!(system.objects.statistics().references, 1);
    // Elsewhere it is a new image of whoever brings it.
    let elsewhere = Directories::new();
    let other = elsewhere.start();
    assert!(
        text(
            other
                .images
                .restore(archive.clone(), Time::ZERO, privileged("eve"))
                .await
        )
        .ends_with("is not available")
    );
    store(&other, &[b"content"]).await;
    other
        .images
        .restore(archive, Time::ZERO, privileged("eve"))
        .await
        .unwrap();
    let restored = other.images.image("kept").await.unwrap().unwrap();
    assert_eq!(restored.created_by, "eve");
    assert_eq!(restored.file_system, before.file_system);
}

#[tokio::test]
async fn an_archive_of_an_expiring_image_needs_a_new_expiration() {
    let directories = Directories::new();
    let system = directories.start();
    let images = &system.images;
    put(&system, "other", &[]).await;
    // Makes the secret, with which this test seals archives as the server would have some time ago.
    images.archive("other").await.unwrap();
    let secret = std::fs::read(directories.images().join(".secret")).unwrap();
    let sealed = |image| {
        let content = ImageArchive {
            image_name: "short".into(),
            image,
        };
        archive::encode(&content, &secret).unwrap()
    };
    let restore = |data: Vec<u8>, at: Time| images.restore(data, at, privileged("joe"));
    let running = sealed(expiring(&[], HOUR));
    assert!(text(restore(running, ahead(HOUR)).await).starts_with("cannot restore for: "));
    let past = Image {
        expires_at: Time::new(1, 0, gob::Zone::Utc),
        ..common::image(&[])
    };
    let ended = sealed(past);
    assert!(
        text(restore(ended.clone(), ahead(1000 * HOUR)).await).starts_with("maximum expiration time is ")
    );
    let at = ahead(HOUR);
    restore(ended, at).await.unwrap();
    assert_eq!(images.snapshot().images["short"].metadata.expires_at, at);
}

#[tokio::test]
async fn nothing_but_the_archive_as_it_was_sealed_gets_over_a_tombstone() {
    let directories = Directories::in_memory();
    let system = directories.start();
    put(&system, "kept", &[("file", b"content")]).await;
    let images = &system.images;
    let archive = images.archive("kept").await.unwrap().unwrap();
    let before = images.image("kept").await.unwrap().unwrap();
    images.delete("kept", privileged("joe")).await.unwrap();
    let tombstone = directories.images().join("kept");
    let restore = |data: Vec<u8>| images.restore(data, Time::ZERO, privileged("joe"));
    // Each byte changed, at least in one bit.
    for at in 0..archive.len() {
        let mut changed = archive.clone();
        changed[at] ^= 1 << (at % 8);
        if let Ok(name) = restore(changed).await {
            // What was changed is the name itself: a new image of whoever brings it, as from any other server.
            assert_ne!(name, "kept", "byte {at}");
            assert_eq!(images.snapshot().images[name.as_str()].metadata.created_by, "joe");
            images.delete(&name, privileged("joe")).await.unwrap();
        }
        assert!(!images.snapshot().images.contains_key("kept"), "byte {at}");
        assert_eq!(tombstone.metadata().unwrap().len(), 0, "byte {at}");
    }
    // Cut anywhere, or with something behind it.
    for end in 0..archive.len() {
        text(restore(archive[..end].to_vec()).await);
    }
    let mut longer = archive.clone();
    longer.push(0);
    assert!(text(restore(longer).await).starts_with("HMAC mismatch: expected: "));
    assert_eq!(system.objects.statistics().references, 0);
    assert_eq!(tombstone.metadata().unwrap().len(), 0);
    // After all that the archive itself is as good as ever, and after a restart.
    assert_eq!(restore(archive.clone()).await.unwrap(), "kept");
    images.delete("kept", privileged("joe")).await.unwrap();
    system.stop();
    let system = directories.start();
    system
        .images
        .restore(archive, Time::ZERO, privileged("joe"))
        .await
        .unwrap();
    assert_eq!(*system.images.image("kept").await.unwrap().unwrap(), *before);
}

#[tokio::test]
async fn an_archive_of_another_server_never_gets_over_a_tombstone() {
    let (here, elsewhere) = (Directories::new(), Directories::new());
    let (system, other) = (here.start(), elsewhere.start());
    put(&other, "kept", &[("file", b"content")]).await;
    let archive = other.images.archive("kept").await.unwrap().unwrap();
    put(&system, "kept", &[("file", b"content")]).await;
    let images = &system.images;
    let restore = || images.restore(archive.clone(), Time::ZERO, privileged("joe"));
    assert_eq!(text(restore().await), "image: kept already exists");
    images.delete("kept", privileged("joe")).await.unwrap();
    let refused = text(restore().await);
    assert!(refused.starts_with("HMAC mismatch: expected: "), "{refused}");
    // One hexadecimal text only, the archive's own: the right seal would make a forgery of it.
    assert_eq!(
        refused.split([' ', ',']).filter(|word| word.len() == 128).count(),
        1,
        "{refused}"
    );
    assert!(images.snapshot().images.is_empty());
    assert_eq!(system.objects.statistics().references, 0);
}
