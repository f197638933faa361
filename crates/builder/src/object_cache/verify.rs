//! Objects are compared with their names before their first use, many at once and on all cores.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use hash::{Hash, Hasher};
use parking_lot::Mutex;
use rustix::fs::fstat;
use tree_io::Cancel;

use super::{Near, ObjectCache, Stamp, now};

/// Objects up to this many bytes are read whole, larger ones piece by piece.
const WHOLE_BYTES: u64 = 1 << 20;

/// Bytes a thread gathers before it names them.
const BATCH_BYTES: usize = 1 << 20;

/// Objects a thread gathers at most.
const BATCH_OBJECTS: usize = 128;

impl ObjectCache {
    /// Those of `wanted`, names with sizes in bytes, that are here and good. They count as used now.
    ///
    /// # Errors
    /// Cancelled.
    pub fn near(self: &Arc<Self>, wanted: &[(Hash, u64)], cancel: &Cancel) -> Result<Near, tree_io::Error> {
        let mut objects = HashMap::with_capacity(wanted.len());
        let mut unverified = Vec::new();
        let mut table = self.table.lock();
        for (hash, size) in wanted {
            let Some(entry) = table.entries.get_mut(hash) else {
                continue;
            };
            entry.used = now();
            match entry.verified {
                // The size in the tree is what the image says; a file of another size is never the object.
                Some(stamp) if stamp.size == *size => {
                    objects.insert(*hash, stamp);
                }
                _ => unverified.push((*hash, *size)),
            }
        }
        drop(table);
        let verified = self.verify(&unverified, cancel)?;
        let mut table = self.table.lock();
        for (hash, stamp) in verified {
            if let Some(entry) = table.entries.get_mut(&hash) {
                entry.verified = Some(stamp);
                objects.insert(hash, stamp);
            }
        }
        drop(table);
        self.hits.fetch_add(objects.len() as u64, Ordering::Relaxed);
        let misses = wanted.len().saturating_sub(objects.len());
        self.misses.fetch_add(misses as u64, Ordering::Relaxed);
        Ok(Near {
            cache: Arc::clone(self),
            objects,
        })
    }

    fn verify(&self, wanted: &[(Hash, u64)], cancel: &Cancel) -> Result<Vec<(Hash, Stamp)>, tree_io::Error> {
        let next = AtomicUsize::new(0);
        let good = Mutex::new(Vec::with_capacity(wanted.len()));
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        std::thread::scope(|scope| {
            for _ in 0..threads.min(wanted.len() / BATCH_OBJECTS + 1) {
                scope.spawn(|| self.verify_some(wanted, &next, &good, cancel));
            }
        });
        cancel.check()?;
        Ok(good.into_inner())
    }

    /// A thread's part: takes objects until there are no more.
    fn verify_some(
        &self,
        wanted: &[(Hash, u64)],
        next: &AtomicUsize,
        good: &Mutex<Vec<(Hash, Stamp)>>,
        cancel: &Cancel,
    ) {
        let mut batch: Vec<(Hash, Stamp, Vec<u8>)> = Vec::new();
        let mut bytes = 0;
        while !cancel.is_cancelled() {
            let Some((hash, size)) = wanted.get(next.fetch_add(1, Ordering::Relaxed)) else {
                break;
            };
            match self.read(hash, *size) {
                Some(Content::Whole(stamp, data)) => {
                    bytes += data.len();
                    batch.push((*hash, stamp, data));
                }
                Some(Content::Named(stamp, computed)) => self.judge(*hash, stamp, computed, good),
                None => self.remove(hash),
            }
            if bytes >= BATCH_BYTES || batch.len() >= BATCH_OBJECTS {
                bytes = 0;
                self.name(&mut batch, good);
            }
        }
        self.name(&mut batch, good);
    }

    fn name(&self, batch: &mut Vec<(Hash, Stamp, Vec<u8>)>, good: &Mutex<Vec<(Hash, Stamp)>>) {
        let contents: Vec<&[u8]> = batch.iter().map(|(_, _, data)| data.as_slice()).collect();
        let names = hash::of_each(&contents);
        for ((hash, stamp, _), computed) in batch.drain(..).zip(names) {
            self.judge(hash, stamp, computed, good);
        }
    }

    fn judge(&self, hash: Hash, stamp: Stamp, computed: Hash, good: &Mutex<Vec<(Hash, Stamp)>>) {
        if hash == computed {
            good.lock().push((hash, stamp));
        } else {
            tracing::warn!(
                "object cache {}: {hash} was damaged, removed it",
                self.path.display()
            );
            self.remove(&hash);
        }
    }

    /// Nothing if it is not there as it should be.
    fn read(&self, hash: &Hash, size: u64) -> Option<Content> {
        let mut file = self.open_object(hash).ok()?;
        let stamp = Stamp::of(&fstat(&file).ok()?);
        if stamp.size != size {
            return None;
        }
        if size > WHOLE_BYTES {
            return Some(Content::Named(stamp, name_of(&mut file)?));
        }
        let mut data = vec![0; usize::try_from(size).ok()?];
        file.read_exact(&mut data).ok()?;
        Some(Content::Whole(stamp, data))
    }
}

/// An object that was read.
enum Content {
    /// All of it, still to be named.
    Whole(Stamp, Vec<u8>),
    /// Named on the way.
    Named(Stamp, Hash),
}

fn name_of(file: &mut File) -> Option<Hash> {
    let mut piece = vec![0; BATCH_BYTES];
    let mut hasher = Hasher::new();
    loop {
        match file.read(&mut piece).ok()? {
            0 => return Some(hasher.finish()),
            count => hasher.update(&piece[..count]),
        }
    }
}
