//! Absence that nobody asked for is never announced: what happens to images whose files vanish or cannot be changed.

// Helpers of tests are tests.
#![allow(clippy::unwrap_used)]

mod common;

use actors::image_index::{EntryState, IndexEvent, Requester};
use actors::{IndexError, System};
use common::*;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::broadcast::Receiver;

fn told(events: &mut Receiver<IndexEvent>) -> Vec<IndexEvent> {
    std::iter::from_fn(|| events.try_recv().ok()).collect()
}

/// Has the index look at the directory again.
async fn reconcile(system: &System) {
    system.images.debug_panic().await.unwrap_err();
    // Answered by the next incarnation, after it has put things in order; the mailbox of the last one may still be there.
    loop {
        match system.images.delete("nobody", Requester::internal()).await {
            Err(IndexError::Call(_)) => {}
            answered => break assert!(matches!(answered, Err(IndexError::DoesNotExist))),
        }
    }
}

fn cause(system: &System, name: &str) -> String {
    match &system.images.snapshot().images[name].state {
        EntryState::Present => String::new(),
        EntryState::Quarantined(cause) => cause.clone(),
    }
}

/// References by the images, against those that are counted.
fn assert_references_are_exact(system: &System) {
    let mut counted: HashMap<u32, u64> = HashMap::new();
    for entry in system.images.snapshot().images.values() {
        for object in entry.objects.iter() {
            *counted.entry(object.key).or_default() += 1;
        }
    }
    let figures = system.objects.statistics();
    assert_eq!(figures.references, counted.values().sum::<u64>());
    assert_eq!(figures.referenced_objects, counted.len() as u64);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_image_whose_file_vanished_keeps_its_name_and_is_not_announced_as_deleted() {
    let directories = Directories::new();
    let system = directories.start();
    put(&system, "kept", &[("file", b"content")]).await;
    put(&system, "given-up", &[("file", b"content")]).await;
    let mut events = system.images.subscribe();
    let (file, aside) = (
        directories.images().join("kept"),
        directories.root.path().join("aside"),
    );
    std::fs::rename(&file, &aside).unwrap();
    std::fs::remove_file(directories.images().join("given-up")).unwrap();
    reconcile(&system).await;
    assert_eq!(names(&system), ["given-up", "kept"]);
    assert_eq!(cause(&system, "kept"), "its file is gone");
    assert!(told(&mut events).is_empty(), "a replica would delete it");
    let refused = system.images.image("kept").await.unwrap_err();
    assert!(matches!(refused, IndexError::Quarantined { .. }), "{refused}");
    assert_references_are_exact(&system);

    // Looking again changes nothing while the file is away, and helps when it is back.
    system.images.reload("kept").await.unwrap();
    assert_eq!(cause(&system, "kept"), "its file is gone");
    std::fs::rename(&aside, &file).unwrap();
    system.images.reload("kept").await.unwrap();
    assert!(system.images.image("kept").await.unwrap().is_some());
    assert_eq!(told(&mut events), [IndexEvent::AddImage("kept".into())]);

    // Deleting it is still possible, and blocks the name.
    system
        .images
        .delete("given-up", Requester::internal())
        .await
        .unwrap();
    assert_eq!(told(&mut events), [IndexEvent::DeleteImage("given-up".into())]);
    assert_eq!(
        std::fs::metadata(directories.images().join("given-up"))
            .unwrap()
            .len(),
        0
    );
    assert_references_are_exact(&system);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_quarantined_image_is_in_every_snapshot_while_it_is_reloaded() {
    let directories = Directories::new();
    {
        let system = directories.start();
        put(&system, "damaged", &[("file", b"content")]).await;
        system.stop();
    }
    std::fs::write(directories.images().join("damaged"), b"nothing sensible").unwrap();
    let system = Arc::new(directories.start());
    let done = Arc::new(AtomicBool::new(false));
    let looking = {
        let (system, done) = (system.clone(), done.clone());
        std::thread::spawn(move || {
            let mut absent = 0;
            while !done.load(Ordering::Acquire) {
                absent += u64::from(!system.images.snapshot().images.contains_key("damaged"));
            }
            absent
        })
    };
    for _ in 0..500 {
        system.images.reload("damaged").await.unwrap();
    }
    done.store(true, Ordering::Release);
    assert_eq!(
        looking.join().unwrap(),
        0,
        "a replica that connects meanwhile would delete it"
    );
}

/// A symbolic link in the place of an image makes its deletion fail at the disk.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn references_stay_exact_when_the_directory_is_compared_while_images_are_added() {
    let directories = Directories::new();
    let system = Arc::new(directories.start());
    store(&system, &[b"content"]).await;
    put(&system, "linked", &[("file", b"content")]).await;
    let file = directories.images().join("linked");
    std::fs::remove_file(&file).unwrap();
    std::os::unix::fs::symlink("elsewhere", &file).unwrap();
    for round in 0..5 {
        let adds: Vec<_> = (0..30)
            .map(|number| {
                let (system, name) = (system.clone(), format!("{round}-{number}"));
                tokio::spawn(async move { add(&system, &name, image(&[("file", b"content")])).await })
            })
            .collect();
        let failed = system
            .images
            .delete("linked", Requester::internal())
            .await
            .unwrap_err();
        assert!(matches!(failed, IndexError::Storage(_)), "{failed}");
        for added in adds {
            added.await.unwrap().unwrap();
        }
    }
    reconcile(&system).await;
    assert_eq!(names(&system).len(), 151);
    assert_references_are_exact(&system);
}
