//! Whole images, decoded when somebody asks, behind a cache bounded in bytes.

use super::codec::decode_image;
use super::entry::ImageEntry;
use super::{IndexError, Shared};
use hash::Hash;
use image::Image;
use lru::LruCache;
use parking_lot::Mutex;
use std::sync::Arc;
use std::time::Duration;
use storage::{Stamp, StorageError};
use tokio::sync::OnceCell;

/// Memory of a decoded image for each byte of its file. A regular inode takes 70 to 110 bytes in the file and about
/// 230 decoded, its directory entry included.
const DECODED_BYTES_PER_FILE_BYTE: u64 = 2;

/// How often reading starts anew because the image was changed meanwhile.
const ATTEMPTS: usize = 3;

/// Looks at an image whose file is not what it was, before that is called damage.
const DELETION_ATTEMPTS: usize = 10;

/// Between them.
const DELETION_PAUSE: Duration = Duration::from_millis(20);

type Cell = Arc<OnceCell<Arc<Image>>>;

/// The cache. A tree is decoded once, however many ask at the same time.
pub(crate) struct Trees {
    limit_bytes: u64,
    cache: Mutex<Cache>,
}

struct Cache {
    bytes: u64,
    by_name: LruCache<Arc<str>, Cached>,
}

struct Cached {
    checksum: Hash,
    bytes: u64,
    cell: Cell,
}

impl Trees {
    pub(crate) fn new(limit_bytes: u64) -> Trees {
        Trees {
            limit_bytes,
            cache: Mutex::new(Cache {
                bytes: 0,
                by_name: LruCache::unbounded(),
            }),
        }
    }

    pub(super) fn forget(&self, name: &str) {
        self.cache.lock().remove(name);
    }

    fn cell(&self, entry: &ImageEntry) -> Cell {
        let mut cache = self.cache.lock();
        if let Some(cached) = cache.by_name.get(&entry.name)
            && cached.checksum == entry.checksum
        {
            return cached.cell.clone();
        }
        cache.remove(&entry.name);
        let bytes = entry.stamp.size.saturating_mul(DECODED_BYTES_PER_FILE_BYTE);
        let cell = Cell::default();
        if bytes <= self.limit_bytes {
            cache.bytes += bytes;
            let cached = Cached {
                checksum: entry.checksum,
                bytes,
                cell: cell.clone(),
            };
            cache.by_name.put(entry.name.clone(), cached);
        }
        while cache.bytes > self.limit_bytes
            && let Some((_, evicted)) = cache.by_name.pop_lru()
        {
            cache.bytes -= evicted.bytes;
        }
        metrics::gauge!("imageserver_decoded_tree_bytes").set(cache.bytes as f64);
        cell
    }
}

impl Cache {
    fn remove(&mut self, name: &str) {
        if let Some(cached) = self.by_name.pop(name) {
            self.bytes -= cached.bytes;
        }
    }
}

/// An image with its tree.
pub(super) async fn image(shared: &Arc<Shared>, name: &str) -> Result<Option<Arc<Image>>, IndexError> {
    attempt(shared, name, |entry| async move {
        let cell = shared.trees.cell(&entry);
        let decoded = cell.get_or_try_init(|| decode(shared, &entry)).await?;
        Ok(decoded.clone())
    })
    .await
}

/// Does what takes the file of an image, which may be deleted or rewritten meanwhile.
pub(super) async fn attempt<T, F>(
    shared: &Arc<Shared>,
    name: &str,
    work: impl Fn(Arc<ImageEntry>) -> F,
) -> Result<Option<T>, IndexError>
where
    F: Future<Output = Result<T, IndexError>>,
{
    for attempt in 1.. {
        let Some(entry) = shared.snapshot.load().images.get(name).cloned() else {
            return Ok(None);
        };
        entry.usable()?;
        match work(entry.clone()).await {
            Ok(done) => return Ok(Some(done)),
            // Deleted, or its expiration changed, after we took the entry.
            Err(_) if attempt < ATTEMPTS && !is_current(shared, &entry) => {}
            // A deletion leaves its tombstone first and takes the entry away once that is durable.
            Err(IndexError::Damaged { .. }) if attempt < DELETION_ATTEMPTS => {
                tokio::time::sleep(DELETION_PAUSE).await;
            }
            Err(error) => {
                shared.trees.forget(name);
                tracing::error!("image {name}: {error}");
                return Err(error);
            }
        }
    }
    Ok(None)
}

fn is_current(shared: &Shared, entry: &Arc<ImageEntry>) -> bool {
    let snapshot = shared.snapshot.load();
    snapshot
        .images
        .get(&entry.name)
        .is_some_and(|current| Arc::ptr_eq(current, entry))
}

async fn decode(shared: &Arc<Shared>, entry: &Arc<ImageEntry>) -> Result<Arc<Image>, IndexError> {
    let (pool_shared, entry) = (shared.clone(), entry.clone());
    shared
        .pool
        .run(move || read(&pool_shared, &entry).map(Arc::new))
        .await?
}

/// Reads and decodes an image that the index knows; its content must be the one that was loaded. Blocks.
pub(super) fn read(shared: &Shared, entry: &ImageEntry) -> Result<Image, IndexError> {
    decode_read(entry, shared.directory.read(&entry.name))
}

/// The image of what reading its file gave.
pub(super) fn decode_read(
    entry: &ImageEntry,
    read: Result<(Vec<u8>, Stamp), StorageError>,
) -> Result<Image, IndexError> {
    let damaged = |cause: String| IndexError::Damaged {
        name: entry.name.to_string(),
        cause,
    };
    let content = match read {
        Ok((content, _)) => content,
        Err(StorageError::NotFound { .. }) => return Err(damaged("its file is gone".to_owned())),
        Err(StorageError::Tombstone { .. }) => return Err(damaged("its file is empty".to_owned())),
        Err(error) if error.is_damage() => return Err(damaged(format!("its file is unreadable: {error}"))),
        Err(error) => return Err(error.into()),
    };
    let (image, checksum) = decode_image(&entry.name, &content)?;
    if checksum != entry.checksum {
        return Err(damaged("its file was changed by somebody else".to_owned()));
    }
    Ok(image)
}
