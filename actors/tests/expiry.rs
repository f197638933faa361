//! What the image index promises about images that end (`imageserver.md §2.3`).

// Helpers of tests are tests.
#![allow(clippy::unwrap_used)]

mod common;

use actors::image_index::Requester;
use actors::{Clock, Config, IndexEvent, System};
use common::{Directories, add, eventually, expiring, image, names, privileged, put, store, user};
use gob::Time;
use image::Image;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

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
    let check = |system: &System, expected: Time| {
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
    eventually("expired", || names(&system) == ["extended"]).await;
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
    eventually("the tombstone is gone", || !path.exists()).await;
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

/// A wall clock that stands still unless it is set. It counts how often it is looked at.
#[derive(Clone, Default)]
struct HandClock {
    milliseconds: Arc<AtomicU64>,
    looks: Arc<AtomicU64>,
}

impl HandClock {
    fn at(seconds: u64) -> HandClock {
        let clock = HandClock::default();
        clock.set(seconds);
        clock
    }

    fn set(&self, seconds: u64) {
        self.milliseconds.store(seconds * 1000, Ordering::SeqCst);
    }

    /// A server by this clock, which looks at it often.
    fn start(&self, directories: &Directories) -> System {
        let clock = self.clone();
        let config = Config {
            clock: Clock::new(move || {
                clock.looks.fetch_add(1, Ordering::SeqCst);
                UNIX_EPOCH + Duration::from_millis(clock.milliseconds.load(Ordering::SeqCst))
            }),
            look_at_clock: Duration::from_millis(5),
            ..directories.config()
        };
        actors::start(config).unwrap()
    }

    /// Waits until it was looked at several times more: whoever goes by it has seen what it shows now.
    async fn seen(&self) {
        let before = self.looks.load(Ordering::SeqCst);
        eventually("the clock is looked at", || {
            self.looks.load(Ordering::SeqCst) >= before + 20
        })
        .await;
    }
}

/// Without an expiration the clock is not looked at by itself, so this asks for it.
async fn nothing_is_due(system: &System) {
    while system.images.look_at_clock().await.unwrap() {
        tokio::task::yield_now().await;
    }
}

fn until(seconds: u64) -> Image {
    Image {
        expires_at: (UNIX_EPOCH + Duration::from_secs(seconds)).into(),
        ..image(&[("file", b"content")])
    }
}

const DAY: u64 = 24 * 3600;
/// Somewhen in 2026, seconds since 1970.
const NOON: u64 = 1_795_348_800;

#[tokio::test]
async fn images_expire_by_the_wall_clock_wherever_it_is_set() {
    let directories = Directories::new();
    let clock = HandClock::at(NOON);
    let system = clock.start(&directories);
    store(&system, &[b"content"]).await;
    for (name, seconds) in [("hour", 3600), ("day", DAY), ("week", 7 * DAY)] {
        add(&system, name, until(NOON + seconds)).await.unwrap();
    }
    clock.seen().await;
    assert_eq!(names(&system), ["day", "hour", "week"], "the clock stands still");
    // Set back: whatever time passes, nothing is due.
    clock.set(NOON - 30 * DAY);
    clock.seen().await;
    assert_eq!(names(&system), ["day", "hour", "week"]);
    // Set forward, or a machine that slept for a day: what is due goes at once, without anybody saying so.
    clock.set(NOON + DAY);
    eventually("two have expired", || names(&system) == ["week"]).await;
    assert!(!directories.images().join("hour").exists() && !directories.images().join("day").exists());
    // And back once more: what expired stays away, what is there stays there.
    clock.set(NOON);
    clock.seen().await;
    assert_eq!(names(&system), ["week"]);
    assert_eq!(system.objects.statistics().references, 1);
    clock.set(NOON + 7 * DAY - 1);
    clock.seen().await;
    assert_eq!(names(&system), ["week"]);
    clock.set(NOON + 7 * DAY);
    eventually("the last has expired", || names(&system).is_empty()).await;
    assert_eq!(system.objects.statistics().references, 0);
}

#[tokio::test]
async fn an_extension_holds_when_the_clock_jumps_over_the_former_end() {
    let directories = Directories::new();
    let clock = HandClock::at(NOON);
    let system = clock.start(&directories);
    store(&system, &[b"content"]).await;
    for name in ["extended", "for ever", "left"] {
        add(&system, name, until(NOON + 60)).await.unwrap();
    }
    let at = |seconds| Time::from(UNIX_EPOCH + Duration::from_secs(seconds));
    let joe = || privileged("joe");
    let images = &system.images;
    images
        .change_expiration("extended", at(NOON + DAY), joe())
        .await
        .unwrap();
    images
        .change_expiration("for ever", Time::ZERO, joe())
        .await
        .unwrap();
    clock.set(NOON + DAY - 1);
    eventually("one has expired", || names(&system) == ["extended", "for ever"]).await;
    clock.set(NOON + DAY);
    eventually("the other has, too", || names(&system) == ["for ever"]).await;
    clock.set(NOON + 10_000 * DAY);
    nothing_is_due(&system).await;
    assert_eq!(names(&system), ["for ever"]);
    // Limits go by the same clock.
    add(&system, "new", until(NOON + 10_000 * DAY + 60))
        .await
        .unwrap();
    let limit = images.change_expiration("new", at(NOON + 10_002 * DAY), user("ann", &[]));
    assert_eq!(text(limit.await), "maximum expiration time is 1d0s");
}

#[tokio::test]
async fn what_expired_while_the_server_was_down_is_gone_and_the_rest_expires_in_its_time() {
    let directories = Directories::new();
    let clock = HandClock::at(NOON);
    let system = clock.start(&directories);
    store(&system, &[b"content"]).await;
    for (name, seconds) in [("hour", 3600), ("day", DAY), ("week", 7 * DAY)] {
        add(&system, name, until(NOON + seconds)).await.unwrap();
    }
    system.stop();
    clock.set(NOON + 2 * 3600);
    let system = clock.start(&directories);
    assert_eq!(names(&system), ["day", "week"]);
    assert!(!directories.images().join("hour").exists());
    assert_eq!(system.objects.statistics().references, 2);
    system.stop();
    // Also without the index, and with the clock behind: nothing is due then.
    common::remove_indexes(directories.root.path());
    clock.set(NOON - DAY);
    let system = clock.start(&directories);
    clock.seen().await;
    assert_eq!(names(&system), ["day", "week"]);
    clock.set(NOON + DAY);
    eventually("a day has passed", || names(&system) == ["week"]).await;
}

#[tokio::test]
async fn the_tombstone_of_an_expiring_image_goes_by_the_clock_and_any_other_stays() {
    let directories = Directories::new();
    let clock = HandClock::at(NOON);
    let system = clock.start(&directories);
    store(&system, &[b"content"]).await;
    let path = |name: &str| directories.images().join(name);
    for name in ["first", "second"] {
        add(&system, name, until(NOON + 3600)).await.unwrap();
        system.images.delete(name, privileged("joe")).await.unwrap();
    }
    put(&system, "kept for ever", &[("file", b"content")]).await;
    system
        .images
        .delete("kept for ever", privileged("joe"))
        .await
        .unwrap();
    clock.set(NOON - DAY);
    clock.seen().await;
    let refused = |name: &'static str| {
        let system = &system;
        async move { text(add(system, name, image(&[])).await) }
    };
    assert!(path("first").exists() && path("second").exists());
    assert_eq!(
        refused("first").await,
        "cannot add previously deleted image: first"
    );
    clock.set(NOON + 3600);
    eventually("both tombstones are gone", || {
        !path("first").exists() && !path("second").exists()
    })
    .await;
    add(&system, "first", image(&[])).await.unwrap();
    clock.set(NOON + 10_000 * DAY);
    nothing_is_due(&system).await;
    assert_eq!(names(&system), ["first"]);
    assert_eq!(
        refused("kept for ever").await,
        "cannot add previously deleted image: kept for ever"
    );
    system.stop();
    // Over a restart no tombstone goes any more: a file of length 0 does not say when it would have.
    let system = clock.start(&directories);
    add(&system, "third", until(NOON + 10_000 * DAY + 60))
        .await
        .unwrap();
    system.images.delete("third", privileged("joe")).await.unwrap();
    system.stop();
    clock.set(NOON + 20_000 * DAY);
    let system = clock.start(&directories);
    nothing_is_due(&system).await;
    let names = ["third", "kept for ever"];
    assert!(names.iter().all(|name| path(name).exists()));
}

