//! Objects over HTTP into the store.

use std::sync::Arc;
use std::time::Duration;

use super::ImportError;
use actors::object_store::{Lease, ObjectStore};
use hash::Hash;
use storage::Staged;
use tokio::sync::{Semaphore, mpsc};

/// Objects fetched at a time (`imageserver.md §3.21`).
pub(crate) const PARALLEL_FETCHES: usize = 128;
/// The same over all callers: each fetch occupies a thread for blocking work as long as the other server takes, and there are
/// 512 of them.
static FETCHES: Semaphore = Semaphore::const_new(PARALLEL_FETCHES);
/// How long connecting to the other server may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);
/// How long the other server may be silent.
const READ_TIMEOUT: Duration = Duration::from_secs(60);
/// Chunks between the network and the temporary file.
const CHUNKS: usize = 4;

/// Fetches objects and puts them into the store.
#[derive(Clone)]
pub(crate) struct Fetcher {
    client: reqwest::Client,
    objects: ObjectStore,
    lease: Arc<Lease>,
}

/// An object to fetch.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    pub(crate) url: String,
    pub(crate) hash: Hash,
    /// Bytes, if known: any other length is an error.
    pub(crate) size: Option<u64>,
}

impl Fetcher {
    /// What is fetched stays in the store as long as `lease` lives, and a while longer.
    pub(crate) fn new(objects: ObjectStore, lease: Arc<Lease>) -> Result<Self, ImportError> {
        let client = reqwest::Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(READ_TIMEOUT)
            .build()
            .map_err(|source| ImportError::Http {
                url: "HTTP client".to_owned(),
                source,
            })?;
        Ok(Self {
            client,
            objects,
            lease,
        })
    }

    /// Sizes of the objects that are in the store already, 0 for the others. Those stay as well.
    pub(crate) fn present(&self, hashes: &[Hash]) -> Vec<u64> {
        self.objects.sizes(hashes, Some(&self.lease))
    }

    /// Fetches one object and stores it. Returns its size, and whether it is new.
    pub(crate) async fn fetch(&self, wanted: Wanted) -> Result<(u64, bool), ImportError> {
        // The semaphore is never closed.
        let _turn = FETCHES.acquire().await;
        let staged = self.stage(&wanted).await?;
        let size = staged.size();
        match self.objects.commit(vec![staged], &self.lease).await.pop() {
            Some(Ok(committed)) => Ok((size, committed.newly_added)),
            Some(Err(error)) => Err(ImportError::Store(error.to_string())),
            None => Err(ImportError::Store("no answer from the object store".to_owned())),
        }
    }

    async fn stage(&self, wanted: &Wanted) -> Result<Staged, ImportError> {
        let http = |source| ImportError::Http {
            url: wanted.url.clone(),
            source,
        };
        let wrong = |what: String| ImportError::Answer {
            url: wanted.url.clone(),
            what,
        };
        let mut response = self.client.get(&wanted.url).send().await.map_err(http)?;
        if response.status() != reqwest::StatusCode::OK {
            return Err(wrong(response.status().to_string()));
        }
        let length = response
            .content_length()
            .ok_or_else(|| wrong("Content-Length is missing".to_owned()))?;
        if let Some(size) = wanted.size.filter(|&size| size != length) {
            return Err(wrong(format!("{length} bytes, expected {size}")));
        }
        let (sender, mut receiver) = mpsc::channel::<bytes::Bytes>(CHUNKS);
        let backend = Arc::clone(self.objects.backend());
        let writer = tokio::task::spawn_blocking(move || {
            let mut staging = backend.stage()?;
            while let Some(chunk) = receiver.blocking_recv() {
                staging.write(&chunk)?;
            }
            staging.finish()
        });
        let mut received = 0;
        while let Some(chunk) = response.chunk().await.map_err(http)? {
            received += chunk.len() as u64;
            // Without a receiver the writer has failed; its error is told below.
            if sender.send(chunk).await.is_err() {
                break;
            }
        }
        drop(sender);
        let staged = match writer.await {
            Ok(Ok(staged)) => staged,
            Ok(Err(error)) => return Err(ImportError::Store(error.to_string())),
            Err(error) => return Err(ImportError::Store(error.to_string())),
        };
        if received != length {
            return Err(wrong(format!("{received} bytes of {length}")));
        }
        if staged.hash() != wanted.hash {
            return Err(wrong(format!(
                "hash mismatch. Computed={}, expected={}",
                staged.hash(),
                wanted.hash
            )));
        }
        Ok(staged)
    }
}
