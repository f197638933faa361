//! Pauses that grow.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

/// Doubles from the first to the longest pause. Each is cut by a random part of up to half: a hundred replicas that lost
/// their upstream together do not come back together.
#[derive(Debug)]
pub(crate) struct Backoff {
    first: Duration,
    longest: Duration,
    next: Duration,
}

impl Backoff {
    pub(crate) fn new(first: Duration, longest: Duration) -> Backoff {
        let longest = longest.max(first);
        Backoff {
            first,
            longest,
            next: first,
        }
    }

    /// The pause to make now.
    pub(crate) fn pause(&mut self) -> Duration {
        let whole = self.next;
        self.next = (whole * 2).min(self.longest);
        // Seeded anew for each value, which is random enough for this.
        let random = RandomState::new().hash_one(0_u8) % 512;
        whole - whole * u32::try_from(random).unwrap_or(0) / 1024
    }

    /// It went well: the next trouble is a new one.
    pub(crate) fn reset(&mut self) {
        self.next = self.first;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest_and_are_never_cut_by_more_than_half() {
        let mut backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(5));
        for whole in [1, 2, 4, 5, 5] {
            let whole = Duration::from_secs(whole);
            let pause = backoff.pause();
            assert!(pause <= whole && pause >= whole / 2, "{pause:?} of {whole:?}");
        }
        backoff.reset();
        assert!(backoff.pause() <= Duration::from_secs(1));
    }
}
