//! A file on its way to a repository.

use bytes::Bytes;
use futures_util::stream;
use repository::Uuid;
use repository::digest::{Digester, Digests};
use repository::json::Value;
use repository::manifest::Compression;
use reqwest::StatusCode;
use reqwest::header::CONTENT_RANGE;
use std::io::SeekFrom;
use std::path::Path;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncSeekExt};

use crate::call::{Body, Call, MAXIMUM_ANSWER};
use crate::download::{FIRST_PAUSE, LAST_PAUSE};
use crate::pulse::{Pulse, Waiting};
use crate::save::blocking;
use crate::{Client, ClientError, Image, Progress};

/// Bytes of a piece.
const PIECE: usize = 256 << 10;
/// From this size on a repository is asked first what it has of the file; smaller ones are sent at once.
const WORTH_ASKING: u64 = 8 << 20;

/// What an upload says about its file.
#[derive(Clone, Debug)]
pub struct AddFile {
    /// How it is compressed; the repository does not look.
    pub compression: Compression,
    /// Its SHA-1, if it is known: the repository refuses other bytes.
    pub sha1: Option<String>,
    /// Opaque; of file systems that send differences.
    pub dataset_guid: Option<String>,
    /// Which store an operator wants it in.
    pub storage: Option<String>,
}

impl AddFile {
    /// A file of which nothing but its compression is said.
    pub fn new(compression: Compression) -> Self {
        Self {
            compression,
            sha1: None,
            dataset_guid: None,
            storage: None,
        }
    }

    pub(crate) fn parameters<'a>(&self, call: Call<'a>) -> Call<'a> {
        call.with("compression", self.compression.word())
            .with_some("sha1", self.sha1.clone())
            .with_some("dataset_guid", self.dataset_guid.clone())
            .with_some("storage", self.storage.clone())
    }
}

impl Client {
    /// Gives an image a file of this host. What breaks goes on where it was, also from an earlier call, if the repository
    /// can do that; the answer's digests are compared with the file's.
    ///
    /// # Errors
    /// The image is active (422, `ImageFilesImmutable`), the file cannot be read, or it arrived wrong.
    pub async fn add_file(
        &self,
        image: Uuid,
        about: &AddFile,
        path: &Path,
        progress: &Progress,
    ) -> Result<Image, ClientError> {
        let digests = digests_of(path).await?;
        if let Some(expected) = about.sha1.as_ref().filter(|expected| **expected != digests.sha1) {
            return Err(mismatch("the SHA-1", &digests.sha1, expected));
        }
        let about = AddFile {
            sha1: Some(digests.sha1.clone()),
            ..about.clone()
        };
        progress.set_total(digests.size);
        let sending = Sending {
            client: self,
            image,
            about: &about,
            path,
            size: digests.size,
            progress,
        };
        let answer = sending.run().await?;
        check(&answer, &digests)?;
        Ok(answer)
    }

    /// Gives an image a file that can be read only once; what breaks has to begin anew. `length` if it is known before.
    ///
    /// # Errors
    /// As [`add_file`](Self::add_file).
    pub async fn add_file_stream(
        &self,
        image: Uuid,
        about: &AddFile,
        reader: impl AsyncRead + Send + Unpin + 'static,
        length: Option<u64>,
        progress: &Progress,
    ) -> Result<Image, ClientError> {
        let digester = Arc::new(Mutex::new(Digester::new()?));
        progress.set_total(length.unwrap_or(0));
        let pulse = Arc::new(Pulse::default());
        let body = body_of(
            Box::new(reader),
            (0, length),
            pulse.clone(),
            progress.clone(),
            Some(digester.clone()),
        );
        let call = about.parameters(Call::put(format!("/images/{image}/file")));
        let answer = self.image(call.body(Body::Stream(body, length, pulse))).await?;
        let digester = digester.lock().map(|digester| digester.clone());
        let digester = digester.map_err(|_| ClientError::Answer("the upload ended early".to_owned()))?;
        check(&answer, &digester.finish()?)?;
        Ok(answer)
    }
}

struct Sending<'a> {
    client: &'a Client,
    image: Uuid,
    about: &'a AddFile,
    path: &'a Path,
    size: u64,
    progress: &'a Progress,
}

