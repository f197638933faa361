//! A file as a stream of bytes, checked, over as many connections as it takes.

use bytes::Bytes;
use repository::Uuid;
use repository::digest::Digester;
use reqwest::header::{CONTENT_LENGTH, CONTENT_RANGE, ETAG, HeaderMap, HeaderName, IF_RANGE, RANGE};
use reqwest::{Response, StatusCode};
use std::time::Duration;

use crate::call::{Call, next_piece};
use crate::{Client, ClientError, Image, Progress};

/// Pause before a broken transfer is tried again: the first one; each one without progress doubles it.
pub(crate) const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// The longest pause.
pub(crate) const LAST_PAUSE: Duration = Duration::from_secs(8);

/// Which file, and what is known of it.
#[derive(Clone, Default)]
pub struct FileRequest {
    /// Which of an image's files; 0 is the only one of most.
    pub index: usize,
    /// SHA-1 by the manifest, lower-case hex.
    pub sha1: Option<String>,
    /// Bytes by the manifest.
    pub size: Option<u64>,
    /// The digests of what is here already: only the rest is fetched.
    pub begun: Option<Digester>,
    /// Where the transfer tells how far it is.
    pub progress: Progress,
}

impl FileRequest {
    /// A file as a manifest describes it.
    pub fn of(image: &Image, index: usize) -> Self {
        let file = image.files().into_iter().nth(index);
        Self {
            index,
            size: file.as_ref().map(|file| file.size),
            sha1: file.map(|file| file.sha1),
            ..Self::default()
        }
    }
}

/// A file on its way. Its end comes only if all its bytes have the digests that were announced.
pub struct Download {
    client: Client,
    image: Uuid,
    request: FileRequest,
    digester: Digester,
    /// The connection, while there is one.
    response: Option<Response>,
    /// Bytes that come again on this connection, and are known.
    skipped: u64,
    size: u64,
    /// As the first answer says.
    tag: Option<String>,
    md5: Option<String>,
    /// Attempts without progress.
    failed: u32,
    is_over: bool,
}

impl Client {
    /// Begins to fetch a file of an image.
    ///
    /// # Errors
    /// There is none (404), or no digest to check it by.
    pub async fn file(&self, image: Uuid, request: FileRequest) -> Result<Download, ClientError> {
        let digester = match &request.begun {
            Some(digester) => digester.clone(),
            None => Digester::new()?,
        };
        let mut download = Download {
            client: self.clone(),
            image,
            digester,
            response: None,
            skipped: 0,
            size: 0,
            tag: request.sha1.clone(),
            md5: None,
            failed: 0,
            is_over: false,
            request,
        };
        download.begin().await?;
        Ok(download)
    }
}

impl Download {
    /// Bytes of the whole file.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Bytes that have been handed out, and those that were there before.
    pub fn position(&self) -> u64 {
        self.digester.size()
    }

    /// The next bytes; `None` when all are there and right. A connection that breaks is made again, at most
    /// [`attempts`](crate::Options::attempts) times without progress.
    ///
    /// # Errors
    /// The bytes are not those that were announced, or no more come.
    pub async fn next(&mut self) -> Result<Option<Bytes>, ClientError> {
        loop {
            if self.is_over {
                return Ok(None);
            }
            if self.position() == self.size && self.response.is_none() {
                self.check()?;
                self.is_over = true;
                return Ok(None);
            }
            match self.piece().await {
                Ok(Some(piece)) => return Ok(Some(piece)),
                Ok(None) => self.response = None,
                Err(error) => {
                    self.response = None;
                    self.pause(error).await?;
                }
            }
        }
    }

    /// New bytes of the connection; `None` when it has given all it should.
    async fn piece(&mut self) -> Result<Option<Bytes>, ClientError> {
        let patience = self.client.options.idle_timeout;
        if self.response.is_none() {
            self.connect().await?;
        }
        let Some(response) = &mut self.response else {
            return Ok(None);
        };
        while let Some(mut piece) = next_piece(response, patience).await? {
            let known = self.skipped.min(piece.len() as u64);
            self.skipped -= known;
            // `known` is at most the length of the piece.
            let piece = piece.split_off(usize::try_from(known).unwrap_or(piece.len()));
            if piece.is_empty() {
                continue;
            }
            self.digester.update(&piece)?;
            let position = self.digester.size();
            if position > self.size {
                return Err(mismatch("bytes, at least", position, self.size));
            }
            self.request.progress.set(position);
            self.failed = 0;
            return Ok(Some(piece));
        }
        if self.position() < self.size {
            let text = format!(
                "the connection ended after {} of {} bytes",
                self.position(),
                self.size
            );
            return Err(ClientError::Connection(text));
        }
        Ok(None)
    }

    /// The first connection: what it says is what counts.
    async fn begin(&mut self) -> Result<(), ClientError> {
        while let Err(error) = self.connect().await {
            self.pause(error).await?;
        }
        Ok(())
    }

