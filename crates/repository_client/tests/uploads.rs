//! Uploads over connections that break, to repositories that can go on and to those that cannot.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on has failed"
)]

mod support;

use repository::Uuid;
use repository::http::UploadRange;
use repository::manifest::Compression;
use repository_client::{AddFile, Auth, Client, ClientError, Image, Options, Progress};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use support::{Reply, Request, Server, UUID, bytes, manifest};

/// More than the client sends without asking first.
const LARGE: usize = 9 << 20;

fn client(server: &Server) -> Client {
    let options = Options {
        idle_timeout: Duration::from_secs(2),
        attempts: 3,
        ..Options::default()
    };
    Client::with_options(&server.url, Auth::None, options).unwrap()
}

async fn add(server: &Server, content: &[u8]) -> Result<Image, ClientError> {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), content).unwrap();
    let about = AddFile::new(Compression::None);
    let uuid = Uuid::parse(UUID).unwrap();
    client(server)
        .add_file(uuid, &about, file.path(), &Progress::default())
        .await
}

/// What a repository has of a file, and how it goes on: as docs/imgapi.md says.
#[derive(Clone, Default)]
struct Upload(Arc<Mutex<Vec<u8>>>);

impl Upload {
    /// Takes a piece, at most so many bytes of it.
    fn take(&self, request: &mut Request, most: usize) -> Option<Reply> {
        let mut received = self.0.lock().unwrap();
        let piece = match UploadRange::parse(request.header("content-range").unwrap()).unwrap() {
            UploadRange::Asked(_) => {
                return Some(Reply::json(202, &format!("{{\"received\":{}}}", received.len())));
            }
            UploadRange::Piece(piece) => piece,
        };
        let body = request.body(most);
        received.truncate(usize::try_from(piece.start).unwrap());
        received.extend_from_slice(&body);
        let is_whole = Some(received.len() as u64) == piece.total;
        is_whole.then(|| Reply::json(200, &manifest(&received)))
    }
}

#[tokio::test]
async fn what_breaks_goes_on_where_it_was() {
    let content = bytes(LARGE);
    let upload = Upload::default();
    let repository = upload.clone();
    let mut requests = 0;
    let server = Server::new(move |request| {
        requests += 1;
        // The second request is the first that sends: it is cut.
        repository.take(request, if requests == 2 { 5_000_000 } else { usize::MAX })
    });
    add(&server, &content).await.unwrap();
    assert!(*upload.0.lock().unwrap() == content);
    let (end, total) = (LARGE - 1, LARGE);
    assert_eq!(
        server.seen(),
        [
            format!("PUT - bytes */{total}"),
            format!("PUT - bytes 0-{end}/{total}"),
            format!("PUT - bytes */{total}"),
            format!("PUT - bytes 5000000-{end}/{total}"),
        ]
    );
}

#[tokio::test]
async fn what_an_earlier_day_left_is_not_sent_again() {
    let content = bytes(LARGE);
    let upload = Upload(Arc::new(Mutex::new(content[..8_000_000].to_vec())));
    let repository = upload.clone();
    let server = Server::new(move |request| repository.take(request, usize::MAX));
    add(&server, &content).await.unwrap();
    assert_eq!(
        server.seen()[1],
        format!("PUT - bytes 8000000-{}/{LARGE}", LARGE - 1)
    );
    // All of it was there, and only the answer was lost: one byte brings it again.
    *upload.0.lock().unwrap() = content.clone();
    add(&server, &content).await.unwrap();
    let last = server.seen().pop().unwrap();
    assert_eq!(last, format!("PUT - bytes {}-{}/{LARGE}", LARGE - 1, LARGE - 1));
}

#[tokio::test]
async fn what_was_left_of_another_file_is_sent_over() {
    let content = bytes(LARGE);
    let upload = Upload(Arc::new(Mutex::new(vec![7; 1_000_000])));
    let repository = upload.clone();
    let expected = content.clone();
    let server = Server::new(move |request| {
        let reply = repository.take(request, usize::MAX)?;
        let is_wrong = request.range_is_a_piece() && *repository.0.lock().unwrap() != expected;
        Some(if is_wrong {
            Reply::error(400, "Download")
        } else {
            reply
        })
    });
    add(&server, &content).await.unwrap();
    assert!(*upload.0.lock().unwrap() == content);
}

