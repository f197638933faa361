//! Callers that wait for what is yet to come.

use std::time::Duration;

use super::bench::Bench;
use protocol::image_server::{GetImageRequest, GetImageResponse, ImageUpdate, operation};

#[actix_rt::test]
async fn an_image_is_waited_for() {
    let bench = Bench::start(&[]);
    let mut client = bench.client().await;
    let request = GetImageRequest {
        image_name: "late".to_owned(),
        ignore_filesystem: true,
        timeout: Duration::from_secs(60).into(),
        ..GetImageRequest::default()
    };
    let waiting = client.call::<_, GetImageResponse>("ImageServer.GetImage", &request);
    let (reply, _) = tokio::join!(waiting, bench.add_image("late", b"content"));
    let image = reply.unwrap().image.unwrap();
    assert!(image.file_system.is_none());
}

#[actix_rt::test]
async fn waiting_ends_in_nothing_when_the_time_is_over() {
    let bench = Bench::start(&[]);
    let mut client = bench.client().await;
    let request = GetImageRequest {
        image_name: "never".to_owned(),
        timeout: Duration::from_millis(20).into(),
        ..GetImageRequest::default()
    };
    let reply: GetImageResponse = client.call("ImageServer.GetImage", &request).await.unwrap();
    assert!(reply.image.is_none());
}

#[actix_rt::test]
async fn subscribers_hear_everything_that_is_then_everything_that_happens() {
    let bench = Bench::start(&[]);
    bench.add_image("old", b"content").await;
    let mut client = bench.client().await;
    let mut stream = client.open("ImageServer.GetImageUpdates").await.unwrap();
    let mut next = async || stream.read_value::<ImageUpdate>().await.unwrap();
    let root = next().await;
    assert_eq!(
        (root.operation, root.directory.unwrap().name.as_str()),
        (operation::MAKE_DIRECTORY, ".")
    );
    assert_eq!(next().await.name, "old");
    assert_eq!(next().await, ImageUpdate::default());
    bench.add_image("new", b"content").await;
    assert_eq!(
        next().await,
        ImageUpdate {
            name: "new".to_owned(),
            ..ImageUpdate::default()
        }
    );
    bench
        .shared
        .images
        .delete("new", actors::image_index::Requester::internal())
        .await
        .unwrap();
    let deleted = next().await;
    assert_eq!(
        (deleted.name.as_str(), deleted.operation),
        ("new", operation::DELETE_IMAGE)
    );
}
