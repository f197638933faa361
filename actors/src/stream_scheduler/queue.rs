//! Who is next: a queue in which requesters take turns.
//!
//! Each requester has a lane, and the automatic builds together have one. A lane has a count, which grows with each of its builds that
//! begins; the lane with the smallest is next. One in which something waits again, or for the first time, begins where the builds that
//! run now began, at least: so it makes up for what others have running, and not for the time in which it wanted nothing. A build that
//! runs for long holds that back by itself alone: nobody makes up for more turns than builds are running. This is fair queueing
//! by start tags, with several servers. So nobody's hundred builds hold up another's one, and neither requests
//! nor automatic builds starve each other.

use std::collections::{BTreeMap, VecDeque};

/// Lanes whose count is remembered although nothing waits or runs in them.
const LANES_REMEMBERED: usize = 1024;

/// A requester; `None` is the automatic builds.
pub(super) type Lane = Option<String>;

/// Numbers of builds, in lanes.
#[derive(Debug, Clone, Default)]
pub(super) struct Queue {
    lanes: BTreeMap<Lane, InLane>,
    /// Builds that were taken and have not ended: their lanes, and the counts with which they began.
    running: BTreeMap<u64, (Lane, u64)>,
    /// The highest count there was.
    highest: u64,
    turn: u64,
}

#[derive(Debug, Clone, Default)]
struct InLane {
    waiting: VecDeque<u64>,
    running: usize,
    /// The count.
    begun: u64,
    /// In which turn it was served last: of two with the same count, the one that waits for longer is next.
    turn: u64,
}

impl InLane {
    fn is_idle(&self) -> bool {
        self.waiting.is_empty() && self.running == 0
    }
}

impl Queue {
    /// Builds that wait in a lane.
    pub(super) fn len_of(&self, lane: &Lane) -> usize {
        self.lanes.get(lane).map_or(0, |in_lane| in_lane.waiting.len())
    }

    /// Behind all others of its lane. A build may wait in several lanes: it is taken when it is its turn in one.
    pub(super) fn push(&mut self, lane: Lane, number: u64) {
        let now = self.now();
        let in_lane = self.lanes.entry(lane).or_default();
        if in_lane.waiting.is_empty() {
            in_lane.begun = in_lane.begun.max(now);
        }
        if !in_lane.waiting.contains(&number) {
            in_lane.waiting.push_back(number);
        }
        self.forget_lanes();
    }

    /// Where a lane begins.
    fn now(&self) -> u64 {
        let oldest = self.running.values().map(|(_, began)| *began).min();
        let made_up_for = u64::try_from(self.running.len()).unwrap_or(u64::MAX);
        oldest
            .unwrap_or(self.highest)
            .max(self.highest.saturating_sub(made_up_for))
    }

    /// One that was taken and not begun: before all others of its lane, which has its turn again.
    pub(super) fn put_back(&mut self, number: u64) {
        if let Some((lane, began)) = self.running.remove(&number) {
            let in_lane = self.lanes.entry(lane).or_default();
            in_lane.running = in_lane.running.saturating_sub(1);
            in_lane.begun = began;
            in_lane.waiting.push_front(number);
        }
    }

    /// One that was taken has ended.
    pub(super) fn ended(&mut self, number: u64) {
        if let Some((lane, _)) = self.running.remove(&number) {
            let in_lane = self.lanes.entry(lane).or_default();
            in_lane.running = in_lane.running.saturating_sub(1);
        }
    }

    /// Takes one out that waits.
    pub(super) fn remove(&mut self, number: u64) {
        for in_lane in self.lanes.values_mut() {
            in_lane.waiting.retain(|other| *other != number);
        }
    }

    /// The next, and the lane whose turn it was.
    pub(super) fn pop(&mut self) -> Option<(Lane, u64)> {
        let first = |in_lane: &InLane| {
            let number = *in_lane.waiting.front()?;
            Some((in_lane.begun, in_lane.running, in_lane.turn, number))
        };
        let lanes = self.lanes.iter();
        let turns = lanes.filter_map(|(lane, in_lane)| Some((first(in_lane)?, lane)));
        let ((_, _, _, number), lane) = turns.min()?;
        let lane = lane.clone();
        self.remove(number);
        self.turn += 1;
        let in_lane = self.lanes.entry(lane.clone()).or_default();
        self.running.insert(number, (lane.clone(), in_lane.begun));
        in_lane.begun += 1;
        in_lane.running += 1;
        in_lane.turn = self.turn;
        self.highest = self.highest.max(in_lane.begun);
        Some((lane, number))
    }

    /// All that wait in the order of their turns, if nothing else comes and all builds take the same time.
    pub(super) fn order(&self) -> Vec<u64> {
        let mut rest = self.clone();
        rest.lanes.retain(|_, in_lane| !in_lane.waiting.is_empty());
        std::iter::from_fn(|| rest.pop())
            .map(|(_, number)| number)
            .collect()
    }

