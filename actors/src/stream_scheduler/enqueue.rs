//! Into the queue, and out of it before the turn has come.

use super::shared::{Shared, State, Waiting};
use super::{CancelError, RequestError, Ticket};
use crate::build_runner::{Build, BuildFailure, BuildOrder, Cancel, Why};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// Requests that wait at most, of all requesters. Automatic builds are bounded by the configuration.
pub const QUEUE_BUILDS: usize = 1000;

/// Requests of one requester that wait at most.
pub const QUEUE_BUILDS_PER_USER: usize = 100;

/// Requesters that are named with a build they joined.
const JOINED_NAMED: usize = 100;

impl Shared {
    /// Puts it behind those of the same requester, or joins an equal one.
    pub(super) fn enqueue(
        self: &Arc<Self>,
        order: BuildOrder,
        expires_in: Duration,
    ) -> Result<Ticket, RequestError> {
        let number = self.next();
        let now = self.now();
        let is_wanted = order.why.is_request() && !order.cancel_on_disconnect;
        let placed = self.change(|state| -> Result<(Arc<Build>, bool), RequestError> {
            if state.is_stopping {
                return Err(RequestError::Stopping);
            }
            let lane = lane_of(&order);
            if let Some(build) = state.join(&order, expires_in) {
                if let Some(waiting) = state.waiting.get_mut(&build.number) {
                    waiting.lanes.insert(lane.clone());
                    state.queue.push(lane, build.number);
                }
                *state.tickets.entry(build.number).or_default() += 1;
                if is_wanted {
                    build.set_wanted();
                }
                state.counts.joined += 1;
                return Ok((build, true));
            }
            if let Some(limit) = state.is_full(&lane) {
                return Err(RequestError::QueueFull(limit));
            }
            let build = Arc::new(Build::new(number, order, expires_in, now, &self.config.spool_dir));
            if is_wanted {
                build.set_wanted();
            }
            let waiting = Waiting {
                build: build.clone(),
                lanes: BTreeSet::from([lane.clone()]),
            };
            state.waiting.insert(number, waiting);
            state.queue.push(lane, number);
            state.tickets.insert(number, 1);
            Ok((build, false))
        });
        let (build, has_joined) = placed?;
        if has_joined {
            metrics::counter!("imaginator_requests_joined_total").increment(1);
        }
        self.wake.notify_one();
        Ok(Ticket {
            build,
            shared: Some(self.clone()),
            has_joined,
        })
    }

    /// A request was refused.
    pub(super) fn refused(&self) {
        self.change(|state| state.counts.refused += 1);
        metrics::counter!("imaginator_requests_refused_total").increment(1);
    }

    /// Ends a build that waits or runs.
    pub(super) fn cancel(&self, number: u64, reason: String) -> Result<(), CancelError> {
        let (build, is_waiting, runner) = self.change(|state| {
            let build = state.find(number);
            if let Some(build) = &build {
                // Nobody joins it any more, however long what follows takes.
                build.set_ending();
            }
            let is_waiting = state.waiting.remove(&number).is_some();
            state.queue.remove(number);
            let place = state.places.iter().find(|place| place.build.number == number);
            (build, is_waiting, place.and_then(|place| place.runner.clone()))
        });
        let build = build.ok_or(CancelError::Unknown(number))?;
        tracing::info!("Build {number} of {}: {reason}", build.stream());
        if is_waiting {
            self.end_waiting(&build, &reason);
            return Ok(());
        }
        match runner.map(|runner| {
            runner.try_send(Cancel {
                reason: reason.clone(),
            })
        }) {
            Some(Ok(())) => {}
            // Not there yet, or no more: what the build itself asks says the same.
            _ => {
                build.cancellation.cancel(reason);
            }
        }
        Ok(())
    }

    /// The end of a build that is not in the queue any more and has not begun.
    pub(super) fn end_waiting(&self, build: &Arc<Build>, reason: &str) {
        build.log.append(format!("Build failed: {reason}\n").as_bytes());
        build.end(Err(BuildFailure::cancelled(reason)), self.now(), |result| {
            self.take_result(build, result.clone(), true);
        });
    }

    /// One fewer waits for this build.
    pub(super) fn leave(&self, build: &Arc<Build>) {
        if self.is_given_up(build) {
            // It may have ended meanwhile, which is as well.
            let _ = self.cancel(build.number, "cancelled: nobody waits for it any more".to_owned());
        }
    }

