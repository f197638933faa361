//! Downloads over connections that break, of repositories that know ranges and of those that do not.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on has failed"
)]

mod support;

use repository::Uuid;
use repository_client::{Auth, Client, ClientError, FileRequest, Image, Options, Saved};
use std::path::Path;
use std::time::Duration;
use support::{Reply, Server, UUID, bytes, digests, file, manifest};

fn client(server: &Server) -> Client {
    let options = Options {
        idle_timeout: Duration::from_millis(300),
        attempts: 3,
        ..Options::default()
    };
    Client::with_options(&server.url, Auth::None, options).unwrap()
}

fn request(content: &[u8]) -> FileRequest {
    FileRequest::of(
        &Image::new(serde_json::from_str(&manifest(content)).unwrap()).unwrap(),
        0,
    )
}

fn uuid() -> Uuid {
    Uuid::parse(UUID).unwrap()
}

async fn fetch(client: &Client, request: FileRequest) -> Result<Vec<u8>, ClientError> {
    let mut download = client.file(uuid(), request).await?;
    let mut content = Vec::new();
    while let Some(piece) = download.next().await? {
        content.extend_from_slice(&piece);
    }
    Ok(content)
}

fn names(directory: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory).unwrap();
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

#[tokio::test]
async fn what_breaks_goes_on_where_it_was() {
    let content = bytes(1_000_000);
    let served = content.clone();
    let server = Server::new(move |request| {
        let reply = file(&served, request.range_start());
        // 400,000 bytes a connection: three of them.
        let rest = reply.body.len();
        Some(if rest > 400_000 {
            reply.cut_after(400_000)
        } else {
            reply
        })
    });
    let request = request(&content);
    let progress = request.progress.clone();
    assert!(fetch(&client(&server), request).await.unwrap() == content);
    assert_eq!(
        server.seen(),
        ["GET - -", "GET bytes=400000- -", "GET bytes=800000- -"]
    );
    assert_eq!(
        (progress.bytes(), progress.total(), progress.reconnections()),
        (1_000_000, 1_000_000, 2)
    );
}

#[tokio::test]
async fn a_connection_that_stands_still_counts_as_broken() {
    let content = bytes(300_000);
    let served = content.clone();
    let server = Server::new(move |request| {
        let reply = file(&served, request.range_start());
        Some(if request.range_start().is_none() {
            reply.stall_after(100_000)
        } else {
            reply
        })
    });
    assert!(fetch(&client(&server), request(&content)).await.unwrap() == content);
    assert_eq!(server.seen(), ["GET - -", "GET bytes=100000- -"]);
}

#[tokio::test]
async fn of_a_repository_without_ranges_what_is_known_is_read_over() {
    let content = bytes(500_000);
    let served = content.clone();
    let mut first = true;
    let server = Server::new(move |_| {
        let reply = file(&served, None);
        Some(if std::mem::take(&mut first) {
            reply.cut_after(333_333)
        } else {
            reply
        })
    });
    assert!(fetch(&client(&server), request(&content)).await.unwrap() == content);
    assert_eq!(server.seen().len(), 2);
}

#[tokio::test]
async fn without_progress_it_ends_after_so_many_attempts() {
    let content = bytes(500_000);
    let served = content.clone();
    let server = Server::new(move |request| {
        let reply = file(&served, request.range_start());
        let cut = if request.range_start().is_none() {
            100_000
        } else {
            0
        };
        Some(reply.cut_after(cut))
    });
    let error = fetch(&client(&server), request(&content)).await.unwrap_err();
    assert!(error.is_passing(), "{error}");
    // The first one made progress.
    assert_eq!(server.seen().len(), 3);
}

#[tokio::test]
async fn bytes_that_were_not_announced_never_get_the_name() {
    let content = bytes(100_000);
    let mut wrong = content.clone();
    wrong[50_000] ^= 1;
    // Wrong by the manifest; and by the answer's own MD5.
    for with_manifest in [true, false] {
        let (served, right) = (wrong.clone(), digests(&content));
        let server = Server::new(move |_| {
            let headers = [("etag", right.sha1.as_str()), ("content-md5", right.md5.as_str())];
            Some(Reply::new(200, &headers, &served))
        });
        let request = if with_manifest {
            request(&content)
        } else {
            FileRequest::default()
        };
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        let error = client(&server).save(uuid(), request, &path).await.unwrap_err();
        assert!(matches!(error, ClientError::Mismatch { .. }), "{error}");
        assert_eq!(names(directory.path()), [""; 0], "nothing is left");
    }
}

