//! Which objects are being fetched already: images that come together share most of theirs, and each object comes once.

use super::objects::Wanted;
use hash::Hash;
use parking_lot::Mutex;
use std::collections::HashSet;
use tokio::sync::Notify;

#[derive(Default)]
pub(super) struct Claims {
    claimed: Mutex<HashSet<Hash>>,
    released: Notify,
}

/// Objects that are fetched by who holds this. Released when it is dropped, fetched or not.
pub(super) struct Claimed<'a> {
    claims: &'a Claims,
    objects: Vec<Wanted>,
}

impl Claims {
    /// Takes those that nobody is fetching. The others are returned: to be [waited for](Self::wait), and looked for again.
    pub(super) fn claim(&self, wanted: Vec<Wanted>) -> (Claimed<'_>, Vec<Hash>) {
        let mut claimed = self.claimed.lock();
        let (mut objects, mut others) = (Vec::new(), Vec::new());
        for (hash, size) in wanted {
            if claimed.insert(hash) {
                objects.push((hash, size));
            } else {
                others.push(hash);
            }
        }
        let claims = self;
        (Claimed { claims, objects }, others)
    }

    /// Returns when nobody is fetching any of these. To be called with nothing claimed: two who wait for each other would
    /// wait for ever.
    pub(super) async fn wait(&self, hashes: &[Hash]) {
        loop {
            let released = self.released.notified();
            tokio::pin!(released);
            // From here on, so that a release between the look and the wait is not missed.
            released.as_mut().enable();
            if self.are_free(hashes) {
                return;
            }
            released.await;
        }
    }

    fn are_free(&self, hashes: &[Hash]) -> bool {
        let claimed = self.claimed.lock();
        !hashes.iter().any(|hash| claimed.contains(hash))
    }
}

impl Claimed<'_> {
    pub(super) fn objects(&self) -> &[Wanted] {
        &self.objects
    }
}

impl Drop for Claimed<'_> {
    fn drop(&mut self) {
        if self.objects.is_empty() {
            return;
        }
        let mut claimed = self.claims.claimed.lock();
        for (hash, _) in &self.objects {
            claimed.remove(hash);
        }
        drop(claimed);
        self.claims.released.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn each_object_is_claimed_once_and_waited_for_by_others() {
        let claims = Claims::default();
        let [a, b] = [b"a", b"b"].map(|content| hash::of(content));
        let (first, others) = claims.claim(vec![(a, 1)]);
        assert_eq!((first.objects(), &*others), (&[(a, 1)][..], &[][..]));
        let (second, others) = claims.claim(vec![(a, 1), (b, 1)]);
        assert_eq!((second.objects(), &*others), (&[(b, 1)][..], &[a][..]));
        let mut waiting = Box::pin(claims.wait(&others));
        assert!(futures_util::poll!(&mut waiting).is_pending());
        drop(second);
        assert!(futures_util::poll!(&mut waiting).is_pending());
        drop(first);
        waiting.await;
    }
}
