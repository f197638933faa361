//! Names of images that are to be published, in order, and those that failed.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::time::Duration;
use tokio::time::Instant;

/// Longest pause before another try.
const LONGEST_PAUSE: Duration = Duration::from_secs(3600);

/// No more names than the image server has.
#[derive(Debug)]
pub(super) struct Queue {
    waiting: VecDeque<String>,
    /// Those that wait, failed, or are in hand: none is taken in twice.
    known: HashSet<String>,
    failed: BTreeMap<String, Failed>,
    first_pause: Duration,
}

#[derive(Debug)]
struct Failed {
    due: Instant,
    pause: Duration,
    why: String,
    is_in_hand: bool,
}

impl Queue {
    pub(super) fn new(first_pause: Duration) -> Queue {
        Queue {
            waiting: VecDeque::new(),
            known: HashSet::new(),
            failed: BTreeMap::new(),
            first_pause,
        }
    }

    /// Takes a name in; false if it is known.
    pub(super) fn add(&mut self, name: String) -> bool {
        let is_new = self.known.insert(name.clone());
        if is_new {
            self.waiting.push_back(name);
        }
        is_new
    }

    /// Begins anew: what was in hand of an earlier incarnation will be told again.
    pub(super) fn clear(&mut self) {
        *self = Queue::new(self.first_pause);
    }

    /// The next one to do, or until when there is none.
    pub(super) fn next(&mut self, now: Instant) -> Result<String, Option<Instant>> {
        if let Some(name) = self.waiting.pop_front() {
            return Ok(name);
        }
        let idle = self.failed.iter_mut().filter(|(_, failed)| !failed.is_in_hand);
        match idle.min_by_key(|(_, failed)| failed.due) {
            Some((name, failed)) if failed.due <= now => {
                failed.is_in_hand = true;
                Ok(name.clone())
            }
            Some((_, failed)) => Err(Some(failed.due)),
            None => Err(None),
        }
    }

    /// It is done, or need not be.
    pub(super) fn done(&mut self, name: &str) {
        self.known.remove(name);
        self.failed.remove(name);
    }

    /// It failed and is tried again later, each time after twice the pause.
    pub(super) fn failed(&mut self, name: String, why: String, now: Instant) {
        // The image server has it no more: it was forgotten meanwhile.
        if !self.known.contains(&name) {
            return;
        }
        let pause = match self.failed.get(&name) {
            Some(failed) => (failed.pause * 2).min(LONGEST_PAUSE),
            None => self.first_pause,
        };
        let failed = Failed {
            due: now + pause,
            pause,
            why,
            is_in_hand: false,
        };
        self.failed.insert(name, failed);
    }

    /// The image server has it no more.
    pub(super) fn forget(&mut self, name: &str) {
        self.done(name);
        self.waiting.retain(|waiting| waiting != name);
    }

    pub(super) fn len(&self) -> usize {
        self.known.len()
    }

    pub(super) fn failing(&self) -> Vec<(String, String)> {
        let failing = self.failed.iter();
        failing
            .map(|(name, failed)| (name.clone(), failed.why.clone()))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fails_waits_longer_each_time_and_does_not_hold_up_the_rest() {
        let mut queue = Queue::new(Duration::from_secs(60));
        let now = Instant::now();
        assert!(queue.add("a".to_owned()) && queue.add("b".to_owned()) && !queue.add("a".to_owned()));
        assert_eq!(queue.next(now), Ok("a".to_owned()));
        queue.failed("a".to_owned(), "no".to_owned(), now);
        assert_eq!(queue.next(now), Ok("b".to_owned()));
        queue.done("b");
        let due = now + Duration::from_secs(60);
        assert_eq!(queue.next(now), Err(Some(due)));
        assert_eq!(queue.next(due), Ok("a".to_owned()));
        // In hand: nobody else gets it.
        assert_eq!(queue.next(due), Err(None));
        queue.failed("a".to_owned(), "no".to_owned(), due);
        assert_eq!(queue.next(due), Err(Some(due + Duration::from_secs(120))));
        assert_eq!(queue.failing(), [("a".to_owned(), "no".to_owned())]);
        queue.forget("a");
        queue.failed("a".to_owned(), "no".to_owned(), due);
        assert_eq!((queue.len(), queue.next(due)), (0, Err(None)));
    }
}
