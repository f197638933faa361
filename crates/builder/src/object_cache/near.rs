//! Objects that were verified, for one unpacking.

use std::collections::HashMap;
use std::fs::File;
use std::sync::Arc;

use hash::Hash;
use tree_io::NearObjects;

use super::{ObjectCache, Stamp};

/// Those of the objects of one image that are here and verified.
pub struct Near {
    pub(super) cache: Arc<ObjectCache>,
    pub(super) objects: HashMap<Hash, Stamp>,
}

impl Near {
    /// How many.
    pub fn len(&self) -> usize {
        self.objects.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.objects.is_empty()
    }

    /// Whether an object is among them.
    pub fn has(&self, hash: &Hash) -> bool {
        self.objects.contains_key(hash)
    }
}

impl NearObjects for Near {
    fn contains(&self, hash: &Hash) -> bool {
        self.objects.contains_key(hash)
    }

    fn open(&self, hash: &Hash, size: u64) -> Option<File> {
        let stamp = self.objects.get(hash).filter(|stamp| stamp.size == size)?;
        let file = self.cache.open_object(hash).ok()?;
        let stat = rustix::fs::fstat(&file).ok()?;
        (Stamp::of(&stat) == *stamp).then_some(file)
    }
}
