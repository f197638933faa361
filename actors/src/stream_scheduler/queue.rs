//! Who is next: a queue in which requesters take turns.
//!
//! Each requester has a lane, and the automatic builds together have one. Of the lanes in which something waits, the one with the
//! fewest running builds is served; among these the one that was served longest ago. So nobody's hundred builds hold up another's
//! one, and neither requests nor automatic builds starve each other.

use std::collections::{BTreeMap, VecDeque};

/// Lanes whose last turn is remembered although nothing waits in them.
const TURNS_REMEMBERED: usize = 1024;

/// A requester; `None` is the automatic builds.
pub(super) type Lane = Option<String>;

/// Numbers of builds, in lanes.
#[derive(Debug, Clone, Default)]
pub(super) struct Queue {
    lanes: BTreeMap<Lane, VecDeque<u64>>,
    /// When each lane was served last, in turns.
    served: BTreeMap<Lane, u64>,
    turn: u64,
}

impl Queue {
    /// Builds that wait in a lane.
    pub(super) fn len_of(&self, lane: &Lane) -> usize {
        self.lanes.get(lane).map_or(0, VecDeque::len)
    }

    /// Behind all others of its lane. A build may wait in several lanes: it is taken when it is its turn in one.
    pub(super) fn push(&mut self, lane: Lane, number: u64) {
        let waiting = self.lanes.entry(lane).or_default();
        if !waiting.contains(&number) {
            waiting.push_back(number);
        }
    }

    /// Before all others of its lane, and with the lane's turn not used: for one that was taken and not begun.
    pub(super) fn put_back(&mut self, lane: Lane, number: u64) {
        self.served.remove(&lane);
        self.lanes.entry(lane).or_default().push_front(number);
    }

    /// Takes one out; false if it does not wait.
    pub(super) fn remove(&mut self, number: u64) -> bool {
        let mut found = false;
        self.lanes.retain(|_, waiting| {
            let before = waiting.len();
            waiting.retain(|other| *other != number);
            found |= waiting.len() < before;
            !waiting.is_empty()
        });
        found
    }

    /// The next, and the lane whose turn it was, given how many builds of a lane are running.
    pub(super) fn pop(&mut self, running: impl Fn(&Lane) -> usize) -> Option<(Lane, u64)> {
        let turn_of = |lane: &Lane, waiting: &VecDeque<u64>| {
            let served = self.served.get(lane).copied().unwrap_or(0);
            // Of two that were never served, who came first.
            (running(lane), served, waiting.front().copied())
        };
        let (lane, _) = self
            .lanes
            .iter()
            .min_by_key(|(lane, waiting)| turn_of(lane, waiting))?;
        let lane = lane.clone();
        let number = *self.lanes.get(&lane)?.front()?;
        self.remove(number);
        self.turn += 1;
        self.served.insert(lane.clone(), self.turn);
        self.forget_turns();
        Some((lane, number))
    }

    /// All that wait in the order of their turns, if nothing else comes and all builds take the same time.
    pub(super) fn order(&self, running: impl Fn(&Lane) -> usize) -> Vec<u64> {
        let mut rest = self.clone();
        let mut taken: BTreeMap<Lane, usize> = BTreeMap::new();
        let mut order = Vec::new();
        while let Some((lane, number)) =
            rest.pop(|lane| running(lane) + taken.get(lane).copied().unwrap_or(0))
        {
            *taken.entry(lane).or_default() += 1;
            order.push(number);
        }
        order
    }

    fn forget_turns(&mut self) {
        while self.served.len() > TURNS_REMEMBERED {
            let idle = self
                .served
                .iter()
                .filter(|(lane, _)| !self.lanes.contains_key(lane));
            let Some(oldest) = idle.min_by_key(|(_, turn)| **turn).map(|(lane, _)| lane.clone()) else {
                return;
            };
            self.served.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn lane(name: &str) -> Lane {
        Some(name.to_owned())
    }

    #[test]
    fn two_who_ask_for_five_each_take_turns_whoever_came_first() {
        let mut queue = Queue::default();
        (1..=5).for_each(|number| queue.push(lane("early"), number));
        (6..=10).for_each(|number| queue.push(lane("late"), number));
        assert_eq!(queue.order(|_| 0), [1, 6, 2, 7, 3, 8, 4, 9, 5, 10]);
    }

    #[test]
    fn who_has_more_running_comes_later_and_who_comes_again_does_not_come_before_who_waits() {
        let mut queue = Queue::default();
        queue.push(lane("a"), 1);
        queue.push(lane("b"), 2);
        let busy = |lane: &Lane| usize::from(*lane == self::lane("a"));
        assert_eq!(queue.pop(busy), Some((lane("b"), 2)));
        // `b` was served and asks at once again; `a` waits since before.
        queue.push(lane("b"), 3);
        assert_eq!(queue.pop(|_| 0), Some((lane("a"), 1)));
        assert_eq!(queue.pop(|_| 0), Some((lane("b"), 3)));
        assert_eq!(queue.pop(|_| 0), None);
    }

    #[test]
    fn what_two_wait_for_comes_with_the_first_turn_of_either() {
        let mut queue = Queue::default();
        (1..=5).for_each(|number| queue.push(None, number));
        queue.push(lane("user"), 5);
        assert_eq!(queue.order(|_| 0), [1, 5, 2, 3, 4]);
        assert!(queue.remove(5));
        assert_eq!(queue.order(|_| 0), [1, 2, 3, 4]);
    }

    #[test]
    fn automatic_builds_and_requests_do_not_starve_each_other() {
        let mut queue = Queue::default();
        (1..=100).for_each(|number| queue.push(None, number));
        (101..=200).for_each(|number| queue.push(lane("user"), number));
        let order = queue.order(|_| 0);
        let automatic = order[..20].iter().filter(|number| **number <= 100).count();
        assert_eq!(automatic, 10);
    }

    #[test]
    fn what_was_taken_and_not_begun_is_next_again() {
        let mut queue = Queue::default();
        [(None, 1), (lane("a"), 2), (lane("a"), 3)]
            .into_iter()
            .for_each(|(lane, number)| queue.push(lane, number));
        assert_eq!(queue.pop(|_| 0), Some((None, 1)));
        assert_eq!(queue.pop(|_| 0), Some((lane("a"), 2)));
        queue.put_back(lane("a"), 2);
        assert_eq!(queue.order(|_| 0), [2, 3]);
    }

    proptest! {
        #[test]
        fn every_build_gets_its_turn_once_and_nobody_waits_for_two_turns_of_another(
            pushes in proptest::collection::vec(0_u8..4, 1..60),
        ) {
            let mut queue = Queue::default();
            for (number, user) in (0_u64..).zip(&pushes) {
                queue.push((*user > 0).then(|| user.to_string()), number);
            }
            let order = queue.order(|_| 0);
            let mut sorted = order.clone();
            sorted.sort_unstable();
            prop_assert_eq!(sorted, (0..pushes.len() as u64).collect::<Vec<_>>());
            let user = |number: u64| pushes[usize::try_from(number).unwrap()];
            // While two lanes wait, their turns differ by one at most.
            for (at, _) in order.iter().enumerate() {
                let done = |of: u8| order[..at].iter().filter(|number| user(**number) == of).count();
                let left = |of: u8| order[at..].iter().any(|number| user(*number) == of);
                let counts: Vec<usize> = (0..4).filter(|of| left(*of)).map(done).collect();
                let (least, most) = (counts.iter().min().unwrap(), counts.iter().max().unwrap());
                prop_assert!(most - least <= 1, "{:?} at {}", order, at);
            }
        }
    }
}
