//! Bringing a text from where it is.

use super::settings::{GIT_MOST, HTTP_CONNECT_MOST, HTTP_MOST};
use crate::pool::Pool;
use recipe::text::MAXIMUM_BYTES;
use recipe::{Secrets, Source};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Brings texts. Clones share connections.
#[derive(Clone)]
pub(super) struct Fetcher {
    client: reqwest::Client,
    /// For files and git, which block.
    pool: Pool,
    /// Where clones of git are put meanwhile.
    temporary: PathBuf,
}

/// Threads that read files and wait for git.
const THREADS: usize = 3;

/// Reads running or waiting.
const JOBS: usize = 16;

impl Fetcher {
    pub(super) fn new(temporary: &Path) -> Result<Fetcher, String> {
        let client = reqwest::Client::builder()
            .connect_timeout(HTTP_CONNECT_MOST)
            .timeout(HTTP_MOST)
            .build()
            .map_err(text_of)?;
        let pool = Pool::new("configuration", THREADS, JOBS).map_err(|error| error.to_string())?;
        Ok(Fetcher {
            client,
            pool,
            temporary: temporary.to_owned(),
        })
    }

    /// The bytes of a text. The error has no secret in it.
    pub(super) async fn fetch(&self, source: &Source, secrets: &Arc<Secrets>) -> Result<Vec<u8>, String> {
        let fetched = match source {
            Source::File(path) => self.file(path.clone()).await,
            Source::Http(url) => self.http(url).await,
            Source::Git { repository, path } => self.git(repository, path, secrets).await,
        };
        fetched.map_err(|error| secrets.redact_text(&error).into_owned())
    }

    /// Runs what blocks.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, String> {
        self.pool.run(work).await.map_err(|error| error.to_string())
    }

    async fn file(&self, path: PathBuf) -> Result<Vec<u8>, String> {
        self.run(move || read_file(&path)).await?
    }

    async fn http(&self, url: &str) -> Result<Vec<u8>, String> {
        let mut response = self.client.get(url).send().await.map_err(text_of)?;
        if response.status() != reqwest::StatusCode::OK {
            return Err(format!("the server answers {}", response.status()));
        }
        let mut content = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(text_of)? {
            if content.len() + chunk.len() > MAXIMUM_BYTES {
                return Err(format!("more than {MAXIMUM_BYTES} bytes"));
            }
            content.extend_from_slice(&chunk);
        }
        Ok(content)
    }

    async fn git(&self, repository: &str, path: &str, secrets: &Arc<Secrets>) -> Result<Vec<u8>, String> {
        let (repository, path, secrets) = (repository.to_owned(), path.to_owned(), secrets.clone());
        let own = self.clone();
        self.run(move || own.file_of_git(&repository, &path, &secrets))
            .await?
    }

    /// The same; blocks.
    pub(super) fn file_of_git(
        &self,
        repository: &str,
        path: &str,
        secrets: &Secrets,
    ) -> Result<Vec<u8>, String> {
        let fetched = builder::manifest::fetch_file(
            repository,
            path,
            secrets,
            &self.temporary,
            GIT_MOST,
            MAXIMUM_BYTES,
        );
        fetched.map_err(|error| error.to_string())
    }
}

/// A file of bounded length, read so that no half of two contents is taken for one: who writes in place may be writing now.
pub(super) fn read_file(path: &Path) -> Result<Vec<u8>, String> {
    use std::io::Read;
    const ATTEMPTS: usize = 5;
    let failed = |error: std::io::Error| format!("{}: {}", path.display(), os_text(&error));
    for _ in 0..ATTEMPTS {
        let file = std::fs::File::open(path).map_err(failed)?;
        let before = super::stamp::Stamp::of_file(&file).map_err(failed)?;
        let mut content = Vec::new();
        let most = u64::try_from(MAXIMUM_BYTES).unwrap_or(u64::MAX);
        (&file)
            .take(most.saturating_add(1))
            .read_to_end(&mut content)
            .map_err(failed)?;
        if content.len() > MAXIMUM_BYTES {
            return Err(format!("{}: more than {MAXIMUM_BYTES} bytes", path.display()));
        }
        if super::stamp::Stamp::of_file(&file).map_err(failed)? == before {
            return Ok(content);
        }
    }
    Err(format!("{}: changes while it is read", path.display()))
}

/// The text of an error of the system, without its number.
pub(super) fn os_text(error: &std::io::Error) -> String {
    let text = error.to_string();
    match text.rfind(" (os error ") {
        Some(at) => text[..at].to_owned(),
        None => text,
    }
}

/// What went wrong, from the outside in, without the URL, which may hold a password.
fn text_of(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
