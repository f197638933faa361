//! What there is to do in a cycle, and what became of it.

use super::{Cycle, Cycles, Entry, Late, Step};
use crate::build_runner::BuildResult;
use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

/// Something to be done, which takes time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(in super::super) enum Task {
    /// Find out what there is to do.
    Plan,
    /// Begin with a stream.
    Start(String),
    /// Wait for the image server, and have a stream built again.
    Await(String),
    /// Extend the newest image of a stream.
    Extend(String),
}

/// What is to become of a stream whose turn it is.
pub(in super::super) enum Turn {
    /// It is built, its image lives so long, and somebody may have started the cycle.
    Build {
        expires_in: Duration,
        started_by: Option<String>,
        /// The image server had no image of it when the cycle began.
        is_new: bool,
    },
    /// It is not.
    Extend,
}

impl Cycles {
    /// Everything that can be done now.
    pub(in super::super) fn tasks(&self) -> Vec<Task> {
        let Some(cycle) = &self.cycle else {
            return Vec::new();
        };
        let Some(entries) = &cycle.entries else {
            return vec![Task::Plan];
        };
        // One after the other, which takes moments: so they come into the queue in the order of the plan.
        let is_ready = |entry: &&Entry| entry.step == Step::Waiting && cycle.waits_on(entry).is_empty();
        let start = entries.iter().find(is_ready);
        let extends = entries
            .iter()
            .filter(|entry| matches!(entry.step, Step::Extending(_)));
        let awaits = entries
            .iter()
            .filter(|entry| matches!(entry.step, Step::ServerAway(_)));
        let start = start.map(|entry| Task::Start(entry.stream.clone()));
        let awaits = awaits.map(|entry| Task::Await(entry.stream.clone()));
        let extends = extends.map(|entry| Task::Extend(entry.stream.clone()));
        start.into_iter().chain(awaits).chain(extends).collect()
    }

    /// It is known what there is to do. With a reason nothing is built.
    pub(in super::super) fn planned(
        &mut self,
        plan: Vec<(String, Vec<String>)>,
        extends_only: Option<String>,
        never_built: BTreeSet<String>,
    ) {
        let Some(cycle) = &mut self.cycle else { return };
        let entry = |(stream, after)| Entry {
            stream,
            after,
            step: Step::Waiting,
            times_away: 0,
        };
        cycle.entries = Some(plan.into_iter().map(entry).collect());
        cycle.extends_only = extends_only;
        cycle.never_built = never_built;
    }

    /// The turn of a stream has come. Whatever makes one be extended only, makes the rest of the cycle so, but for a build that
    /// is late and a pause of its own (which holds for cycles that come by themselves).
    pub(in super::super) fn turn(&mut self, stream: &str, now: SystemTime) -> Turn {
        let is_disabled = self.disabled_until.is_some_and(|until| until > now);
        let pause = self
            .failures
            .get(stream)
            .filter(|known| known.until > now)
            .cloned();
        let mut late = self.late.iter().filter(|(_, late)| late.stream == stream);
        let late = late
            .next()
            .map(|(number, _)| format!("build {number}, of an earlier cycle, has not ended"));
        let Some(cycle) = &mut self.cycle else {
            return Turn::Extend;
        };
        if is_disabled {
            let reason = || "automatic builds are disabled".to_owned();
            cycle.extends_only.get_or_insert_with(reason);
        }
        let pause = pause.filter(|_| cycle.started_by.is_none());
        let reason = match (cycle.extends_only.clone().or(late), pause) {
            (Some(reason), _) => Some(reason),
            (None, Some(pause)) => {
                let until = super::super::checks::local_time(pause.until);
                Some(format!(
                    "it failed {} times, and pauses until {until}",
                    pause.failures
                ))
            }
            (None, None) => None,
        };
        if let Some(reason) = reason {
            cycle.set(stream, Step::Extending(reason));
            return Turn::Extend;
        }
        Turn::Build {
            expires_in: cycle.expires_in,
            started_by: cycle.started_by.clone(),
            is_new: cycle.never_built.contains(stream),
        }
    }

    /// It is in the queue, or running, or has ended already.
    pub(in super::super) fn begun(
        &mut self,
        stream: &str,
        number: u64,
        ended: Option<&BuildResult>,
        interval: Duration,
    ) {
        if let Some(cycle) = &mut self.cycle
            && !cycle.set(stream, Step::Building(number))
        {
            // The next cycle has begun meanwhile, and does not know yet what there is to do.
            let late = Late {
                stream: stream.to_owned(),
                started_at: cycle.started_at,
            };
            self.late.insert(number, late);
        }
        if let Some(result) = ended {
            self.ended(result, interval);
        }
    }

    /// It cannot be built, for this reason.
    pub(in super::super) fn cannot_build(&mut self, stream: &str, reason: String) {
        if let Some(cycle) = &mut self.cycle {
            cycle.set(stream, Step::Extending(reason));
        }
    }

    /// The image server that a build lacked is there again.
    pub(in super::super) fn server_is_back(&mut self, stream: &str) {
        if let Some(cycle) = &mut self.cycle
            && matches!(cycle.step_of(stream), Some(Step::ServerAway(_)))
        {
            cycle.set(stream, Step::Waiting);
        }
    }

    /// Until when its newest image is to live.
    pub(in super::super) fn extends_until(&self, now: SystemTime) -> Option<SystemTime> {
        now.checked_add(self.cycle.as_ref()?.expires_in)
    }

    /// It was extended, or could not be.
    pub(in super::super) fn extended(&mut self, stream: &str, outcome: Result<(), String>) {
        let Some(cycle) = &mut self.cycle else { return };
        let Some(Step::Extending(reason)) = cycle.step_of(stream).cloned() else {
            return;
        };
        let step = match outcome {
            Ok(()) => Step::Extended(reason),
            Err(error) => Step::Failed(format!("{reason}; {error}")),
        };
        cycle.set(stream, step);
    }
}

impl Cycle {
    /// False if it has no such stream.
    fn set(&mut self, stream: &str, step: Step) -> bool {
        let mut entries = self.entries.iter_mut().flatten();
        match entries.find(|entry| entry.stream == stream) {
            Some(entry) => {
                entry.step = step;
                true
            }
            None => false,
        }
    }
}
