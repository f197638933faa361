//! What is damaged is said, with cause and remedy, and what was repaired comes back without a restart.

// Helpers of tests are tests.
#![allow(clippy::unwrap_used)]

mod common;

use actors::image_index::{DamageReport, EntryState, IndexEvent};
use actors::{Config, System};
use common::*;
use std::time::Duration;

/// Looks often, so that nobody has to wait.
fn watchful(directories: &Directories) -> System {
    actors::start(Config {
        look_at_damage: Duration::from_millis(20),
        ..directories.config()
    })
    .unwrap()
}

fn is_quarantined(system: &System, name: &str) -> bool {
    system.images.snapshot().images[name].state != EntryState::Present
}

async fn report(system: &System) -> DamageReport {
    system.images.damage().await.unwrap()
}

#[tokio::test]
async fn a_restored_file_comes_back_by_itself_and_is_announced() {
    let directories = Directories::new();
    let system = directories.start();
    put(&system, "image", &[("file", b"content")]).await;
    system.stop();
    let file = directories.images().join("image");
    let whole = std::fs::read(&file).unwrap();
    std::fs::write(&file, &whole[..whole.len() / 2]).unwrap();
    let system = watchful(&directories);
    assert!(is_quarantined(&system, "image"));
    let damage = report(&system).await;
    assert_eq!(damage.images.len(), 1);
    assert!(damage.images[0].remedy.contains("from a replica or a backup"));
    assert!(damage.images[0].since > gob::Time::ZERO && damage.objects.is_empty());
    let refused = system.images.image("image").await.unwrap_err().to_string();
    assert!(
        refused.contains("quarantined") && refused.contains("imagetool delete image"),
        "{refused}"
    );
    let mut events = system.images.subscribe();
    std::fs::write(&file, &whole).unwrap();
    eventually("in order again", || !is_quarantined(&system, "image")).await;
    assert_eq!(events.recv().await.unwrap(), IndexEvent::AddImage("image".into()));
    assert!(system.images.image("image").await.unwrap().is_some());
    assert!(report(&system).await.images.is_empty());
    assert_eq!(system.objects.statistics().references, 1);
}

#[tokio::test]
async fn a_restored_file_comes_back_at_once_when_somebody_asks() {
    let directories = Directories::new();
    let system = directories.start();
    put(&system, "image", &[]).await;
    system.stop();
    let file = directories.images().join("image");
    let whole = std::fs::read(&file).unwrap();
    std::fs::write(&file, b"damage").unwrap();
    let config = Config {
        look_at_damage: Duration::from_secs(3600),
        ..directories.config()
    };
    let system = actors::start(config).unwrap();
    system.images.image("image").await.unwrap_err();
    std::fs::write(&file, &whole).unwrap();
    assert!(system.images.image("image").await.unwrap().is_some());
}

#[tokio::test]
async fn an_image_damaged_while_the_server_runs_is_quarantined_when_asked_for_and_keeps_its_name() {
    let directories = Directories::new();
    let config = Config {
        tree_cache_bytes: 0,
        ..directories.config()
    };
    let system = actors::start(config).unwrap();
    for name in ["cut", "emptied", "removed"] {
        put(&system, name, &[("file", b"content")]).await;
    }
    let mut events = system.images.subscribe();
    let file = |name: &str| directories.images().join(name);
    let whole = std::fs::read(file("cut")).unwrap();
    std::fs::write(file("cut"), &whole[..9]).unwrap();
    std::fs::write(file("emptied"), b"").unwrap();
    std::fs::remove_file(file("removed")).unwrap();
    for (name, cause) in [
        ("emptied", "its file is empty"),
        ("removed", "its file is gone"),
        ("cut", ""),
    ] {
        let refused = system.images.image(name).await.unwrap_err().to_string();
        assert!(
            refused.contains("is quarantined") && refused.contains(cause),
            "{refused}"
        );
        assert!(is_quarantined(&system, name));
    }
    assert_eq!(
        system.objects.statistics().references,
        3,
        "what they need is known and kept"
    );
    assert_eq!(names(&system), ["cut", "emptied", "removed"]);
    assert!(events.try_recv().is_err(), "a replica would delete it");
    assert_eq!(report(&system).await.images.len(), 3);
    // On purpose: then it is announced, and the name stays blocked.
    system.images.delete("cut", privileged("joe")).await.unwrap();
    assert_eq!(
        events.recv().await.unwrap(),
        IndexEvent::DeleteImage("cut".into())
    );
    assert_eq!(file("cut").metadata().unwrap().len(), 0);
    assert_eq!(report(&system).await.images.len(), 2);
}

#[tokio::test]
async fn an_image_comes_back_when_the_objects_it_misses_are_added_again() {
    let directories = Directories::new();
    let system = directories.start();
    put(
        &system,
        "image",
        &[("a", b"lost"), ("b", b"kept"), ("c", b"gone")],
    )
    .await;
    put(&system, "other", &[("a", b"lost")]).await;
    system.stop();
    let lost = hash::of(b"lost");
    std::fs::remove_file(directories.object(&lost)).unwrap();
    std::fs::remove_file(directories.object(&hash::of(b"gone"))).unwrap();
    let system = watchful(&directories);
    let damage = report(&system).await;
    assert_eq!((damage.images.len(), damage.objects.len()), (2, 2));
    let object = damage.objects.iter().find(|object| object.hash == lost).unwrap();
    assert_eq!((&*object.images[0], &*object.images[1]), ("image", "other"));
    assert_eq!(
        directories.objects().join(&object.file),
        directories.object(&lost)
    );
    assert!(damage.images[0].remedy.contains("contents it misses"));
    store(&system, &[b"lost"]).await;
    eventually("one is complete", || !is_quarantined(&system, "other")).await;
    // What has come is referred to although more is missing.
    eventually("both refer to it", || system.objects.statistics().references == 3).await;
    assert!(is_quarantined(&system, "image"));
    store(&system, &[b"gone"]).await;
    eventually("both are complete", || !is_quarantined(&system, "image")).await;
    assert!(report(&system).await.objects.is_empty());
}

#[tokio::test]
async fn a_damaged_object_is_listed_with_its_images_until_the_same_content_is_added() {
    let directories = Directories::new();
    let system = directories.start();
    put(&system, "image", &[("a", b"content"), ("b", b"content")]).await;
    put(&system, "sound", &[("a", b"other")]).await;
    let hash = hash::of(b"content");
    let path = directories.object(&hash);
    std::fs::write(&path, b"tnetnoc").unwrap();
    assert!(report(&system).await.objects.is_empty(), "nobody has looked yet");
    read(&system, &hash).await.unwrap_err();
    let damage = report(&system).await;
    assert_eq!((damage.images.len(), damage.objects.len()), (0, 1));
    let object = &damage.objects[0];
    assert_eq!((object.hash, object.affected_images), (hash, 1));
    assert_eq!(&*object.images[0], "image");
    assert_eq!(object.cause, "its content does not match its name");
    assert!(object.remedy.starts_with("add the same content again"));
    store(&system, &[b"content"]).await;
    assert!(report(&system).await.objects.is_empty());
    assert_eq!(read(&system, &hash).await.unwrap(), b"content");
}
