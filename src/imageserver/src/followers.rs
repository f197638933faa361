//! Who follows our changes: replicas, and whatever else keeps `GetImageUpdates` open.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use jiff::Timestamp;
use parking_lot::Mutex;

/// Followers that have left which are remembered.
const LEFT_MOST: usize = 20;

/// One follower, now or until it left.
#[derive(Clone, Debug)]
pub(crate) struct Follower {
    /// Its address.
    pub(crate) peer: String,
    /// Who it is by its certificate; empty for nobody.
    pub(crate) username: String,
    pub(crate) connected_at: Timestamp,
    /// It is told of expiring images as well.
    pub(crate) wants_expiring: bool,
    /// It has the list of what there was when it came.
    pub(crate) has_list: bool,
    /// Changes it was told.
    pub(crate) told: u64,
    /// Changes that wait to be told.
    pub(crate) waiting: u64,
    pub(crate) last_told_at: Option<Timestamp>,
    pub(crate) left_at: Option<Timestamp>,
    /// Why it left, if it was not its own wish.
    pub(crate) error: Option<String>,
}

/// All followers.
#[derive(Default)]
pub(crate) struct Followers {
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    last: u64,
    here: BTreeMap<u64, Follower>,
    left: VecDeque<Follower>,
}

/// Keeps a follower in the list; dropping it moves it among those that have left.
pub(crate) struct Following {
    followers: Arc<Followers>,
    id: u64,
}

impl Followers {
    /// A new follower.
    pub(crate) fn join(self: &Arc<Self>, peer: String, username: String, wants_expiring: bool) -> Following {
        let mut inner = self.inner.lock();
        inner.last += 1;
        let id = inner.last;
        let follower = Follower {
            peer,
            username,
            connected_at: Timestamp::now(),
            wants_expiring,
            has_list: false,
            told: 0,
            waiting: 0,
            last_told_at: None,
            left_at: None,
            error: None,
        };
        inner.here.insert(id, follower);
        Following {
            followers: Arc::clone(self),
            id,
        }
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.inner.lock().here.len()
    }

    /// Changes that the slowest has not been told.
    pub(crate) fn most_waiting(&self) -> u64 {
        let inner = self.inner.lock();
        inner
            .here
            .values()
            .map(|follower| follower.waiting)
            .max()
            .unwrap_or(0)
    }

    /// Those that are here, oldest first, and those that have left, last first.
    pub(crate) fn all(&self) -> (Vec<Follower>, Vec<Follower>) {
        let inner = self.inner.lock();
        (
            inner.here.values().cloned().collect(),
            inner.left.iter().rev().cloned().collect(),
        )
    }
}

impl Following {
    fn change(&self, change: impl FnOnce(&mut Follower)) {
        if let Some(follower) = self.followers.inner.lock().here.get_mut(&self.id) {
            change(follower);
        }
    }

    /// It has the list.
    pub(crate) fn listed(&self) {
        self.change(|follower| follower.has_list = true);
    }

    /// It was told of a change, or one did not concern it; so many wait.
    pub(crate) fn told(&self, changes: u64, waiting: usize) {
        self.change(|follower| {
            follower.told += changes;
            follower.waiting = waiting as u64;
            if changes > 0 {
                follower.last_told_at = Some(Timestamp::now());
            }
        });
    }

    /// It leaves for this reason.
    pub(crate) fn failed(&self, error: &str) {
        self.change(|follower| follower.error = Some(error.to_owned()));
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        let mut inner = self.followers.inner.lock();
        let Some(mut follower) = inner.here.remove(&self.id) else {
            return;
        };
        follower.left_at = Some(Timestamp::now());
        if inner.left.len() == LEFT_MOST {
            inner.left.pop_front();
        }
        inner.left.push_back(follower);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_leaves_is_remembered_with_the_reason_for_a_while() {
        let followers = Arc::new(Followers::default());
        let stays = followers.join("stays:1".to_owned(), "replica".to_owned(), true);
        stays.listed();
        stays.told(2, 7);
        for number in 0..LEFT_MOST + 5 {
            let leaves = followers.join(format!("leaves:{number}"), String::new(), false);
            leaves.failed("too slow");
        }
        assert_eq!((followers.count(), followers.most_waiting()), (1, 7));
        let (here, left) = followers.all();
        assert_eq!((here[0].told, here[0].has_list, left.len()), (2, true, LEFT_MOST));
        assert_eq!(left[0].peer, format!("leaves:{}", LEFT_MOST + 4));
        assert_eq!(left[0].error.as_deref(), Some("too slow"));
        assert!(left.iter().all(|follower| follower.left_at.is_some()));
    }
}
