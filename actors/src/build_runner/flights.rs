//! Which sources are being built now, so that builds that need the same one do not build it each.

use parking_lot::{Condvar, Mutex};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// How often somebody who waits looks whether he is to end.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// What one image of a source would be as good as another for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SourceKey {
    pub(crate) stream: String,
    pub(crate) branch: String,
    pub(crate) variables: BTreeMap<String, String>,
}

/// The sources that are being built.
#[derive(Default)]
pub(crate) struct Flights {
    building: Mutex<BTreeSet<SourceKey>>,
    landed: Condvar,
}

/// Somebody builds this source, as long as it lives.
pub(crate) struct Flight {
    flights: Arc<Flights>,
    key: SourceKey,
}

impl Flights {
    /// Takes a source on; nothing if somebody else builds it.
    pub(crate) fn begin(self: &Arc<Self>, key: &SourceKey) -> Option<Flight> {
        self.building.lock().insert(key.clone()).then(|| Flight {
            flights: self.clone(),
            key: key.clone(),
        })
    }

    /// Blocks until nobody builds this source any more; false if `is_over` said so before.
    pub(crate) fn wait(&self, key: &SourceKey, is_over: impl Fn() -> bool) -> bool {
        let mut building = self.building.lock();
        while building.contains(key) {
            if is_over() {
                return false;
            }
            self.landed.wait_for(&mut building, LOOK_EVERY);
        }
        true
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        self.flights.building.lock().remove(&self.key);
        self.flights.landed.notify_all();
    }
}
