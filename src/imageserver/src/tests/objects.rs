//! Objects in and out.

use super::bench::{Bench, image_with};
use crate::state::GET_OBJECTS_SLOTS;
use hash::Hash;
use protocol::image_server::{AddImageRequest, AddImageResponse};
use protocol::object_server::{
    AddObjectRequest, AddObjectResponse, CheckObjectsRequest, CheckObjectsResponse, GetObjectsRequest,
    GetObjectsResponse,
};
use srpc::Stream;

/// Larger than what is held in memory.
const LARGE_BYTES: usize = (1 << 20) + 4321;

async fn send(stream: &mut Stream<'_>, data: &[u8], expected_hash: Option<Hash>) {
    let length = data.len() as u64;
    stream
        .write_value(&AddObjectRequest {
            length,
            expected_hash,
        })
        .await
        .unwrap();
    stream.write_raw(data).await.unwrap();
}

async fn answer(stream: &mut Stream<'_>) -> AddObjectResponse {
    stream.read_value().await.unwrap()
}

#[actix_rt::test]
async fn a_caller_that_waits_for_each_answer_gets_it() {
    let bench = Bench::start(&[]);
    let mut client = bench.client().await;
    let mut stream = client.open("ObjectServer.AddObjects").await.unwrap();
    for content in [b"one".as_slice(), b"two", &[7; LARGE_BYTES]] {
        send(&mut stream, content, None).await;
        stream.flush().await.unwrap();
        let answer = answer(&mut stream).await;
        assert_eq!(
            (answer.hash, answer.added, answer.error_string.as_str()),
            (hash::of(content), true, "")
        );
    }
    stream.write_value(&AddObjectRequest::default()).await.unwrap();
    stream.finish().await.unwrap();
    client.ping().await.unwrap();
}

#[actix_rt::test]
async fn answers_come_in_the_order_of_the_objects_whatever_their_size_and_fate() {
    let bench = Bench::start(&[]);
    let mut client = bench.client().await;
    let mut stream = client.open("ObjectServer.AddObjects").await.unwrap();
    let large = vec![1; LARGE_BYTES];
    let wrong = hash::of(b"something else");
    send(&mut stream, b"small", Some(hash::of(b"small"))).await;
    send(&mut stream, &large, Some(wrong)).await;
    send(&mut stream, &large, Some(hash::of(&large))).await;
    send(&mut stream, b"small", Some(hash::of(b"small"))).await;
    send(&mut stream, b"other", Some(wrong)).await;
    stream.write_value(&AddObjectRequest::default()).await.unwrap();
    stream.flush().await.unwrap();
    let mut answers = Vec::new();
    for _ in 0..5 {
        answers.push(answer(&mut stream).await);
    }
    let mismatch = |computed: Hash| format!("hash mismatch. Computed={computed}, expected={wrong}");
    assert_eq!(
        answers[0],
        AddObjectResponse {
            hash: hash::of(b"small"),
            added: true,
            ..Default::default()
        }
    );
    assert_eq!(answers[1].error_string, mismatch(hash::of(&large)));
    assert_eq!(
        answers[2],
        AddObjectResponse {
            hash: hash::of(&large),
            added: true,
            ..Default::default()
        }
    );
    assert_eq!(
        answers[3],
        AddObjectResponse {
            hash: hash::of(b"small"),
            added: false,
            ..Default::default()
        }
    );
    assert_eq!(answers[4].error_string, mismatch(hash::of(b"other")));
    stream.finish().await.unwrap();
}

#[actix_rt::test]
async fn a_cut_connection_leaves_whole_objects_only() {
    let bench = Bench::start(&[]);
    let mut client = bench.client().await;
    let mut stream = client.open("ObjectServer.AddObjects").await.unwrap();
    let large = vec![3; LARGE_BYTES];
    send(&mut stream, b"whole", None).await;
    stream
        .write_value(&AddObjectRequest {
            length: large.len() as u64,
            expected_hash: None,
        })
        .await
        .unwrap();
    stream.write_raw(&large[..LARGE_BYTES / 2]).await.unwrap();
    stream.flush().await.unwrap();
    // The first answer shows that the server has got as far as the second object.
    assert_eq!(answer(&mut stream).await.hash, hash::of(b"whole"));
    drop(stream);
    drop(client);
    let request = CheckObjectsRequest {
        hashes: vec![hash::of(b"whole"), hash::of(&large)],
    };
    let mut client = bench.client().await;
    let reply: CheckObjectsResponse = client.call("ObjectServer.CheckObjects", &request).await.unwrap();
    assert_eq!(reply.object_sizes, [5, 0]);
}

