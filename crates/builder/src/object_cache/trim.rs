//! Not more than there may be.

use super::ObjectCache;

/// After trimming there are so many percent of what there may be, so that not every build has to trim.
const KEPT_PERCENT: u64 = 90;

impl ObjectCache {
    /// If there is too much, removes what was not used for the longest time. A build that was about to use it fetches it.
    pub fn trim(&self) {
        let mut table = self.table.lock();
        if table.bytes <= self.most_bytes {
            return;
        }
        let kept = self.most_bytes / 100 * KEPT_PERCENT;
        let mut by_use: Vec<_> = table
            .entries
            .iter()
            .map(|(hash, entry)| (entry.used, *hash))
            .collect();
        by_use.sort_unstable();
        let mut removed = Vec::new();
        for (_, hash) in by_use {
            if table.bytes <= kept {
                break;
            }
            table.forget(&hash);
            removed.push(hash);
        }
        drop(table);
        for hash in &removed {
            self.remove(hash);
        }
        tracing::info!(
            "object cache {}: removed {} objects that were not used for the longest time",
            self.path.display(),
            removed.len()
        );
    }
}
