//! A panic inside an actor costs the requests it had in hand, and nothing else.

// Helpers of tests are tests.
#![allow(clippy::unwrap_used)]

mod common;

use actors::{ActorState, CallError, IndexError, ObjectError, System};
use common::{Directories, add, eventually, image, names, privileged, put, store};
use std::sync::Arc;

/// Recounts by hand and compares.
fn assert_counts_are_right(system: &System) {
    let snapshot = system.images.snapshot();
    let references: u64 = snapshot
        .images
        .values()
        .map(|entry| entry.objects.len() as u64)
        .sum();
    let mut distinct: Vec<u32> = snapshot
        .images
        .values()
        .flat_map(|entry| entry.objects.iter().map(|object| object.key))
        .collect();
    distinct.sort_unstable();
    distinct.dedup();
    let figures = system.objects.statistics();
    assert_eq!(figures.references, references);
    assert_eq!(figures.referenced_objects, distinct.len() as u64);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_object_store_comes_back_with_the_right_counts() {
    let directories = Directories::new();
    let system = Arc::new(directories.start());
    put(&system, "image", &[("a", b"1"), ("b", b"1"), ("c", b"2")]).await;
    let loose = store(&system, &[b"first", b"second"]).await;
    for round in 1..=3_u64 {
        let commits: Vec<_> = (0..64)
            .map(|number| {
                let system = system.clone();
                tokio::spawn(async move {
                    let lease = system.objects.lease();
                    system
                        .objects
                        .add(format!("{round}/{number}").into_bytes().into(), &lease)
                        .await
                })
            })
            .collect();
        let ended = system.objects.debug_panic().await.unwrap_err();
        assert_eq!(ended, CallError::Restarted { actor: "ObjectStore" });
        let mut committed = 0;
        for (number, commit) in commits.into_iter().enumerate() {
            match commit.await.unwrap() {
                Ok(object) => {
                    committed += 1;
                    assert!(
                        directories.object(&object.hash).exists(),
                        "acknowledged and not there"
                    );
                }
                Err(ObjectError::Call(CallError::Restarted { .. })) => {}
                Err(error) => panic!("commit {number}: {error}"),
            }
        }
        // Who was answered may be here before the supervisor has noticed.
        let is_back = || {
            let health = system.objects.health();
            health.state == ActorState::Running && health.restarts == round
        };
        eventually("the object store is back", is_back).await;
        let health = system.objects.health();
        assert_eq!(health.restarts, round, "{committed} committed");
        assert!(health.last_error.is_some());
        assert_counts_are_right(&system);
    }
    // The next requests work, and the queue has kept its order.
    let unreferenced = system.objects.unreferenced().await.unwrap();
    assert_eq!(unreferenced[..2], [(loose[0], 5), (loose[1], 6)]);
    put(&system, "next", &[("a", b"1"), ("b", b"new")]).await;
    system.objects.delete_unreferenced(100, 0).await.unwrap();
    assert_counts_are_right(&system);
    assert_eq!(system.objects.statistics().objects, 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_image_index_comes_back_and_a_write_is_either_visible_or_gone() {
    let directories = Directories::new();
    let system = Arc::new(directories.start());
    store(&system, &[b"content"]).await;
    put(&system, "deleted", &[("file", b"content")]).await;
    for round in 1..=3_u64 {
        let adds: Vec<_> = (0..40)
            .map(|number| {
                let (system, name) = (system.clone(), format!("{round}-{number}"));
                tokio::spawn(async move {
                    let added = add(&system, &name, image(&[("file", b"content")])).await;
                    (name, added)
                })
            })
            .collect();
        let ended = system.images.debug_panic().await.unwrap_err();
        assert_eq!(ended, CallError::Restarted { actor: "ImageIndex" });
        for attempt in adds {
            let (name, added) = attempt.await.unwrap();
            match added {
                Ok(()) => assert!(names(&system).contains(&name), "acknowledged and not visible"),
                Err(IndexError::Call(CallError::Restarted { .. })) => {}
                Err(error) => panic!("{name}: {error}"),
            }
        }
        // Served by the next incarnation, after it has put things in order.
        put(&system, &format!("next-{round}"), &[]).await;
        assert_eq!(system.images.health().restarts, round);
        let mut on_disk: Vec<String> = std::fs::read_dir(directories.images())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| !name.starts_with('.'))
            .collect();
        on_disk.sort();
        assert_eq!(names(&system), on_disk, "snapshot and disk agree");
        assert_counts_are_right(&system);
        for name in names(&system) {
            assert!(system.images.image(&name).await.unwrap().is_some());
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn deletions_cut_short_by_a_panic_are_done_or_not_done() {
    let directories = Directories::new();
    let system = Arc::new(directories.start());
    for number in 0..20 {
        put(&system, &format!("{number}"), &[("file", b"content")]).await;
    }
    let deletions: Vec<_> = (0..20)
        .map(|number| {
            let (system, name) = (system.clone(), format!("{number}"));
            tokio::spawn(async move { system.images.delete(&name, privileged("joe")).await })
        })
        .collect();
    system.images.debug_panic().await.unwrap_err();
    for deletion in deletions {
        let _ = deletion.await.unwrap();
    }
    put(&system, "next", &[]).await;
    for number in 0..20 {
        let name = format!("{number}");
        let length = directories.images().join(&name).metadata().unwrap().len();
        assert_eq!(names(&system).contains(&name), length > 0, "{name}");
    }
    assert_counts_are_right(&system);
}

#[tokio::test]
async fn an_actor_that_keeps_dying_is_given_up_and_says_so() {
    let directories = Directories::new();
    let system = directories.start();
    put(&system, "image", &[("file", b"content")]).await;
    let mut given_up = system.given_up();
    let mut deaths = 0;
    while system.objects.debug_panic().await != Err(CallError::Stopped { actor: "ObjectStore" }) {
        deaths += 1;
        assert!(deaths < 20, "never given up");
    }
    let text = given_up.wait_for(Option::is_some).await.unwrap().clone().unwrap();
    assert!(text.starts_with("ObjectStore failed 6 times"), "{text}");
    assert_eq!(system.objects.health().state, ActorState::GivenUp);
    // What needs no actor still works: reads of what is there.
    assert_eq!(system.objects.sizes(&[hash::of(b"content")], None), [7]);
    assert_eq!(
        common::read(&system, &hash::of(b"content")).await.unwrap(),
        b"content"
    );
    assert!(system.images.image("image").await.unwrap().is_some());
}

#[tokio::test]
async fn a_stopped_system_refuses_and_lets_go_of_its_directories() {
    let directories = Directories::new();
    let system = directories.start();
    let (images, objects) = (system.images.clone(), system.objects.clone());
    put(&system, "image", &[]).await;
    system.stop();
    let lease = objects.lease();
    assert!(matches!(
        objects.add(b"late".to_vec().into(), &lease).await,
        Err(ObjectError::Call(CallError::Stopped { .. }))
    ));
    let refused = images.delete("image", privileged("joe")).await;
    assert!(matches!(
        refused,
        Err(IndexError::Call(CallError::Stopped { .. }))
    ));
    drop((images, objects, lease));
    eventually("the locks are free", || {
        actors::start(directories.config()).is_ok()
    })
    .await;
}

#[tokio::test]
async fn a_panic_on_purpose_needs_permission() {
    let directories = Directories::new();
    let config = actors::Config {
        allow_debug_panic: false,
        ..directories.config()
    };
    let system = actors::start(config).unwrap();
    system.objects.debug_panic().await.unwrap();
    system.images.debug_panic().await.unwrap();
    assert_eq!(
        system.objects.health().restarts + system.images.health().restarts,
        0
    );
}