#[tokio::test]
async fn a_repository_that_cannot_go_on_gets_the_whole_again() {
    let content = bytes(LARGE);
    let mut requests = 0;
    let server = Server::new(move |request| {
        requests += 1;
        let most = if requests == 2 { 5_000_000 } else { usize::MAX };
        let body = request.body(most);
        // As the original: Content-Range is not looked at.
        match body.len() {
            0 => Some(Reply::error(400, "Download")),
            LARGE => Some(Reply::json(200, &manifest(&body))),
            _ => None,
        }
    });
    add(&server, &content).await.unwrap();
    let whole = format!("PUT - bytes 0-{}/{LARGE}", LARGE - 1);
    assert_eq!(server.seen().iter().filter(|seen| **seen == whole).count(), 2);
}

#[tokio::test]
async fn a_refusal_comes_before_the_file_is_sent() {
    let server = Server::new(|_| Some(Reply::error(422, "ImageFilesImmutable")));
    let error = add(&server, &bytes(LARGE)).await.unwrap_err();
    assert_eq!(error.code(), Some("ImageFilesImmutable"));
    assert_eq!(server.seen(), [format!("PUT - bytes */{LARGE}")]);
}

#[tokio::test]
async fn what_the_repository_recorded_must_be_what_was_sent() {
    let server = Server::new(|request| {
        let mut body = request.body(usize::MAX);
        body[0] ^= 1;
        Some(Reply::json(200, &manifest(&body)))
    });
    let error = add(&server, &bytes(1000)).await.unwrap_err();
    assert!(matches!(error, ClientError::Mismatch { .. }), "{error}");
}

#[tokio::test]
async fn a_file_with_another_digest_than_was_said_is_not_sent() {
    let server = Server::new(|_| None);
    let file = tempfile::NamedTempFile::new().unwrap();
    let about = AddFile {
        sha1: Some("0".repeat(40)),
        ..AddFile::new(Compression::None)
    };
    let uuid = Uuid::parse(UUID).unwrap();
    let (client, progress) = (client(&server), Progress::default());
    let sent = client.add_file(uuid, &about, file.path(), &progress).await;
    assert!(matches!(sent, Err(ClientError::Mismatch { .. })));
    assert_eq!(server.seen(), [""; 0]);
}

#[tokio::test]
async fn what_can_be_read_only_once_is_sent_once_and_compared() {
    let content = bytes(1_000_000);
    let server = Server::new(|request| {
        let body = request.body(usize::MAX);
        Some(Reply::json(200, &manifest(&body)))
    });
    let about = AddFile::new(Compression::Gzip);
    let uuid = Uuid::parse(UUID).unwrap();
    let progress = Progress::default();
    let reader = std::io::Cursor::new(content.clone());
    let length = Some(content.len() as u64);
    let client = client(&server);
    let image = client
        .add_file_stream(uuid, &about, reader, length, &progress)
        .await;
    assert_eq!(image.unwrap().files()[0].size, 1_000_000);
    assert_eq!(progress.bytes(), 1_000_000);
}

#[tokio::test]
async fn an_upload_that_stands_still_ends() {
    // Takes a little and never answers.
    let server = Server::new(|request| {
        request.body(1000);
        Some(Reply::new(200, &[], b"x").stall_after(0))
    });
    let options = Options {
        idle_timeout: Duration::from_millis(200),
        answer_timeout: Duration::from_millis(200),
        attempts: 1,
        ..Options::default()
    };
    let client = Client::with_options(&server.url, Auth::None, options).unwrap();
    let about = AddFile::new(Compression::None);
    let reader = std::io::Cursor::new(bytes(64 << 20));
    let uuid = Uuid::parse(UUID).unwrap();
    let error = client
        .add_file_stream(uuid, &about, reader, None, &Progress::default())
        .await
        .unwrap_err();
    assert!(error.is_passing(), "{error}");
}
