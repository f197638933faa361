//! What cycles know of streams, whoever found it out.

use super::Cycles;
use std::collections::BTreeMap;
use std::time::SystemTime;

impl Cycles {
    /// These sources were read; of other streams that are there what was known before holds.
    pub(in super::super) fn take_sources(
        &mut self,
        read: BTreeMap<String, String>,
        is_there: impl Fn(&str) -> bool,
    ) {
        self.sources.retain(|stream, _| is_there(stream));
        self.sources.extend(read);
    }

    /// An image was made as automatic rebuilds make it, from the default branch and without variables: whatever was wrong is
    /// not so any more.
    pub(in super::super) fn went_well(&mut self, stream: &str, at: SystemTime) {
        self.failures.remove(stream);
        self.good.insert(stream.to_owned(), at);
    }

    /// Nothing else is kept of this stream.
    pub(in super::super) fn forget(&mut self, stream: &str) {
        self.good.remove(stream);
    }

    /// When the newest image of [that kind](Self::went_well) was made in this life of the daemon.
    pub(in super::super) fn last_good(&self, stream: &str) -> Option<SystemTime> {
        self.good.get(stream).copied()
    }

    pub(super) fn source_of(&self, stream: &str) -> Option<&str> {
        self.sources.get(stream).map(String::as_str)
    }
}