#[actix_rt::test]
async fn objects_come_back_to_back_and_unknown_ones_are_named() {
    let bench = Bench::start(&[]);
    let large = vec![9; LARGE_BYTES];
    let lease = bench.shared.objects.lease();
    for content in [b"abc".as_slice(), &large] {
        bench
            .shared
            .objects
            .add(content.to_vec().into(), &lease)
            .await
            .unwrap();
    }
    let hashes = vec![hash::of(b"abc"), hash::of(&large), hash::of(b"abc")];
    let mut client = bench.client().await;
    let mut stream = client.open("ObjectServer.GetObjects").await.unwrap();
    stream
        .write_value(&GetObjectsRequest {
            exclusive: false,
            hashes,
        })
        .await
        .unwrap();
    stream.flush().await.unwrap();
    let head: GetObjectsResponse = stream.read_value().await.unwrap();
    assert_eq!(head.object_sizes, [3, LARGE_BYTES as u64, 3]);
    let mut all = vec![0; LARGE_BYTES + 6];
    stream.read_exact(&mut all).await.unwrap();
    assert!(
        all.starts_with(b"abc")
            && all.ends_with(b"abc")
            && hash::of(&all[3..LARGE_BYTES + 3]) == hash::of(&large)
    );
    stream.finish().await.unwrap();

    let missing = hash::of(b"missing");
    let mut stream = client.open("ObjectServer.GetObjects").await.unwrap();
    stream
        .write_value(&GetObjectsRequest {
            exclusive: false,
            hashes: vec![missing],
        })
        .await
        .unwrap();
    stream.flush().await.unwrap();
    let head: GetObjectsResponse = stream.read_value().await.unwrap();
    assert_eq!(head.response_string, format!("unknown object: {missing}"));
    stream.finish().await.unwrap();
    client.ping().await.unwrap();
}

#[actix_rt::test]
async fn only_so_many_fetch_objects_at_a_time_and_further_ones_wait() {
    let bench = Bench::start(&[]);
    bench.add_image("x", b"abc").await;
    let mut clients = Vec::new();
    for _ in 0..=GET_OBJECTS_SLOTS {
        clients.push(bench.client().await);
    }
    let (last, others) = clients.split_last_mut().unwrap();
    let mut holders = Vec::new();
    for client in others {
        holders.push(client.open("ObjectServer.GetObjects").await.unwrap());
    }
    while bench.shared.get_objects_running() < GET_OBJECTS_SLOTS {
        actix_rt::task::yield_now().await;
    }
    let mut waiting = last.open("ObjectServer.GetObjects").await.unwrap();
    let request = GetObjectsRequest {
        exclusive: false,
        hashes: vec![hash::of(b"abc")],
    };
    waiting.write_value(&request).await.unwrap();
    waiting.flush().await.unwrap();
    // The server has had time for others in between.
    let mut other = bench.client().await;
    for _ in 0..10 {
        other.ping().await.unwrap();
    }
    assert!(waiting.try_read_value::<GetObjectsResponse>().unwrap().is_none());
    // One that has a place is served, and lets the next one in.
    let served = holders.last_mut().unwrap();
    served.write_value(&request).await.unwrap();
    served.flush().await.unwrap();
    let head: GetObjectsResponse = served.read_value().await.unwrap();
    assert_eq!(head.object_sizes, [3]);
    served.read_exact(&mut [0; 3]).await.unwrap();
    let head: GetObjectsResponse = waiting.read_value().await.unwrap();
    assert_eq!(head.object_sizes, [3]);
}

#[actix_rt::test]
async fn what_a_connection_was_told_is_there_stays_till_its_image_is_added() {
    let bench = Bench::start(&[]);
    let content = b"kept by the lease";
    // Nobody protects it once this lease is gone and its time is over; so the connection's own has to.
    let lease = bench.shared.objects.lease();
    let committed = bench
        .shared
        .objects
        .add(content.to_vec().into(), &lease)
        .await
        .unwrap();
    let mut client = bench.client().await;
    let request = CheckObjectsRequest {
        hashes: vec![committed.hash],
    };
    let reply: CheckObjectsResponse = client.call("ObjectServer.CheckObjects", &request).await.unwrap();
    assert_eq!(reply.object_sizes, [content.len() as u64]);
    drop(lease);
    // Whether it runs out of objects is not the question here.
    let _ = bench.shared.objects.delete_unreferenced(100, 0).await;
    let image = Some(image_with(committed.hash, content.len() as u64));
    let request = AddImageRequest {
        image_name: "kept".to_owned(),
        image,
    };
    let _: AddImageResponse = client.call("ImageServer.AddImage", &request).await.unwrap();
}

#[actix_rt::test]
async fn an_image_that_is_none_is_refused_with_its_cause() {
    let bench = Bench::start(&[]);
    let mut client = bench.client().await;
    let mut refusal = async |image| {
        let request = AddImageRequest {
            image_name: "x".to_owned(),
            image,
        };
        let result = client
            .call::<_, AddImageResponse>("ImageServer.AddImage", &request)
            .await;
        result.unwrap_err().to_string()
    };
    assert!(refusal(None).await.ends_with("nil image"));
    assert!(
        refusal(Some(image::Image::default()))
            .await
            .ends_with("nil file-system")
    );
    let missing = hash::of(b"missing");
    let text = refusal(Some(image_with(missing, 7))).await;
    assert!(
        text.ends_with(&format!("object: {missing} is not available")),
        "{text}"
    );
}
