//! What the add queue promises.
#![allow(clippy::unwrap_used)]

mod support;

use std::time::Duration;

use image_client::flows::deliver;
use image_client::{AddOptions, AddQueue, Error};
use support::{Manners, Peer};
use tree_io::{Body, Cancel, FoundObject, ScanOptions};

/// Only a failing test waits that long.
const PATIENCE: Duration = Duration::from_secs(60);

fn object(data: &[u8]) -> FoundObject {
    FoundObject {
        hash: hash::of(data),
        size: data.len() as u64,
        body: Body::Bytes(data.to_vec()),
    }
}

async fn queue(peer: &Peer) -> AddQueue {
    AddQueue::start(
        peer.connect().await,
        Some(peer.connect().await),
        AddOptions::default(),
    )
}

#[tokio::test]
async fn only_what_is_missing_is_sent() {
    let peer = Peer::start(Manners::default());
    for index in 0..1000 {
        peer.keep(format!("old {index}").as_bytes());
    }
    let queue = queue(&peer).await;
    for index in 0..1000 {
        queue
            .add(object(format!("old {index}").as_bytes()))
            .await
            .unwrap();
        queue
            .add(object(format!("new {index}").as_bytes()))
            .await
            .unwrap();
    }
    let (report, _) = queue.finish().await.unwrap();
    assert_eq!((report.objects, report.sent_objects), (2000, 1000));
    assert_eq!(peer.received(), 1000);
    assert!(peer.has(b"new 999"));
}

#[tokio::test]
async fn a_server_that_may_not_be_asked_gets_everything() {
    let peer = Peer::start(Manners {
        may_not_ask: true,
        ..Manners::default()
    });
    peer.keep(b"there already");
    let queue = queue(&peer).await;
    queue.add(object(b"there already")).await.unwrap();
    queue.add(object(b"new")).await.unwrap();
    queue.finish().await.unwrap();
    assert_eq!(peer.received(), 2);
}

#[tokio::test]
async fn nothing_to_send_makes_no_call() {
    let peer = Peer::start(Manners {
        hangs_up_after: Some(1),
        ..Manners::default()
    });
    peer.keep(b"there");
    let queue = queue(&peer).await;
    queue.add(object(b"there")).await.unwrap();
    let (report, connections) = queue.finish().await.unwrap();
    assert_eq!(report.sent_objects, 0);
    assert!(connections.sending.is_usable());
}

#[tokio::test]
async fn answers_that_pile_up_hold_up_nobody() {
    let peer = Peer::start(Manners::default());
    let queue = AddQueue::start(peer.connect().await, None, AddOptions::default());
    let work = async {
        for index in 0..60_000_u32 {
            queue.add(object(&index.to_le_bytes())).await.unwrap();
        }
        queue.finish().await.unwrap()
    };
    let (report, _) = tokio::time::timeout(PATIENCE, work).await.unwrap();
    assert_eq!(report.sent_objects, 60_000);
}

#[tokio::test]
async fn a_refused_object_is_told_in_the_servers_words() {
    let bad = b"bad".to_vec();
    let peer = Peer::start(Manners {
        refuses: Some(hash::of(&bad)),
        ..Manners::default()
    });
    let queue = queue(&peer).await;
    queue.add(object(b"good")).await.unwrap();
    queue.add(object(&bad)).await.unwrap();
    let error = queue.finish().await.err().unwrap();
    assert!(
        matches!(&error, Error::ObjectRefused { hash, .. } if **hash == hash::of(&bad)),
        "{error}"
    );
    assert_eq!(error.to_string(), "no room");
}

#[tokio::test]
async fn a_dying_connection_ends_the_queue_at_once() {
    let peer = Peer::start(Manners {
        hangs_up_after: Some(3),
        ..Manners::default()
    });
    let queue = queue(&peer).await;
    let work = async {
        for index in 0..100_000_u32 {
            if let Err(error) = queue.add(object(&vec![index as u8; 4096 + index as usize])).await {
                assert!(matches!(error, Error::QueueStopped), "{error}");
                break;
            }
        }
        queue.finish().await.err().unwrap()
    };
    let error = tokio::time::timeout(PATIENCE, work).await.unwrap();
    assert!(matches!(error, Error::LostSending(_)), "{error}");
}

#[tokio::test]
async fn a_connection_that_dies_while_there_is_nothing_to_send_is_noticed() {
    let peer = Peer::start(Manners {
        hangs_up_after: Some(1),
        ..Manners::default()
    });
    let queue = queue(&peer).await;
    queue.add(object(b"one")).await.unwrap();
    let work = async {
        while queue.add(object(b"more")).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(PATIENCE, work).await.unwrap();
}

#[tokio::test]
async fn a_cancelled_upload_to_a_silent_server_ends() {
    let peer = Peer::start(Manners {
        falls_silent_after: Some(1),
        ..Manners::default()
    });
    let (queue, cancel) = (queue(&peer).await, Cancel::default());
    let stop = cancel.clone();
    let upload = deliver(queue, cancel, move |sink| {
        for index in 0_u32.. {
            let data = vec![0; 100_000 + index as usize];
            sink.put(object(&data)).map_err(tree_io::Error::Sink)?;
        }
        Ok(())
    });
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(100)).await;
        stop.cancel();
    });
    let error = tokio::time::timeout(PATIENCE, upload)
        .await
        .unwrap()
        .err()
        .unwrap();
    assert_eq!(error.to_string(), "interrupted");
}

#[tokio::test]
async fn a_scan_delivers_small_and_large_files() {
    let dir = tempfile::tempdir().unwrap();
    let large: Vec<u8> = (0..5_000_000_u32).map(|i| (i / 3) as u8).collect();
    std::fs::write(dir.path().join("large"), &large).unwrap();
    std::fs::write(dir.path().join("small"), "small").unwrap();
    std::fs::write(dir.path().join("empty"), "").unwrap();
    let peer = Peer::start(Manners::default());
    let root = dir.path().to_owned();
    let scan = move |sink: &dyn tree_io::ObjectSink| tree_io::scan(&root, &ScanOptions::default(), sink);
    let ((tree, _), report, _) = deliver(queue(&peer).await, Cancel::default(), scan)
        .await
        .unwrap();
    assert_eq!((tree.num_regular_inodes, report.sent_objects), (3, 2));
    assert!(peer.has(&large) && peer.has(b"small"));
}
