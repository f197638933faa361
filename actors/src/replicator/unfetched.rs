//! What the upstream announces and we do not have yet.

use parking_lot::RwLock;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Names with the cause of the last failure, if there was one. They are announced to our own followers as if the images
/// were here: a follower deletes what we do not announce.
#[derive(Default)]
pub(crate) struct Unfetched {
    names: RwLock<BTreeMap<Arc<str>, Option<String>>>,
}

impl Unfetched {
    /// The upstream announces it.
    pub(super) fn insert(&self, name: &Arc<str>) {
        self.names.write().entry(name.clone()).or_default();
    }

    /// It is here, or gone from the upstream.
    pub(super) fn remove(&self, name: &str) -> bool {
        self.names.write().remove(name).is_some()
    }

    pub(super) fn failed(&self, name: &Arc<str>, cause: String) {
        self.names.write().insert(name.clone(), Some(cause));
    }

    pub(super) fn len(&self) -> usize {
        self.names.read().len()
    }

    pub(super) fn names(&self) -> Vec<Arc<str>> {
        self.names.read().keys().cloned().collect()
    }

    pub(super) fn why(&self, name: &str) -> Option<String> {
        let names = self.names.read();
        let cause = names.get(name)?;
        Some(cause.clone().unwrap_or_else(|| "it is on its way".to_owned()))
    }

    /// A try to fetch it has failed.
    pub(super) fn has_failed(&self, name: &str) -> bool {
        self.names.read().get(name).is_some_and(Option::is_some)
    }
}