    fn forget_lanes(&mut self) {
        if self.lanes.len() <= LANES_REMEMBERED {
            return;
        }
        let idle = self.lanes.iter().filter(|(_, in_lane)| in_lane.is_idle());
        let oldest = idle.min_by_key(|(_, in_lane)| in_lane.turn);
        if let Some(oldest) = oldest.map(|(lane, _)| lane.clone()) {
            self.lanes.remove(&oldest);
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
        assert_eq!(queue.order(), [1, 6, 2, 7, 3, 8, 4, 9, 5, 10]);
    }

    #[test]
    fn who_comes_late_makes_up_for_what_others_have_running_and_for_no_more() {
        let mut queue = Queue::default();
        (1..=3).for_each(|number| queue.push(lane("early"), number));
        // Two of three were served and have ended, the third runs, when the other comes.
        let early = |number| Some((lane("early"), number));
        assert_eq!(
            (queue.pop(), queue.pop(), queue.pop()),
            (early(1), early(2), early(3))
        );
        queue.ended(1);
        queue.ended(2);
        (4..=5).for_each(|number| queue.push(lane("early"), number));
        (6..=9).for_each(|number| queue.push(lane("late"), number));
        assert_eq!(queue.order(), [6, 4, 7, 5, 8, 9]);
    }

    #[test]
    fn two_who_ask_again_and_again_do_not_starve_one_who_waits() {
        let mut queue = Queue::default();
        queue.push(lane("busy"), 1);
        queue.push(lane("waits"), 2);
        let mut served = vec![];
        for number in 3..20 {
            let (_, popped) = queue.pop().unwrap();
            served.push(popped);
            queue.push(lane(if number % 2 == 0 { "busy" } else { "bee" }), number);
            queue.ended(popped);
        }
        assert!(served[..4].contains(&2), "{served:?}");
    }

    #[test]
    fn what_two_wait_for_comes_with_the_first_turn_of_either() {
        let mut queue = Queue::default();
        (1..=5).for_each(|number| queue.push(None, number));
        queue.push(lane("user"), 5);
        assert_eq!(queue.order(), [1, 5, 2, 3, 4]);
        queue.remove(5);
        assert_eq!(queue.order(), [1, 2, 3, 4]);
    }

    #[test]
    fn automatic_builds_and_requests_do_not_starve_each_other() {
        let mut queue = Queue::default();
        (1..=100).for_each(|number| queue.push(None, number));
        (101..=200).for_each(|number| queue.push(lane("user"), number));
        let order = queue.order();
        let automatic = order[..20].iter().filter(|number| **number <= 100).count();
        assert_eq!(automatic, 10);
    }

    #[test]
    fn what_was_taken_and_not_begun_is_next_again() {
        let mut queue = Queue::default();
        [(None, 1), (lane("a"), 2), (lane("a"), 3)]
            .into_iter()
            .for_each(|(lane, number)| queue.push(lane, number));
        assert_eq!(queue.pop(), Some((None, 1)));
        assert_eq!(queue.pop(), Some((lane("a"), 2)));
        queue.put_back(2);
        assert_eq!(queue.order(), [2, 3]);
    }

    #[test]
    fn a_build_that_does_not_end_gives_nobody_a_hundred_turns() {
        let mut queue = Queue::default();
        queue.push(lane("long"), 1);
        queue.pop();
        for number in 100..200 {
            queue.push(None, number);
            assert_eq!(queue.pop(), Some((None, number)));
            queue.ended(number);
        }
        queue.push(None, 200);
        (300..400).for_each(|number| queue.push(lane("new"), number));
        let order = queue.order();
        let turn = order.iter().position(|number| *number == 200).unwrap();
        assert!(turn <= 2, "{order:?}");
    }

    /// What happens to a queue.
    #[derive(Debug, Clone, Copy)]
    enum Event {
        Push(u8),
        Pop,
        End(usize),
    }

    fn event() -> impl Strategy<Value = Event> {
        prop_oneof![
            3 => (0_u8..4).prop_map(Event::Push),
            2 => Just(Event::Pop),
            2 => (0_usize..8).prop_map(Event::End),
        ]
    }

    proptest! {
        #[test]
        fn while_somebody_waits_nobody_has_more_turns_than_places_and_one_beyond_his(
            places in 1_usize..4,
            events in proptest::collection::vec(event(), 1..300),
        ) {
            let mut queue = Queue::default();
            let named = |user: u8| (user > 0).then(|| user.to_string());
            // The first has a place of its own and never ends.
            queue.push(named(3), 0);
            queue.pop();
            let mut running: Vec<u64> = Vec::new();
            // For each who waits: the turns of all since he does.
            let mut since: BTreeMap<Lane, BTreeMap<Lane, usize>> = BTreeMap::new();
            for (number, event) in (1_u64..).zip(events) {
                match event {
                    Event::Push(user) => {
                        queue.push(named(user), number);
                        since.entry(named(user)).or_default();
                    }
                    Event::End(index) if index < running.len() => queue.ended(running.remove(index)),
                    Event::Pop if running.len() < places => {
                        let Some((lane, number)) = queue.pop() else { continue };
                        running.push(number);
                        for turns in since.values_mut() {
                            *turns.entry(lane.clone()).or_default() += 1;
                        }
                        since.retain(|lane, _| queue.len_of(lane) > 0);
                        for (waits, turns) in &since {
                            let own = turns.get(waits).copied().unwrap_or_default();
                            let most = turns.values().max().copied().unwrap_or_default();
                            prop_assert!(most <= own + places + 2, "{:?}: {:?}", waits, turns);
                        }
                    }
                    Event::End(_) | Event::Pop => {}
                }
            }
        }

        #[test]
        fn every_build_gets_its_turn_once_and_nobody_waits_for_two_turns_of_another(
            pushes in proptest::collection::vec(0_u8..4, 1..60),
        ) {
            let mut queue = Queue::default();
            for (number, user) in (0_u64..).zip(&pushes) {
                queue.push((*user > 0).then(|| user.to_string()), number);
            }
            let order = queue.order();
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