#[tokio::test]
async fn a_file_of_another_length_is_refused_before_it_is_read() {
    let content = bytes(100_000);
    let served = bytes(100_001);
    let server = Server::new(move |_| Some(file(&served, None)));
    let mut request = request(&content);
    request.sha1 = None;
    let error = fetch(&client(&server), request).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the file has bytes 100001, and should have 100000"
    );
}

#[tokio::test]
async fn without_any_digest_nothing_is_taken() {
    let server = Server::new(|_| Some(Reply::new(200, &[], b"abc")));
    let error = fetch(&client(&server), FileRequest::default()).await.unwrap_err();
    assert!(matches!(error, ClientError::NoDigest), "{error}");
}

#[tokio::test]
async fn a_file_that_was_replaced_meanwhile_is_told() {
    let (before, after) = (bytes(500_000), vec![7; 500_000]);
    let mut first = true;
    let server = Server::new(move |_| {
        Some(if std::mem::take(&mut first) {
            file(&before, None).cut_after(100_000)
        } else {
            file(&after, None)
        })
    });
    let error = fetch(&client(&server), FileRequest::default()).await.unwrap_err();
    assert!(matches!(error, ClientError::Replaced), "{error}");
}

#[tokio::test]
async fn a_saved_file_goes_on_on_another_day_and_a_foreign_beginning_is_not_used() {
    let content = bytes(500_000);
    let served = content.clone();
    let mut connections = 0;
    let server = Server::new(move |request| {
        connections += 1;
        let reply = file(&served, request.range_start());
        // The first call gets its connections cut until it gives up.
        Some(if connections <= 3 {
            reply.cut_after(if connections == 1 { 200_000 } else { 0 })
        } else {
            reply
        })
    });
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("file");
    std::fs::write(&path, "the one before").unwrap();
    std::fs::write(directory.path().join(".file.0123.partial"), "of another image").unwrap();
    let error = client(&server)
        .save(uuid(), request(&content), &path)
        .await
        .unwrap_err();
    assert!(error.is_passing(), "{error}");
    assert_eq!(std::fs::read(&path).unwrap(), b"the one before");
    let saved = client(&server)
        .save(uuid(), request(&content), &path)
        .await
        .unwrap();
    assert_eq!(
        saved,
        Saved {
            size: 500_000,
            was_there: 200_000
        }
    );
    assert!(std::fs::read(&path).unwrap() == content);
    assert_eq!(server.seen().last().unwrap(), "GET bytes=200000- -");
    let mut left = names(directory.path());
    left.sort();
    assert_eq!(left, [".file.0123.partial", "file"]);
}

#[tokio::test]
async fn a_beginning_that_was_damaged_is_thrown_away() {
    let content = bytes(500_000);
    let served = content.clone();
    let server = Server::new(move |request| Some(file(&served, request.range_start())));
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("file");
    let partial = directory
        .path()
        .join(format!(".file.{}.partial", digests(&content).sha1));
    std::fs::write(&partial, vec![0; 100_000]).unwrap();
    let error = client(&server)
        .save(uuid(), request(&content), &path)
        .await
        .unwrap_err();
    assert!(matches!(error, ClientError::Mismatch { .. }), "{error}");
    let saved = client(&server)
        .save(uuid(), request(&content), &path)
        .await
        .unwrap();
    assert_eq!(saved.was_there, 0);
    // Longer than the file: begun anew at once.
    std::fs::write(&partial, vec![0; 600_000]).unwrap();
    client(&server)
        .save(uuid(), request(&content), &path)
        .await
        .unwrap();
    assert!(std::fs::read(&path).unwrap() == content);
}

#[tokio::test]
async fn refusals_carry_code_and_message_and_are_not_tried_again() {
    let server = Server::new(|_| Some(Reply::error(404, "ResourceNotFound")));
    let error = fetch(&client(&server), FileRequest::default()).await.unwrap_err();
    assert_eq!(
        (error.status(), error.code()),
        (Some(404), Some("ResourceNotFound"))
    );
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn a_redirection_is_told_and_not_followed() {
    let server = Server::new(|_| Some(Reply::new(301, &[("location", "http://elsewhere/")], b"")));
    let error = client(&server).ping().await.unwrap_err();
    assert!(error.to_string().contains("http://elsewhere/"), "{error}");
}