impl Sending<'_> {
    async fn run(&self) -> Result<Image, ClientError> {
        let mut start = 0;
        if self.size >= WORTH_ASKING {
            start = self.received().await?;
        }
        let (mut failed, mut furthest, mut begins_anew) = (0_u32, start, false);
        loop {
            let error = match self.send(start).await {
                Ok(image) => return Ok(image),
                Err(error) => error,
            };
            // What was there before was of another file.
            if start > 0 && !begins_anew && error.code() == Some("Download") {
                (start, begins_anew) = (0, true);
                continue;
            }
            let received = error.refusal().and_then(|refusal| refusal.received);
            let goes_on = received.is_some() && error.status() == Some(416);
            failed += 1;
            if !(error.is_passing() || goes_on) || failed >= self.client.options.attempts.max(1) {
                return Err(error);
            }
            self.progress.reconnected();
            let pause = FIRST_PAUSE * 2_u32.saturating_pow(failed - 1);
            tokio::time::sleep(pause.min(LAST_PAUSE)).await;
            start = match (received, self.received().await) {
                (Some(received), _) if goes_on => received.min(self.size),
                (_, Ok(received)) => received,
                // It may still be away; the next attempt tells.
                (_, Err(error)) if error.is_passing() => start,
                (_, Err(error)) => return Err(error),
            };
            if start > furthest {
                (failed, furthest) = (0, start);
            }
        }
    }

    /// Bytes of the file that the repository has; 0 if it knows nothing of uploads that go on.
    async fn received(&self) -> Result<u64, ClientError> {
        let call = self
            .about
            .parameters(Call::put(format!("/images/{}/file", self.image)));
        let call = call.header(CONTENT_RANGE, format!("bytes */{}", self.size));
        match self.client.send(call).await {
            Ok(response) if response.status() == StatusCode::ACCEPTED => {
                let value = self.client.read_json(response, MAXIMUM_ANSWER).await?;
                let received = value.get("received").and_then(Value::as_u64).unwrap_or(0);
                Ok(received.min(self.size))
            }
            Ok(_) => Ok(0),
            // The original takes it for an empty file.
            Err(error) if matches!(error.code(), Some("Download" | "Upload")) => Ok(0),
            Err(error) => Err(error),
        }
    }

    async fn send(&self, start: u64) -> Result<Image, ClientError> {
        let failed = |error| ClientError::of_file(self.path, error);
        let mut file = tokio::fs::File::open(self.path).await.map_err(failed)?;
        file.seek(SeekFrom::Start(start)).await.map_err(failed)?;
        let length = self.size - start;
        let pulse = Arc::new(Pulse::default());
        let reader: Reader = Box::new(file.take(length));
        let ends = (start, Some(self.size));
        let body = body_of(reader, ends, pulse.clone(), self.progress.clone(), None);
        let mut call = self
            .about
            .parameters(Call::put(format!("/images/{}/file", self.image)));
        if length > 0 {
            let range = format!("bytes {start}-{}/{}", self.size - 1, self.size);
            call = call.header(CONTENT_RANGE, range);
        } else if start > 0 {
            // All is there and was not acknowledged: the last byte again.
            return Box::pin(self.send(start - 1)).await;
        }
        self.client
            .image(call.body(Body::Stream(body, Some(length), pulse)))
            .await
    }
}

type Reader = Box<dyn AsyncRead + Send + Unpin>;

/// A body that reads piece by piece from byte `start` to `end`, if that is known, and tells where it is.
fn body_of(
    reader: Reader,
    (start, end): (u64, Option<u64>),
    pulse: Arc<Pulse>,
    progress: Progress,
    digester: Option<Arc<Mutex<Digester>>>,
) -> reqwest::Body {
    let pieces = stream::try_unfold((reader, start), move |(mut reader, position)| {
        let (pulse, progress, digester) = (pulse.clone(), progress.clone(), digester.clone());
        async move {
            progress.set(position);
            pulse.waits(Waiting::Source);
            let mut piece = Vec::with_capacity(PIECE);
            let mut bounded = (&mut reader).take(PIECE as u64);
            while piece.len() < PIECE && bounded.read_buf(&mut piece).await? > 0 {}
            if piece.is_empty() {
                pulse.waits(Waiting::Answer);
                return Ok::<_, std::io::Error>(None);
            }
            if let Some(digester) = &digester
                && let Ok(mut digester) = digester.lock()
            {
                digester.update(&piece).map_err(std::io::Error::other)?;
            }
            let position = position + piece.len() as u64;
            if Some(position) == end {
                // Nobody asks for more: the library knows the length.
                progress.set(position);
                pulse.waits(Waiting::Answer);
            } else {
                pulse.waits(Waiting::Network);
            }
            Ok(Some((Bytes::from(piece), (reader, position))))
        }
    });
    reqwest::Body::wrap_stream(pieces)
}

/// The digests of a file of this host.
async fn digests_of(path: &Path) -> Result<Digests, ClientError> {
    use std::io::Read;
    let path = path.to_owned();
    blocking(move || {
        let failed = |error| ClientError::of_file(&path, error);
        let mut file = std::fs::File::open(&path).map_err(failed)?;
        let mut digester = Digester::new()?;
        let mut buffer = vec![0; PIECE];
        loop {
            match file.read(&mut buffer).map_err(failed)? {
                0 => return Ok(digester.finish()?),
                length => digester.update(&buffer[..length])?,
            }
        }
    })
    .await
}

/// What the repository recorded is what was sent.
fn check(answer: &Image, sent: &Digests) -> Result<(), ClientError> {
    let files = answer.files();
    let Some(file) = files.first() else {
        return Err(ClientError::Answer(
            "an image without the file that was added".to_owned(),
        ));
    };
    if file.sha1 != sent.sha1 {
        return Err(mismatch("the SHA-1", &file.sha1, &sent.sha1));
    }
    if file.size != sent.size {
        return Err(mismatch("bytes", file.size, sent.size));
    }
    Ok(())
}

fn mismatch(what: &'static str, found: impl ToString, expected: impl ToString) -> ClientError {
    ClientError::Mismatch {
        what,
        found: found.to_string(),
        expected: expected.to_string(),
    }
}
