//! What fetching objects promises.
#![allow(clippy::unwrap_used)]

mod support;

use hash::Hash;
use image_client::fetch::{ObjectStream, Verify};
use image_client::{Error, ImageServer};
use support::{Manners, Peer};

async fn collect(peer: &Peer, wanted: Vec<(Hash, u64)>) -> Result<Vec<Vec<u8>>, Error> {
    let mut stream = ObjectStream::start(peer.connect().await, wanted, Verify::Here);
    let mut objects = Vec::new();
    let mut object = Vec::new();
    while let Some(piece) = stream.next().await? {
        object.extend_from_slice(&piece.data);
        if piece.is_last {
            objects.push(std::mem::take(&mut object));
        }
    }
    Ok(objects)
}

#[tokio::test]
async fn objects_come_in_the_order_asked_also_twice() {
    let peer = Peer::start(Manners::default());
    let large: Vec<u8> = (0..3_000_000_u32).map(|i| (i / 7) as u8).collect();
    let data: Vec<&[u8]> = vec![b"a", &large, b"b", b"a"];
    let wanted = data.iter().map(|data| peer.keep(data)).collect();
    assert_eq!(collect(&peer, wanted).await.unwrap(), data);
}

#[tokio::test]
async fn more_objects_than_one_request_takes_are_asked_for_in_several() {
    let peer = Peer::start(Manners::default());
    let wanted: Vec<_> = (0..40_000_u32)
        .map(|index| peer.keep(&index.to_le_bytes()))
        .collect();
    assert_eq!(collect(&peer, wanted).await.unwrap().len(), 40_000);
}

#[tokio::test]
async fn the_end_of_a_damaged_object_is_never_handed_out() {
    let peer = Peer::start(Manners {
        damages: true,
        ..Manners::default()
    });
    let wanted = vec![peer.keep(b"content")];
    let error = collect(&peer, wanted).await.unwrap_err();
    assert!(matches!(error, Error::Damaged { .. }), "{error}");
    let (hash, _) = peer.keep(b"content");
    let error = ImageServer::new(peer.connect().await)
        .get_object(&hash, 100)
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Damaged { .. }), "{error}");
}

#[tokio::test]
async fn an_unknown_object_is_told_in_the_servers_words() {
    let peer = Peer::start(Manners::default());
    let hash = hash::of(b"nowhere");
    let error = collect(&peer, vec![(hash, 7)]).await.unwrap_err();
    let said = error.to_string();
    assert!(said.starts_with(&format!("unknown object: {hash}: ")), "{said}");
}

#[tokio::test]
async fn another_size_than_the_trees_is_an_error() {
    let peer = Peer::start(Manners::default());
    let (hash, size) = peer.keep(b"content");
    let error = collect(&peer, vec![(hash, size + 1)]).await.unwrap_err();
    assert!(matches!(error, Error::SizeMismatch { .. }), "{error}");
}

#[tokio::test]
async fn the_connection_can_be_used_again() {
    let peer = Peer::start(Manners::default());
    let wanted = vec![peer.keep(b"content")];
    let mut stream = ObjectStream::start(peer.connect().await, wanted, Verify::Here);
    while stream.next().await.unwrap().is_some() {}
    let data = b"more";
    // `next` has handed the task over at the end; a fresh stream keeps its connection.
    drop(stream);
    let wanted = vec![peer.keep(b"content")];
    let mut stream = ObjectStream::start(peer.connect().await, wanted, Verify::Here);
    stream.next().await.unwrap().unwrap();
    let mut server = ImageServer::new(stream.finish().await.unwrap());
    server.add_object(data).await.unwrap();
    assert!(peer.has(data));
}