    async fn connect(&mut self) -> Result<(), ClientError> {
        let position = self.digester.size();
        let mut call = Call::get(format!("/images/{}/file", self.image));
        if self.request.index > 0 {
            call = call.with("index", self.request.index.to_string());
        }
        if position > 0 {
            call = call.header(RANGE, format!("bytes={position}-"));
            if let Some(tag) = &self.tag {
                call = call.header(IF_RANGE, format!("\"{}\"", bare(tag)));
            }
        }
        let response = match self.client.send(call).await {
            // Everything is here already.
            Err(error) if error.status() == Some(416) && self.request.size == Some(position) => {
                self.set_size(position)?;
                return Ok(());
            }
            sent => sent?,
        };
        let headers = response.headers();
        let is_part = response.status() == StatusCode::PARTIAL_CONTENT;
        let (start, size) = if is_part {
            content_range(headers)?
        } else {
            (0, length(headers)?)
        };
        if is_part && start != position {
            return Err(mismatch("a range that begins at byte", start, position));
        }
        self.take_headers(headers)?;
        self.set_size(size)?;
        // A repository without ranges begins anew: what is known is read over.
        self.skipped = position - start;
        self.response = Some(response);
        Ok(())
    }

    /// What the answer says of the file must stay what it was.
    fn take_headers(&mut self, headers: &HeaderMap) -> Result<(), ClientError> {
        let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
        let tag = text(ETAG).map(|tag| bare(tag).to_owned());
        let md5 = text(HeaderName::from_static("content-md5")).map(str::to_owned);
        if self.md5.is_some() && md5.is_some() && self.md5 != md5 {
            return Err(ClientError::Replaced);
        }
        if let (Some(known), Some(tag)) = (&self.tag, &tag)
            && bare(known) != tag
        {
            return Err(ClientError::Replaced);
        }
        self.tag = tag.or(self.tag.take());
        self.md5 = md5.or(self.md5.take());
        if self.md5.is_none() && self.request.sha1.is_none() {
            return Err(ClientError::NoDigest);
        }
        Ok(())
    }

    fn set_size(&mut self, size: u64) -> Result<(), ClientError> {
        if self.size > 0 && self.size != size {
            return Err(ClientError::Replaced);
        }
        if let Some(expected) = self.request.size.filter(|expected| *expected != size) {
            return Err(mismatch("bytes", size, expected));
        }
        if self.digester.size() > size {
            return Err(mismatch("bytes", self.digester.size(), size));
        }
        self.size = size;
        self.request.progress.set_total(size);
        self.request.progress.set(self.digester.size());
        Ok(())
    }

    /// Waits before the next attempt, if there may be one.
    async fn pause(&mut self, error: ClientError) -> Result<(), ClientError> {
        self.failed += 1;
        if !error.is_passing() || self.failed >= self.client.options.attempts.max(1) {
            return Err(error);
        }
        self.request.progress.reconnected();
        let pause = FIRST_PAUSE * 2_u32.saturating_pow(self.failed - 1);
        tokio::time::sleep(pause.min(LAST_PAUSE)).await;
        Ok(())
    }

    fn check(&self) -> Result<(), ClientError> {
        let found = self.digester.clone().finish()?;
        let pairs = [
            ("the SHA-1", found.sha1, &self.request.sha1),
            ("the MD5", found.md5, &self.md5),
        ];
        for (what, found, expected) in pairs {
            if let Some(expected) = expected.as_ref().filter(|expected| **expected != found) {
                return Err(mismatch(what, found, expected));
            }
        }
        Ok(())
    }
}

fn mismatch(what: &'static str, found: impl ToString, expected: impl ToString) -> ClientError {
    ClientError::Mismatch {
        what,
        found: found.to_string(),
        expected: expected.to_string(),
    }
}

/// An entity tag without quotes: the original sends none.
fn bare(tag: &str) -> &str {
    tag.trim().trim_start_matches("W/").trim_matches('"')
}

fn length(headers: &HeaderMap) -> Result<u64, ClientError> {
    let length = headers
        .get(CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok());
    let length = length.and_then(|length| length.parse().ok());
    length.ok_or_else(|| ClientError::Answer("a file without Content-Length".to_owned()))
}

/// First byte and size of the whole, of `bytes START-END/SIZE`.
fn content_range(headers: &HeaderMap) -> Result<(u64, u64), ClientError> {
    let range = headers.get(CONTENT_RANGE).and_then(|range| range.to_str().ok());
    let read = |range: &str| {
        let (range, size) = range.strip_prefix("bytes ")?.split_once('/')?;
        let (start, _) = range.split_once('-')?;
        Some((start.parse().ok()?, size.parse().ok()?))
    };
    let parsed = range.and_then(read);
    parsed.ok_or_else(|| ClientError::Answer("a part of a file without Content-Range".to_owned()))
}
