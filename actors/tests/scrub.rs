//! The scrub finds what nobody has asked for, says how far it is, and goes on after a restart of its actor.

// Helpers of tests are tests.
#![allow(clippy::unwrap_used)]

mod common;

use actors::image_index::EntryState;
use actors::{Config, ScrubPass, Scrubbing, System};
use common::*;
use std::path::Path;
use std::time::{Duration, SystemTime};

async fn scrub(system: &System) -> ScrubPass {
    let number = system.scrubber.start(0).await.unwrap();
    let last = || system.scrubber.status().last.filter(|pass| pass.number >= number);
    eventually("the pass ends", || last().is_some()).await;
    last().unwrap()
}

fn flip(path: &Path, at: usize) {
    let mut content = std::fs::read(path).unwrap();
    content[at] ^= 1;
    std::fs::write(path, content).unwrap();
}

fn start(directories: &Directories, scrubbing: Scrubbing) -> System {
    actors::start(Config {
        scrubbing,
        ..directories.config()
    })
    .unwrap()
}

#[tokio::test]
async fn a_scrub_finds_damage_of_every_kind_before_anybody_asks_and_takes_up_what_was_put_right() {
    let directories = Directories::new();
    let system = start(
        &directories,
        Scrubbing {
            rate_bytes: 0,
            ..Scrubbing::default()
        },
    );
    let large = vec![7; (3 << 20) + 5];
    let files: [(&str, &[u8]); 4] = [("a", b"one"), ("b", b"two"), ("c", &large), ("d", b"gone")];
    put(&system, "image", &files).await;
    put(&system, "other", &[("a", b"one")]).await;
    let pass = scrub(&system).await;
    assert!(pass.is_clean(), "{pass:?}");
    assert_eq!((pass.images_checked, pass.objects_checked), (2, 4));
    assert_eq!(pass.bytes_checked, 10 + large.len() as u64);

    let object = |content: &[u8]| directories.object(&hash::of(content));
    flip(&object(b"two"), 1);
    flip(&object(&large), 2 << 20);
    let gone = std::fs::read(object(b"gone")).unwrap();
    std::fs::remove_file(object(b"gone")).unwrap();
    flip(&directories.images().join("other"), 30);
    let pass = scrub(&system).await;
    assert_eq!((pass.damaged_images, pass.damaged_objects), (1, 3), "{pass:?}");
    assert_eq!((pass.unrepaired_images, pass.unrepaired_objects), (1, 3));
    assert!(!pass.is_clean());
    for content in [b"two", &large[..], b"gone"] {
        assert_eq!(system.objects.sizes(&[hash::of(content)], None), [0]);
    }
    let state = |name: &str| system.images.snapshot().images[name].state.clone();
    assert_ne!(state("other"), EntryState::Present);
    assert_eq!(read(&system, &hash::of(b"one")).await.unwrap(), b"one");

    // The next pass takes up what somebody put right.
    flip(&object(b"two"), 1);
    flip(&object(&large), 2 << 20);
    std::fs::write(object(b"gone"), gone).unwrap();
    flip(&directories.images().join("other"), 30);
    let pass = scrub(&system).await;
    assert!(pass.is_clean(), "{pass:?}");
    assert_eq!(system.objects.statistics().damaged_objects, 0);
    assert_eq!(state("other"), EntryState::Present);
    assert_eq!(read(&system, &hash::of(&large)).await.unwrap(), large);
    assert!(system.scrubber.status().last_finished_at <= Some(SystemTime::now()));
}

#[tokio::test]
async fn a_pass_goes_on_where_it_was_when_its_actor_comes_back() {
    let directories = Directories::new();
    let system = start(
        &directories,
        Scrubbing {
            rate_bytes: 20_000,
            ..Scrubbing::default()
        },
    );
    let contents: Vec<Vec<u8>> = (0..40_u8).map(|number| vec![number; 1000]).collect();
    let contents: Vec<&[u8]> = contents.iter().map(Vec::as_slice).collect();
    store(&system, &contents).await;
    let number = system.scrubber.start(0).await.unwrap();
    let running = || system.scrubber.status().running;
    for restarts in 1..=2 {
        let checked = running().unwrap().objects_checked;
        eventually("it goes on", || running().unwrap().objects_checked > checked).await;
        system.scrubber.debug_panic().await.unwrap_err();
        eventually("it comes back", || system.scrubber.health().restarts == restarts).await;
    }
    // As fast as it can from now on: the same pass.
    let rate = 1 << 30;
    assert_eq!(system.scrubber.start(rate).await.unwrap(), number);
    eventually("it ends", || running().is_none()).await;
    let pass = system.scrubber.status().last.unwrap();
    assert_eq!((pass.number, pass.rate_bytes), (number, rate));
    assert!(pass.is_clean(), "{pass:?}");
    // What was in hand when the actor died is read again, and nothing else.
    assert!((40..44).contains(&pass.objects_checked), "{pass:?}");
}

#[tokio::test]
async fn a_pass_begins_by_itself_when_it_is_time_and_not_again_after_a_restart_of_the_process() {
    let directories = Directories::new();
    let interval = Duration::from_secs(3600);
    let soon = Scrubbing {
        interval,
        first_pause: Duration::ZERO,
        ..Scrubbing::default()
    };
    let system = start(&directories, soon.clone());
    eventually("it begins and ends", || system.scrubber.status().last.is_some()).await;
    let next = system.scrubber.status().next_at.unwrap();
    assert!(next > SystemTime::now() + interval / 2);
    let finished_at = system.scrubber.status().last_finished_at.unwrap();
    system.stop();
    let system = start(&directories, soon);
    let status = system.scrubber.status();
    let difference = finished_at.duration_since(status.last_finished_at.unwrap());
    assert!(difference.unwrap() < Duration::from_secs(1));
    assert!(status.running.is_none() && status.next_at > Some(SystemTime::now() + interval / 2));
    let never = Scrubbing {
        interval: Duration::ZERO,
        ..Scrubbing::default()
    };
    system.stop();
    assert_eq!(start(&directories, never).scrubber.status().next_at, None);
}
