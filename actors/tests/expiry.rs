//! What the image index promises about images that end (`imageserver.md §2.3`).

// Helpers of tests are tests.
#![allow(clippy::unwrap_used)]

mod common;

use actors::IndexEvent;
use actors::image_index::Requester;
use common::{Directories, add, expiring, image, names, privileged, put, store, user};
use gob::Time;
use image::Image;
use std::time::{Duration, SystemTime};

const HOUR: Duration = Duration::from_secs(3600);

fn ahead(by: Duration) -> Time {
    (SystemTime::now() + by).into()
}

fn text<T: std::fmt::Debug>(result: Result<T, actors::IndexError>) -> String {
    result.unwrap_err().to_string()
}

#[tokio::test]
async fn expirations_are_changed_by_the_rules_and_their_words() {
    let directories = Directories::new();
    let system = directories.start();
    store(&system, &[b"content"]).await;
    put(&system, "stays", &[]).await;
    let first = expiring(&[("file", b"content")], HOUR);
    add(&system, "goes", first.clone()).await.unwrap();
    let change = |name: &'static str, at: Time, requester: Requester| {
        let images = system.images.clone();
        async move { images.change_expiration(name, at, requester).await }
    };
    let joe = || privileged("joe");
    assert_eq!(
        text(change("none", ahead(2 * HOUR), joe()).await),
        "image not found"
    );
    assert_eq!(
        text(change("stays", ahead(2 * HOUR), joe()).await),
        "image does not expire"
    );
    assert_eq!(
        text(change("goes", ahead(HOUR / 2), joe()).await),
        "cannot shorten expiration time"
    );
    let limit = text(change("none", ahead(800 * HOUR), joe()).await);
    assert_eq!(
        limit, "maximum expiration time is 4w2d10h0m0s for you",
        "the limit check comes first"
    );
    let user_limit = text(change("goes", ahead(48 * HOUR), user("ann", &[])).await);
    assert_eq!(user_limit, "maximum expiration time is 1d0s");
    assert_eq!(
        text(change("goes", ahead(2 * HOUR), user("ann", &[])).await),
        "no access to image"
    );
    let mut events = system.images.subscribe();
    change("goes", first.expires_at, joe()).await.unwrap();
    assert!(events.try_recv().is_err(), "nothing changed");
    let second = ahead(2 * HOUR);
    change("goes", second, joe()).await.unwrap();
    assert_eq!(events.recv().await.unwrap(), IndexEvent::AddImage("goes".into()));
    let check = |system: &actors::System, expected: Time| {
        assert_eq!(
            system.images.snapshot().images["goes"].metadata.expires_at,
            expected
        );
    };
    check(&system, second);
    assert_eq!(
        system.images.image("goes").await.unwrap().unwrap().expires_at,
        second
    );
    assert_eq!(
        system.images.image("goes").await.unwrap().unwrap().file_system,
        first.file_system
    );
    assert_eq!(system.objects.statistics().references, 1);
    system.stop();
    let system = directories.start();
    check(&system, second);
    system
        .images
        .change_expiration("goes", Time::ZERO, joe())
        .await
        .unwrap();
    let images = &system.images;
    assert_eq!(
        text(images.change_expiration("goes", second, joe()).await),
        "image does not expire"
    );
}

#[tokio::test]
async fn an_image_ends_when_it_expires_without_tombstone_or_event() {
    let directories = Directories::new();
    let system = directories.start();
    store(&system, &[b"content"]).await;
    let files: &[(&str, &[u8])] = &[("file", b"content")];
    add(&system, "extended", expiring(files, Duration::from_secs(4)))
        .await
        .unwrap();
    system
        .images
        .change_expiration("extended", ahead(HOUR), privileged("joe"))
        .await
        .unwrap();
    let mut events = system.images.subscribe();
    add(&system, "short", expiring(files, Duration::from_secs(5)))
        .await
        .unwrap();
    assert_eq!(events.recv().await.unwrap(), IndexEvent::AddImage("short".into()));
    common::eventually("expired", || names(&system) == ["extended"]).await;
    assert!(!directories.images().join("short").exists());
    assert!(events.try_recv().is_err());
    assert_eq!(system.objects.statistics().references, 1);
    // The name may be used again.
    add(&system, "short", image(files)).await.unwrap();
}

#[tokio::test]
async fn the_tombstone_of_an_expiring_image_goes_when_it_would_have_expired() {
    let directories = Directories::new();
    let system = directories.start();
    add(&system, "short", expiring(&[], Duration::from_secs(3)))
        .await
        .unwrap();
    system.images.delete("short", privileged("joe")).await.unwrap();
    let path = directories.images().join("short");
    assert!(path.exists());
    common::eventually("the tombstone is gone", || !path.exists()).await;
}

#[tokio::test]
async fn an_image_that_has_expired_already_is_ignored_as_success() {
    let directories = Directories::new();
    let system = directories.start();
    let past = Image {
        expires_at: Time::new(1, 0, gob::Zone::Utc),
        ..image(&[])
    };
    add(&system, "past", past).await.unwrap();
    assert!(names(&system).is_empty());
    assert!(!directories.images().join("past").exists());
}
