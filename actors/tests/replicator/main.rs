//! What the replicator does with a master that misbehaves. (What it does with a good one is shown with real programs.)

// Helpers of tests are tests.
#![allow(clippy::unwrap_used)]

mod master;

#[path = "../common/mod.rs"]
mod common;

use actors::replicator::LinkState;
use actors::{ActorState, Archive, Replication, Replicator, System};
use common::{Directories, eventually, expiring, image, names, put};
use gob::Time;
use hash::Hash;
use image::{Directory, Image};
use master::Master;
use protocol::image_server::{GetImageRequest, GetImageResponse, ImageUpdate, operation};
use protocol::object_server::{
    CheckObjectsRequest, CheckObjectsResponse, GetObjectsRequest, GetObjectsResponse,
};
use srpc::server::listener;
use srpc::{
    Call, Conn, ConnectOptions, MethodError, Policy, Raw, RawError, Registry, RequestReply, Server,
    ServiceBuilder, UnixSocket,
};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::Notify;

fn unfetched(replicator: &Replicator) -> Vec<String> {
    replicator
        .unfetched()
        .iter()
        .map(|name| name.to_string())
        .collect()
}

/// Blocks, which a runtime's thread must not.
async fn stop(system: System) {
    tokio::task::spawn_blocking(|| system.stop()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_breaks_off_deletes_nothing() {
    let directories = Directories::new();
    let alone = directories.start();
    put(&alone, "kept", &[("a", b"1")]).await;
    put(&alone, "surplus", &[("a", b"2")]).await;
    stop(alone).await;
    let master = Master::start();
    master.has("kept", image(&[("a", b"1")]), &[b"1"]);
    master.set(|script| script.breaks_off_after = Some(1));
    let (system, replicator) = master.replica(&directories);
    eventually("several lists broke off", || {
        master.set(|script| script.lists) > 4
    })
    .await;
    assert_eq!(names(&system), ["kept", "surplus"]);
    assert!(replicator.status().last_error.is_some());
    master.set(|script| script.breaks_off_after = None);
    eventually("what is too much is deleted", || names(&system) == ["kept"]).await;
    replicator.first_round().await;
    stop(system).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_would_take_away_most_of_what_is_here_takes_nothing() {
    let directories = Directories::new();
    let alone = directories.start();
    let all: Vec<String> = (10..22).map(|number| number.to_string()).collect();
    for name in &all {
        put(&alone, name, &[("a", b"1")]).await;
    }
    stop(alone).await;
    // As one whose disk is not mounted.
    let master = Master::start();
    let (system, replicator) = master.replica(&directories);
    replicator.first_round().await;
    assert_eq!(names(&system), all);
    let status = replicator.status();
    assert_eq!(status.held_back, 12);
    assert!(
        status
            .last_error
            .as_ref()
            .is_some_and(|error| error.contains("nothing is deleted")),
        "{status:?}"
    );
    // Mounted again; one is gone, which is meant.
    for name in &all[1..] {
        master.has(name, image(&[("a", b"1")]), &[b"1"]);
    }
    master.cut();
    eventually("the one is deleted", || names(&system) == all[1..]).await;
    assert_eq!(replicator.status().held_back, 0);
    stop(system).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_takes_the_place_of_a_directory_of_its_name() {
    let directories = Directories::new();
    let alone = directories.start();
    let requester = actors::image_index::Requester::internal();
    alone
        .images
        .make_directory("name", false, requester)
        .await
        .unwrap();
    put(&alone, "name/image", &[("a", b"1")]).await;
    stop(alone).await;
    let master = Master::start();
    master.has("name", image(&[("a", b"2")]), &[b"2"]);
    let (system, replicator) = master.replica(&directories);
    eventually("it is here", || names(&system) == ["name"]).await;
    eventually("and settled", || unfetched(&replicator).is_empty()).await;
    stop(system).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archive_waits_no_longer_for_what_its_master_deleted_while_the_link_was_broken() {
    let directories = Directories::new();
    let master = Master::start();
    master.has("broken", image(&[("a", b"1")]), &[b"1"]);
    master.set(|script| script.refuses = Some("broken"));
    let (system, replicator) = master.replica_as(&directories, Archive::All);
    replicator.first_round().await;
    assert_eq!(unfetched(&replicator), ["broken"]);
    master.set(|script| {
        script.images.clear();
        script.refuses = None;
    });
    master.cut();
    eventually("it is given up", || unfetched(&replicator).is_empty()).await;
    stop(system).await;
}

/// Adds by clients of the replica go to the master first; so what is here and not there was deleted there.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_added_here_while_the_list_is_awaited_stays_only_if_the_master_has_it() {
    let directories = Directories::new();
    let master = Master::start();
    master.has("still-there", image(&[("a", b"1")]), &[b"1"]);
    master.set(|script| (script.holds_lists, script.unlisted) = (true, vec!["still-there"]));
    let (system, replicator) = master.replica(&directories);
    eventually("the list is awaited", || master.set(|script| script.lists) == 1).await;
    put(&system, "still-there", &[("a", b"1")]).await;
    put(&system, "deleted-there", &[("a", b"2")]).await;
    let slow = replicator.begin_injection("slow");
    master.go();
    eventually("deleted", || names(&system) == ["still-there"]).await;
    // One whose own add ends last of all.
    put(&system, "slow", &[("a", b"3")]).await;
    drop(slow);
    replicator.first_round().await;
    eventually("deleted too", || names(&system) == ["still-there"]).await;
    stop(system).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_on_its_way_counts_as_behind_in_images_and_bytes() {
    let directories = Directories::new();
    let master = Master::start();
    master.has(
        "image",
        image(&[("a", b"seven b"), ("b", b"and four")]),
        &[b"seven b", b"and four"],
    );
    master.set(|script| script.holds_objects = true);
    let (system, replicator) = master.replica(&directories);
    eventually("behind", || {
        let status = replicator.status();
        (status.images_behind, status.bytes_behind, status.unfetched_images) == (1, 15, 1)
    })
    .await;
    assert_eq!(replicator.status().state, LinkState::CatchingUp);
    master.go();
    replicator.first_round().await;
    eventually("nothing behind", || {
        let status = replicator.status();
        (status.images_behind, status.bytes_behind, status.unfetched_images) == (0, 0, 0)
    })
    .await;
    assert_eq!(names(&system), ["image"]);
    assert_eq!(replicator.status().bytes_fetched, 15);
    stop(system).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn damaged_objects_are_never_stored_and_the_image_is_tried_again() {
    let directories = Directories::new();
    let master = Master::start();
    let large = vec![5; (1 << 20) + 7];
    let files: [(&str, &[u8]); 2] = [("a", b"small"), ("b", &large)];
    master.has("image", image(&files), &[b"small", &large]);
    master.set(|script| script.damages = true);
    let (system, replicator) = master.replica(&directories);
    eventually("it was noticed", || {
        replicator
            .status()
            .last_error
            .is_some_and(|error| error.contains("came damaged"))
    })
    .await;
    assert!(names(&system).is_empty());
    assert!(!directories.object(&hash::of(b"small")).exists());
    assert_eq!(system.objects.statistics().objects, 0);
    master.set(|script| script.damages = false);
    eventually("it is whole", || names(&system) == ["image"]).await;
    assert_eq!(common::read(&system, &hash::of(&large)).await.unwrap(), large);
    stop(system).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_that_cannot_be_fetched_is_announced_and_tried_again() {
    let directories = Directories::new();
    let master = Master::start();
    master.has("bad", image(&[]), &[]);
    master.has("good", image(&[("a", b"1")]), &[b"1"]);
    master.set(|script| script.refuses = Some("bad"));
    let (system, replicator) = master.replica(&directories);
    // One image does not hold up the others, nor those who follow us.
    replicator.first_round().await;
    assert_eq!(names(&system), ["good"]);
    assert_eq!(unfetched(&replicator), ["bad"]);
    let cause = replicator.why_unfetched("bad").unwrap();
    assert!(cause.contains("image is quarantined"), "{cause}");
    assert_eq!(replicator.status().unfetched_images, 1);
    master.set(|script| script.refuses = None);
    eventually("it is here", || names(&system) == ["bad", "good"]).await;
    eventually("nothing is behind", || replicator.unfetched().is_empty()).await;
    assert_eq!(master.set(|script| script.lists), 1);
    stop(system).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_image_under_the_name_of_an_expiring_one_replaces_it() {
    let directories = Directories::new();
    let master = Master::start();
    let hour = Duration::from_secs(3600);
    let first = Image {
        created_on: Time::now(),
        ..expiring(&[("a", b"first")], hour)
    };
    master.has("image", first.clone(), &[b"first"]);
    let (system, replicator) = master.replica(&directories);
    replicator.first_round().await;
    let expiry = |system: &System| {
        let snapshot = system.images.snapshot();
        snapshot
            .images
            .get("image")
            .map(|entry| entry.metadata.expires_at)
    };
    // The same, only later: nothing is fetched.
    let later = expiring(&[("a", b"first")], 2 * hour).expires_at;
    master.has(
        "image",
        Image {
            expires_at: later,
            ..first
        },
        &[],
    );
    master.cut();
    eventually("it is extended", || expiry(&system) == Some(later)).await;
    assert_eq!(replicator.status().images_added, 1);
    let second = Image {
        created_on: Time::now(),
        ..expiring(&[("a", b"second")], hour)
    };
    master.has("image", second.clone(), &[b"second"]);
    master.cut();
    eventually("it is the other one", || {
        expiry(&system) == Some(second.expires_at)
    })
    .await;
    let found = system.images.image("image").await.unwrap().unwrap();
    assert_eq!(found.file_system, second.file_system);
    stop(system).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_operation_is_no_reason_to_stop() {
    let directories = Directories::new();
    let master = Master::start();
    master.has("image", image(&[("a", b"1")]), &[b"1"]);
    master.set(|script| {
        script.strange = vec![ImageUpdate {
            name: "what".to_owned(),
            operation: 77,
            ..ImageUpdate::default()
        }];
    });
    let (system, replicator) = master.replica(&directories);
    replicator.first_round().await;
    assert_eq!(names(&system), ["image"]);
    assert_eq!(master.set(|script| script.lists), 1);
    stop(system).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replicator_that_panicked_comes_back_and_keeps_what_it_announced() {
    let directories = Directories::new();
    let master = Master::start();
    master.has("bad", image(&[]), &[]);
    master.set(|script| script.refuses = Some("bad"));
    let (system, replicator) = master.replica(&directories);
    replicator.first_round().await;
    for round in 1..=3 {
        assert!(replicator.debug_panic().await.is_err());
        eventually("it is back", || {
            let health = replicator.health();
            health.restarts == round && health.state == ActorState::Running
        })
        .await;
        // What it was done with when it panicked may still be among them, until it has a list again.
        assert!(unfetched(&replicator).contains(&"bad".to_owned()));
        let name = format!("image{round}");
        master.has(&name, image(&[("a", b"1")]), &[b"1"]);
        master.cut();
        eventually("it follows again", || names(&system).contains(&name)).await;
        eventually("nothing else is missing", || unfetched(&replicator) == ["bad"]).await;
    }
    stop(system).await;
}
