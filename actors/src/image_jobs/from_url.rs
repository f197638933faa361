//! A file at a URL becomes the file of an image (imgapi.md §12.5).

use super::receive::{Receiving, internal};
use super::{Workroom, of_repository};
use crate::image_repository::{Slot, Stored};
use repository::configuration::Settings;
use repository::digest::{Digester, Digests};
use repository::manifest::{Compression, FileEntry};
use repository::transfer::Kind;
use repository::{ApiError, Code, Uuid, dates};
use reqwest::{Client, StatusCode, Url};
use std::time::Duration;

/// Until there is a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Between two pieces.
const IDLE_TIMEOUT: Duration = Duration::from_secs(60);

/// What is said of the file of a URL.
#[derive(Clone, Debug)]
pub struct UrlFile {
    /// Where it is: `https:` alone.
    pub url: String,
    /// How it is compressed.
    pub compression: Compression,
    /// SHA-1 it must have, lower-case hex.
    pub sha1: Option<String>,
    /// Opaque; of file systems that send differences.
    pub dataset_guid: Option<String>,
}

impl Workroom {
    /// Fetches a file. Nothing of the image changes before all of it is here. Redirects are not followed: what a URL names is
    /// what is fetched, and no host inside is asked because one outside says so.
    ///
    /// # Errors
    /// `Download`: it is not to be had, or is not what it should be; what the store says.
    pub async fn fetch_url(&self, uuid: Uuid, file: &UrlFile) -> Result<Stored, ApiError> {
        let url = Url::parse(&file.url).map_err(|error| not_fetched(error.to_string()))?;
        let client = client(&self.settings()).map_err(|error| not_fetched(causes(&error)))?;
        let response = client.get(url).send().await;
        let mut response = response.map_err(|error| not_fetched(causes(&error)))?;
        if response.status() != StatusCode::OK {
            let message = format!(
                "HTTP {} error attempting to download image",
                response.status().as_u16()
            );
            return Err(ApiError::new(Code::Download, message));
        }
        let announced = response.content_length();
        Kind::File.check_announced(announced)?;
        let upload = self.repository.begin_upload(uuid, Slot::File(0), false).await;
        let upload = upload.map_err(|error| of_repository(&error))?;
        let begun = Digester::new().map_err(|error| internal(&error))?;
        let receiving = Receiving::start(upload, begun);
        while let Some(piece) = next(&mut response).await? {
            if !receiving.put(piece).await {
                break;
            }
        }
        let received = receiving.finish().await?;
        let digests = received.digests?;
        check(&digests, announced, file.sha1.as_deref())?;
        let entry = FileEntry {
            sha1: digests.sha1,
            size: digests.size,
            compression: file.compression,
            dataset_guid: file.dataset_guid.clone(),
            stor: "local".to_owned(),
            content_md5: Some(digests.md5),
            mtime: Some(dates::iso(self.clock.system_time())),
        };
        self.commit(received.upload, |record| record.with_file(0, &entry))
            .await
    }
}

async fn next(response: &mut reqwest::Response) -> Result<Option<bytes::Bytes>, ApiError> {
    match tokio::time::timeout(IDLE_TIMEOUT, response.chunk()).await {
        Ok(piece) => piece.map_err(|error| not_fetched(causes(&error))),
        Err(_) => Err(not_fetched(format!("nothing for {} s", IDLE_TIMEOUT.as_secs()))),
    }
}

fn client(settings: &Settings) -> reqwest::Result<Client> {
    let mut builder = Client::builder()
        .user_agent(settings.server_name.as_deref().unwrap_or("imagewright"))
        .connect_timeout(CONNECT_TIMEOUT)
        .read_timeout(IDLE_TIMEOUT)
        .redirect(reqwest::redirect::Policy::none())
        .https_only(true);
    if let Some(proxy) = &settings.proxy {
        builder = builder.proxy(reqwest::Proxy::all(proxy)?);
    }
    builder.build()
}

fn check(digests: &Digests, announced: Option<u64>, sha1: Option<&str>) -> Result<(), ApiError> {
    if let Some(wanted) = sha1.filter(|wanted| !wanted.is_empty() && *wanted != digests.sha1) {
        let message = format!(
            "expected sha1 hash, {wanted}, does not match the uploaded file sha1 hash, {}",
            digests.sha1
        );
        return Err(ApiError::new(Code::Download, message));
    }
    Kind::File.check_whole(digests, announced, None)
}

fn not_fetched(what: impl std::fmt::Display) -> ApiError {
    ApiError::new(Code::Download, format!("Error getting image: {what}"))
}

/// What went wrong from the outside in, without the address, which may hold a password.
fn causes(error: &reqwest::Error) -> String {
    let mut text = String::new();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        if !text.is_empty() {
            text.push_str(": ");
        }
        text.push_str(&error.to_string());
        cause = error.source();
    }
    if text.is_empty() {
        "the connection failed".to_owned()
    } else {
        text
    }
}