    /// Counts one ticket less; whether it was the last of a build that has not ended, and that is to end then. Who asks for the same from
    /// then on gets another build: this one's end would be told to him as his own.
    fn is_given_up(&self, build: &Build) -> bool {
        self.change_unseen(|state| {
            let is_last = match state.tickets.get_mut(&build.number) {
                Some(count) if *count > 1 => {
                    *count -= 1;
                    false
                }
                Some(_) => state.tickets.remove(&build.number).is_some(),
                None => false,
            };
            let ends = is_last && build.order.why.is_request() && !build.is_wanted();
            if ends {
                build.set_ending();
            }
            ends
        })
    }
}

impl State {
    /// An equal build that can be joined, which has not read its manifest before somebody asked: its image lives as long as the longest that is asked for.
    fn join(&self, order: &BuildOrder, expires_in: Duration) -> Option<Arc<Build>> {
        let waiting = self.waiting.values().map(|waiting| &waiting.build);
        let mut builds = waiting.chain(self.places.iter().map(|place| &place.build));
        let build = builds.find(|build| {
            let is_new_enough = build.has_yet_to_read() || order.may_be_of_before();
            let is_equal = build.order.is_equal(order) && is_new_enough;
            is_equal && !build.is_ending() && build.prolong(expires_in)
        })?;
        let mut joined_by = build.joined_by.lock();
        let is_new = !order.requester.is_empty()
            && order.requester != build.order.requester
            && !joined_by.contains(&order.requester);
        if is_new && joined_by.len() < JOINED_NAMED {
            joined_by.push(order.requester.clone());
        }
        Some(build.clone())
    }

    /// The bound that one more would exceed.
    fn is_full(&self, lane: &super::queue::Lane) -> Option<usize> {
        lane.as_ref()?;
        let is_request = |waiting: &&Waiting| waiting.build.order.why.is_request();
        if self.waiting.values().filter(is_request).count() >= QUEUE_BUILDS {
            return Some(QUEUE_BUILDS);
        }
        (self.queue.len_of(lane) >= QUEUE_BUILDS_PER_USER).then_some(QUEUE_BUILDS_PER_USER)
    }
}

/// Whose turn it uses.
fn lane_of(order: &BuildOrder) -> super::queue::Lane {
    match &order.why {
        Why::Requested { by } => Some(by.clone()),
        _ => None,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::config_watcher::{Current, Published};
    use crate::stream_scheduler::Scheduling;
    use builder::{BuildError, Built, Delivery, Engine, Order, Watcher};
    use std::collections::BTreeMap;

    struct NeverAsked;

    impl Engine for NeverAsked {
        fn build(&self, _: &Order, _: &Arc<dyn Watcher>) -> Result<Built, BuildError> {
            unreachable!("nothing takes builds out of the queue here")
        }
    }

    fn order(by: &str) -> BuildOrder {
        BuildOrder {
            stream: "a".to_owned(),
            variables: BTreeMap::new(),
            branch: String::new(),
            max_source_age: None,
            deadline: Duration::from_secs(3600),
            delivery: Delivery::Publish,
            disable_recursive_build: false,
            cancel_on_disconnect: true,
            requester: by.to_owned(),
            why: Why::Requested { by: by.to_owned() },
        }
    }

    #[tokio::test]
    async fn nobody_joins_a_build_whose_last_requester_has_gone_and_that_is_about_to_end_with_him() {
        let connect = Arc::new(|| srpc::ConnectOptions::new("127.0.0.1:1"));
        let current = Published::new(Current::default());
        let scheduling = Scheduling::new(current, Arc::new(NeverAsked), connect);
        let shared = Arc::new(Shared::new(scheduling, None));
        let ask = |by| shared.enqueue(order(by), Duration::from_secs(60)).unwrap();
        let (first, joined) = (ask("fred"), ask("barney"));
        assert_eq!(joined.number(), first.number());
        let build = first.build().clone();
        assert!(!shared.is_given_up(&build), "the other still waits");
        assert!(shared.is_given_up(&build));
        // Between this and the cancelling somebody asks for the same.
        let other = ask("wilma");
        assert_ne!(other.number(), build.number);
        shared.cancel(build.number, "nobody waits".to_owned()).unwrap();
        assert!(build.ended().await.outcome.is_err());
        assert_eq!(other.build().cancelled_because(), None);
        assert_eq!(ask("betty").number(), other.number());
    }
}
