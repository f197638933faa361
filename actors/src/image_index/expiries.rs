//! When which name expires, in both directions.

use gob::Time;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// Expirations that were noted and have not come. One name may have several: each time it was extended.
#[derive(Default)]
pub(super) struct Expiries {
    by_time: BTreeSet<(Time, Arc<str>)>,
    by_name: HashMap<Arc<str>, Vec<Time>>,
}

impl Expiries {
    pub(super) fn insert(&mut self, at: Time, name: Arc<str>) {
        if self.by_time.insert((at, name.clone())) {
            self.by_name.entry(name).or_default().push(at);
        }
    }

    /// The earliest.
    pub(super) fn first(&self) -> Option<Time> {
        self.by_time.first().map(|(at, _)| *at)
    }

    /// Takes out the earliest if it has come.
    pub(super) fn pop_due(&mut self, now: Time) -> Option<Arc<str>> {
        if self.first()? > now {
            return None;
        }
        let (at, name) = self.by_time.pop_first()?;
        if let Some(times) = self.by_name.get_mut(&name) {
            times.retain(|other| *other != at);
            if times.is_empty() {
                self.by_name.remove(&name);
            }
        }
        Some(name)
    }

    /// Another image gets this name: what was noted for earlier ones must not end its tombstone.
    pub(super) fn forget(&mut self, name: &Arc<str>) {
        for at in self.by_name.remove(name).unwrap_or_default() {
            self.by_time.remove(&(at, name.clone()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gob::Zone;

    #[test]
    fn what_is_forgotten_does_not_come_and_the_rest_comes_in_order() {
        let at = |seconds| Time::new(seconds, 0, Zone::Utc);
        let mut expiries = Expiries::default();
        for (seconds, name) in [(3, "a"), (1, "b"), (2, "a"), (2, "a"), (4, "c")] {
            expiries.insert(at(seconds), name.into());
        }
        assert_eq!(expiries.pop_due(at(0)), None);
        assert_eq!(expiries.pop_due(at(2)).as_deref(), Some("b"));
        assert_eq!(expiries.pop_due(at(2)).as_deref(), Some("a"));
        expiries.forget(&"a".into());
        assert_eq!(expiries.first(), Some(at(4)));
        assert_eq!(expiries.pop_due(at(9)).as_deref(), Some("c"));
        assert_eq!(expiries.first(), None);
        assert!(expiries.by_name.is_empty());
    }
}
