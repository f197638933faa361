//! What the object store promises.

// Helpers of tests are tests.
#![allow(clippy::unwrap_used)]

mod common;

use actors::{Config, ObjectError};
use common::{Directories, add, image, put, read, store};
use std::os::unix::fs::FileExt;
use std::time::Duration;

/// Larger than what is read in one piece.
fn large() -> Vec<u8> {
    (0..5_u32 << 18)
        .flat_map(u32::to_le_bytes)
        .take((3 << 20) + 17)
        .collect()
}

#[tokio::test]
async fn what_is_added_is_there_and_on_disk_when_the_answer_comes() {
    let directories = Directories::new();
    let system = directories.start();
    let lease = system.objects.lease();
    let committed = system
        .objects
        .add(b"content".to_vec().into(), &lease)
        .await
        .unwrap();
    assert!(committed.newly_added);
    assert_eq!(
        std::fs::read(directories.object(&committed.hash)).unwrap(),
        b"content"
    );
    assert_eq!(
        system.objects.sizes(&[committed.hash, hash::of(b"absent")], None),
        [7, 0]
    );
    assert!(
        !system
            .objects
            .add(b"content".to_vec().into(), &lease)
            .await
            .unwrap()
            .newly_added
    );
    assert_eq!(read(&system, &committed.hash).await.unwrap(), b"content");
    let figures = system.objects.statistics();
    assert_eq!(
        (figures.objects, figures.bytes, figures.unreferenced_objects),
        (1, 7, 1)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn commits_of_many_connections_are_each_answered_with_their_own_objects() {
    let directories = Directories::new();
    let system = directories.start();
    let mut connections = Vec::new();
    for connection in 0..16_u32 {
        let objects = system.objects.clone();
        connections.push(tokio::spawn(async move {
            let lease = objects.lease();
            for round in 0..2_u32 {
                let contents: Vec<String> = (0..20)
                    .map(|at| format!("{}", (connection % 4) * 1000 + round * 20 + at))
                    .collect();
                let room = objects.staging_room(contents.len()).await.unwrap();
                let staged = contents
                    .iter()
                    .map(|content| objects.backend().stage_bytes(content.as_bytes()).unwrap())
                    .collect();
                let outcomes = objects.commit(staged, &lease).await;
                drop(room);
                assert_eq!(outcomes.len(), contents.len());
                for (content, outcome) in contents.iter().zip(outcomes) {
                    assert_eq!(outcome.unwrap().hash, hash::of(content.as_bytes()));
                }
            }
        }));
    }
    for connection in connections {
        connection.await.unwrap();
    }
    assert_eq!(system.objects.statistics().objects, 4 * 2 * 20);
}

#[tokio::test]
async fn a_large_object_comes_in_pieces_and_whole() {
    let directories = Directories::new();
    let system = directories.start();
    let content = large();
    let hash = store(&system, &[&content]).await[0];
    assert_eq!(read(&system, &hash).await.unwrap(), content);
    system.stop();
    // Unverified now.
    let system = directories.start();
    assert_eq!(read(&system, &hash).await.unwrap(), content);
    let object = system.objects.open_verified(&hash).await.unwrap();
    assert_eq!(object.read_all(1 << 20).await.unwrap(), None);
    let object = system.objects.open_verified(&hash).await.unwrap();
    assert_eq!(object.read_all(1 << 30).await.unwrap().unwrap(), content);
}

#[tokio::test]
async fn no_wrong_byte_is_served_and_adding_again_repairs() {
    let directories = Directories::new();
    let system = directories.start();
    let (small, big) = (b"small".to_vec(), large());
    let hashes = store(&system, &[&small, &big]).await;
    for (hash, content) in hashes.iter().zip([&small, &big]) {
        assert_eq!(&read(&system, hash).await.unwrap(), content);
        let file = std::fs::File::options()
            .write(true)
            .open(directories.object(hash))
            .unwrap();
        file.write_at(b"!", content.len() as u64 - 2).unwrap();
        drop(file);
        let mut object = match system.objects.open_verified(hash).await {
            Ok(object) => object,
            Err(error) => {
                assert!(matches!(error, ObjectError::Corrupt(_)), "{error}");
                assert_eq!(content.len(), 5, "a large object fails at its end");
                continue;
            }
        };
        let mut received = 0;
        let error = loop {
            match object.next_chunk().await.unwrap() {
                Ok(chunk) => received += chunk.len(),
                Err(error) => break error,
            }
        };
        assert!(matches!(error, ObjectError::Corrupt(_)), "{error}");
        assert!(received < content.len(), "the last part is withheld");
        assert!(object.next_chunk().await.is_none());
    }
    // Clients are told it is absent, so that they send it again.
    assert_eq!(system.objects.sizes(&hashes, None), [0, 0]);
    assert_eq!(system.objects.statistics().damaged_objects, 2);
    assert!(matches!(
        read(&system, &hashes[0]).await,
        Err(ObjectError::Corrupt(_))
    ));
    let error = add(&system, "damaged", image(&[("file", &small)]))
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("object: {} is not available", hashes[0])
    );
    store(&system, &[&small, &big]).await;
    assert_eq!(
        system.objects.sizes(&hashes, None),
        [small.len() as u64, big.len() as u64]
    );
    assert_eq!(system.objects.statistics().damaged_objects, 0);
    assert_eq!(read(&system, &hashes[1]).await.unwrap(), big);
}

#[tokio::test]
async fn an_object_whose_file_vanished_is_absent_until_it_is_added_again() {
    let directories = Directories::new();
    let system = directories.start();
    let hash = store(&system, &[b"here today"]).await[0];
    std::fs::remove_file(directories.object(&hash)).unwrap();
    assert!(read(&system, &hash).await.is_err());
    assert_eq!(system.objects.sizes(&[hash], None), [0]);
    store(&system, &[b"here today"]).await;
    assert_eq!(read(&system, &hash).await.unwrap(), b"here today");
}

#[tokio::test]
async fn many_objects_are_read_back_to_back_in_the_order_asked_for() {
    let directories = Directories::new();
    let system = directories.start();
    let mut contents: Vec<Vec<u8>> = (0..700_usize)
        .map(|at| vec![at as u8; 1 + at * 13 % 9000])
        .collect();
    contents.insert(300, large());
    contents.push(large());
    contents.insert(10, contents[5].clone());
    contents.dedup();
    let references: Vec<&[u8]> = contents.iter().map(Vec::as_slice).collect();
    let hashes: Vec<_> = contents.iter().map(|content| hash::of(content)).collect();
    store(&system, &references).await;
    for _ in 0..2 {
        let mut reader = system.objects.read_objects(hashes.clone()).unwrap();
        let sizes: Vec<u64> = contents.iter().map(|content| content.len() as u64).collect();
        assert_eq!(reader.sizes(), sizes);
        let mut received = Vec::new();
        while let Some(chunk) = reader.next_chunk().await {
            received.extend_from_slice(&chunk.unwrap());
        }
        assert!(received == contents.concat());
    }
    let mut nothing = system.objects.read_objects(Vec::new()).unwrap();
    assert!(nothing.next_chunk().await.is_none());
}

#[tokio::test]
async fn asking_for_unknown_objects_fails_before_anything_is_sent() {
    let directories = Directories::new();
    let system = directories.start();
    let known = store(&system, &[b"known"]).await[0];
    let (a, b) = (hash::of(b"a"), hash::of(b"b"));
    let error = |hashes: &[hash::Hash]| {
        system
            .objects
            .read_objects(hashes.to_vec())
            .err()
            .unwrap()
            .to_string()
    };
    assert_eq!(error(&[known, a]), format!("unknown object: {a}"));
    assert_eq!(error(&[a, known, b]), format!("first of 2 unknown objects: {b}"));
}

/// The store counts tenths of a second: a lease of no length may protect for one of them.
async fn lease_ends() {
    tokio::time::sleep(Duration::from_millis(250)).await;
}

#[tokio::test]
async fn unreferenced_objects_are_listed_and_deleted_longest_unreferenced_first() {
    let directories = Directories::new();
    let system = directories.start();
    put(&system, "image", &[("1", b"1"), ("2", b"22")]).await;
    let loose = store(&system, &[b"aaa", b"bbbb", b"ccccc"]).await;
    lease_ends().await;
    let listed = system.objects.unreferenced().await.unwrap();
    assert_eq!(listed, [(loose[0], 3), (loose[1], 4), (loose[2], 5)]);
    system
        .images
        .delete("image", common::privileged("joe"))
        .await
        .unwrap();
    let sizes = |listed: &[(hash::Hash, u64)]| listed.iter().map(|(_, size)| *size).collect::<Vec<_>>();
    assert_eq!(
        sizes(&system.objects.unreferenced().await.unwrap()),
        [3, 4, 5, 1, 2]
    );
    // At least 20 % of five and at least 4 bytes: two objects.
    system.objects.delete_unreferenced(20, 4).await.unwrap();
    assert_eq!(sizes(&system.objects.unreferenced().await.unwrap()), [5, 1, 2]);
    assert!(!directories.object(&loose[0]).exists() && directories.object(&loose[2]).exists());
    system.objects.delete_unreferenced(0, 0).await.unwrap();
    let error = system.objects.delete_unreferenced(10, 1000).await.unwrap_err();
    assert_eq!(error.to_string(), "no more objects to delete");
    let figures = system.objects.statistics();
    assert_eq!(
        (figures.objects, figures.bytes, figures.referenced_objects),
        (0, 0, 0)
    );
}

#[tokio::test]
async fn an_object_referenced_by_an_image_is_never_deleted() {
    let directories = Directories::new();
    let system = directories.start();
    put(&system, "image", &[("1", b"needed"), ("2", b"needed")]).await;
    let hash = hash::of(b"needed");
    assert_eq!(system.objects.statistics().references, 2);
    assert!(system.objects.delete_unreferenced(100, 1).await.is_err());
    assert_eq!(system.objects.sizes(&[hash], None), [6]);
    assert_eq!(system.objects.statistics().duplicate_factor(), 2.0);
}

#[tokio::test]
async fn a_lease_protects_what_was_added_and_what_was_said_to_be_there() {
    let directories = Directories::new();
    let system = directories.start();
    let found = store(&system, &[b"found"]).await[0];
    let loose = store(&system, &[b"loose"]).await[0];
    let lease = system.objects.lease();
    let added = system
        .objects
        .add(b"added".to_vec().into(), &lease)
        .await
        .unwrap()
        .hash;
    assert_eq!(system.objects.sizes(&[found], Some(&lease)), [5]);
    lease_ends().await;
    assert_eq!(system.objects.unreferenced().await.unwrap(), [(loose, 5)]);
    let error = system.objects.delete_unreferenced(100, 6).await.unwrap_err();
    assert_eq!(error.to_string(), "no more objects to delete");
    assert_eq!(system.objects.sizes(&[found, loose, added], None), [5, 0, 5]);
    drop(lease);
    lease_ends().await;
    system.objects.delete_unreferenced(100, 0).await.unwrap();
    assert_eq!(system.objects.statistics().objects, 0);
}

#[tokio::test]
async fn a_lease_protects_for_a_while_after_it_has_ended() {
    let directories = Directories::new();
    let config = Config {
        lease: Duration::from_secs(3600),
        ..directories.config()
    };
    let system = actors::start(config).unwrap();
    let hash = store(&system, &[b"added and left"]).await[0];
    assert!(system.objects.unreferenced().await.unwrap().is_empty());
    system.objects.delete_unreferenced(100, 0).await.unwrap();
    assert!(system.objects.delete_unreferenced(0, 1).await.is_err());
    assert_eq!(system.objects.sizes(&[hash], None), [14]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_add_never_races_a_deletion() {
    let directories = Directories::new();
    let system = std::sync::Arc::new(directories.start());
    let deleter = {
        let system = system.clone();
        tokio::spawn(async move {
            for _ in 0..200 {
                let _ = system.objects.delete_unreferenced(100, 1).await;
            }
        })
    };
    let mut adders = Vec::new();
    for adder in 0..4_u32 {
        let system = system.clone();
        adders.push(tokio::spawn(async move {
            let mut refused = 0;
            for round in 0..12_u32 {
                // Shared among adders, so that one's objects are another's leftovers.
                let contents: Vec<Vec<u8>> = (0..8)
                    .map(|at| format!("{}", (round + at) % 11).into_bytes())
                    .collect();
                let files: Vec<(String, &[u8])> = contents
                    .iter()
                    .enumerate()
                    .map(|(at, content)| (at.to_string(), content.as_slice()))
                    .collect();
                let files: Vec<(&str, &[u8])> = files
                    .iter()
                    .map(|(name, content)| (name.as_str(), *content))
                    .collect();
                let lease = (adder % 2 == 0).then(|| system.objects.lease());
                let unprotected = system.objects.lease();
                for content in &contents {
                    let lease = lease.as_ref().unwrap_or(&unprotected);
                    system.objects.add(content.clone().into(), lease).await.unwrap();
                }
                drop(unprotected);
                let name = format!("{adder}-{round}");
                match add(&system, &name, image(&files)).await {
                    Ok(()) => {
                        for content in &contents {
                            let hash = hash::of(content);
                            assert_eq!(&read(&system, &hash).await.unwrap(), content, "{name}");
                        }
                        if round % 2 == 0 {
                            system
                                .images
                                .delete(&name, common::privileged("joe"))
                                .await
                                .unwrap();
                        }
                    }
                    Err(error) => {
                        assert!(lease.is_none(), "under a lease an object was missing: {error}");
                        assert!(error.to_string().contains("not available"), "{error}");
                        refused += 1;
                    }
                }
            }
            refused
        }));
    }
    for adder in adders {
        adder.await.unwrap();
    }
    deleter.await.unwrap();
    // The counts are what the images that are left say.
    let snapshot = system.images.snapshot();
    let expected: u64 = snapshot
        .images
        .values()
        .map(|entry| entry.objects.len() as u64)
        .sum();
    assert_eq!(system.objects.statistics().references, expected);
    for entry in snapshot.images.values() {
        for object in entry.objects.iter() {
            assert!(directories.object(&object.hash).exists());
        }
    }
}

#[tokio::test]
async fn the_collector_makes_room_by_size() {
    let directories = Directories::new();
    let mut config = directories.config();
    config.collector.start_bytes = 10;
    config.collector.stop_bytes = 5;
    let system = actors::start(config).unwrap();
    // The first two alone are too few to start it, and no add holds them any more when the third makes them enough.
    store(&system, &[b"1111", b"2222"]).await;
    store(&system, &[b"3333"]).await;
    common::eventually("collected down to the stop size", || {
        system.objects.statistics().unreferenced_bytes <= 5
    })
    .await;
    assert_eq!(system.objects.statistics().objects, 1);
    assert_eq!(system.objects.sizes(&[hash::of(b"3333")], None), [4]);
}