#[tokio::test]
async fn an_image_of_the_longest_name_expires_and_is_changed_like_any_other() {
    let directories = Directories::new();
    let clock = HandClock::at(NOON);
    // No server of any kind takes such a name from a client: the file was put there.
    let name = "n".repeat(255);
    let file = protocol::image_file::encode(&Image {
        expires_at: until(NOON + 60).expires_at,
        ..image(&[])
    });
    std::fs::write(directories.images().join(&name), file).unwrap();
    let system = clock.start(&directories);
    let other = "o".repeat(255);
    let refused = text(add(&system, &other, image(&[])).await);
    assert!(
        refused.ends_with("must not be longer than 254 bytes"),
        "{refused}"
    );
    let later = Time::from(UNIX_EPOCH + Duration::from_secs(NOON + DAY));
    system
        .images
        .change_expiration(&name, later, privileged("joe"))
        .await
        .unwrap();
    clock.set(NOON + DAY - 1);
    clock.seen().await;
    assert_eq!(names(&system), [name.as_str()]);
    clock.set(NOON + DAY);
    eventually("it has expired", || names(&system).is_empty()).await;
    let left = std::fs::read_dir(directories.images()).unwrap();
    let left: Vec<_> = left.map(|entry| entry.unwrap().file_name()).collect();
    assert!(
        left.iter().all(|name| !name.as_encoded_bytes().ends_with(b"~")),
        "{left:?}"
    );
    assert!(!directories.images().join(&name).exists());
}
