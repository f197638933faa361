//! Finding a build: in the queue, running, among the last results, in the archive.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::pages::context::{Context, timestamp};
use crate::pages::links;
use crate::pages::state_word::Outcome;
use crate::state::Shared;
use actors::build_runner::{Build, BuildLog, BuildResult, BuildState, Why};
use actors::log_archive::ArchivedBuild;
use actors::stream_scheduler::LastResult;
use builder::Phase;
use recipe::graph::State;

/// How the archive says that a build was of a source of another, which has the same number.
const SOURCE_OF: &str = "source of ";

/// A build, wherever it is.
#[derive(Clone)]
pub(in crate::pages) enum Subject {
    /// It waits, runs, or has just ended.
    Live(Arc<Build>),
    /// It is the last result of its stream.
    Last(LastResult),
    /// It is in the archive.
    Archived(Arc<ArchivedBuild>, Arc<BuildLog>),
}

/// A phase with how long it took, or takes so far.
pub(super) struct PhaseRow {
    pub(super) phase: Phase,
    /// The stream it was done for.
    pub(super) stream: String,
    pub(super) duration: Duration,
    pub(super) is_going_on: bool,
}

/// The build a query names.
pub(super) fn by_name(context: &Context<'_>, name: &str) -> Option<Subject> {
    match name.parse() {
        Ok(number) => by_number(context, number),
        Err(_) => archived(context.shared, name).or_else(|| last_of_name(context, name)),
    }
}

fn by_number(context: &Context<'_>, number: u64) -> Option<Subject> {
    let shared = context.shared;
    let snapshot = shared.scheduler.snapshot();
    if let Some(build) = snapshot.build(number) {
        return Some(Subject::Live(Arc::clone(build)));
    }
    if let Some(last) = last_of_number(snapshot.results.values(), number) {
        return Some(Subject::Last(last.clone()));
    }
    let listing = shared.archive.as_ref()?.listing();
    // Numbers begin anew with each life of the daemon.
    let of_this_life = |build: &&Arc<ArchivedBuild>| {
        build.number == number
            && !build.why.starts_with(SOURCE_OF)
            && timestamp(build.finished_at).is_some_and(|finished| finished >= context.site.started())
    };
    let name = listing.builds.iter().rev().find(of_this_life)?.name.clone();
    archived(shared, &name)
}

/// The last result that is of this build itself. Sources that were built in it have its number too.
fn last_of_number<'r>(results: impl Iterator<Item = &'r LastResult>, number: u64) -> Option<&'r LastResult> {
    let mut own = results.filter(|last| last.result.number == number && !is_source(&last.result));
    own.next()
}

fn last_of_name(context: &Context<'_>, name: &str) -> Option<Subject> {
    let snapshot = context.shared.scheduler.snapshot();
    let mut results = snapshot.results.values();
    let last = results.find(|last| last.name == name)?;
    Some(Subject::Last(last.clone()))
}

fn is_source(result: &BuildResult) -> bool {
    matches!(result.why, Why::SourceFor { .. })
}

/// The page of a last result: a source has the name of its own log, since the number is that of the build it was built in.
fn link_of_last(last: &LastResult) -> String {
    if is_source(&last.result) && !last.name.is_empty() {
        links::archived(&last.name)
    } else {
        links::build(last.result.number)
    }
}

fn archived(shared: &Shared, name: &str) -> Option<Subject> {
    let archive = shared.archive.as_ref()?;
    let build = archive.listing().find(name).cloned()?;
    let log = archive.log(name).ok()?;
    Some(Subject::Archived(build, log))
}

/// The build of a stream that runs, that has it built as its source, or waits.
pub(in crate::pages) fn of_stream_now(context: &Context<'_>, stream: &str) -> Option<Subject> {
    let snapshot = context.shared.scheduler.snapshot();
    let queued = || snapshot.queued.iter().map(|queued| &queued.build);
    let build = snapshot
        .running(stream)
        .or_else(|| snapshot.building_source(stream))
        .or_else(|| queued().find(|build| build.stream() == stream))?;
    Some(Subject::Live(Arc::clone(build)))
}

/// The build of a stream that ended last.
pub(in crate::pages) fn of_stream_last(context: &Context<'_>, stream: &str) -> Option<Subject> {
    let snapshot = context.shared.scheduler.snapshot();
    let last = snapshot.results.get(stream)?;
    Some(Subject::Last(last.clone()))
}

impl Subject {
    pub(in crate::pages) fn stream(&self) -> &str {
        match self {
            Self::Live(build) => build.stream(),
            Self::Last(last) => &last.result.stream,
            Self::Archived(build, _) => &build.stream,
        }
    }

    pub(in crate::pages) fn log(&self) -> &Arc<BuildLog> {
        match self {
            Self::Live(build) => build.log(),
            Self::Last(last) => &last.log,
            Self::Archived(_, log) => log,
        }
    }

    /// The page of this build.
    pub(super) fn link(&self) -> String {
        match self {
            Self::Live(build) => links::build(build.number),
            Self::Last(last) => link_of_last(last),
            Self::Archived(build, _) => links::archived(&build.name),
        }
    }

    /// What it is called among the builds of its stream.
    pub(super) fn short_name(&self) -> String {
        match self {
            Self::Live(build) => format!("build {}", build.number),
            Self::Last(last) => format!("build {}", last.result.number),
            Self::Archived(build, _) => build.name.rsplit('/').next().unwrap_or_default().to_owned(),
        }
    }

    pub(super) fn outcome(&self) -> Outcome {
        match self {
            Self::Live(build) => Outcome::of_state(&build.state()),
            Self::Last(last) => Outcome::of_result(&last.result),
            Self::Archived(build, _) => Outcome::of_end(build.is_good(), build.is_cancelled),
        }
    }

    pub(super) fn has_ended(&self) -> bool {
        !matches!(self.outcome().state, State::Queued | State::Building)
    }

    /// Its number, if there is something to be cancelled.
    pub(super) fn to_be_cancelled(&self) -> Option<u64> {
        match self {
            Self::Live(build) if !self.has_ended() && build.cancelled_because().is_none() => {
                Some(build.number)
            }
            _ => None,
        }
    }

    /// Its result, if it has ended in this life of the daemon.
    pub(super) fn result(&self) -> Option<Arc<BuildResult>> {
        match self {
            Self::Live(build) => match build.state() {
                BuildState::Ended(result) => Some(result),
                _ => None,
            },
            Self::Last(last) => Some(Arc::clone(&last.result)),
            Self::Archived(..) => None,
        }
    }

    /// When it began, and when it ended.
    pub(super) fn times(&self) -> (Option<SystemTime>, Option<SystemTime>) {
        match self {
            Self::Live(build) => (build.started_at(), self.result().map(|result| result.finished_at)),
            Self::Last(last) => (last.result.started_at, Some(last.result.finished_at)),
            Self::Archived(build, _) => (
                build.finished_at.checked_sub(build.duration),
                Some(build.finished_at),
            ),
        }
    }

    /// What was done, in order; the last is what is being done.
    pub(super) fn phases(&self, now: SystemTime) -> Vec<PhaseRow> {
        let timed = match self {
            Self::Live(build) => build.phases(),
            Self::Last(last) => last.result.phases.clone(),
            Self::Archived(build, _) => {
                let row = |(phase, duration): &(Phase, Duration)| PhaseRow {
                    phase: *phase,
                    stream: build.stream.clone(),
                    duration: *duration,
                    is_going_on: false,
                };
                return build.phases.iter().map(row).collect();
            }
        };
        let has_ended = self.has_ended();
        let row = |time: actors::build_runner::PhaseTime| PhaseRow {
            phase: time.phase,
            duration: time.duration(now),
            is_going_on: time.finished_at.is_none() && !has_ended,
            stream: time.stream,
        };
        timed.into_iter().map(row).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actors::build_runner::BuiltImage;

    fn last(stream: &str, why: Why) -> LastResult {
        let result = BuildResult {
            number: 7,
            stream: stream.to_owned(),
            requester: String::new(),
            joined_by: Vec::new(),
            why,
            queued_at: SystemTime::UNIX_EPOCH,
            started_at: None,
            finished_at: SystemTime::UNIX_EPOCH,
            phases: Vec::new(),
            outcome: Ok(BuiltImage::default()),
            is_usual: true,
        };
        LastResult {
            result: Arc::new(result),
            log: Arc::new(BuildLog::archived("/nowhere".into(), 0)),
            name: format!("{stream}/2026-11-22:07:00:00"),
        }
    }

    #[test]
    fn the_number_of_a_build_leads_to_it_and_not_to_a_source_that_was_built_in_it() {
        let why = Why::SourceFor {
            stream: "app".to_owned(),
        };
        assert!(why.to_string().starts_with(SOURCE_OF));
        let results = [last("aaa-source", why), last("app", Why::Interval)];
        let found = last_of_number(results.iter(), 7).unwrap();
        assert_eq!(found.result.stream, "app");
        assert_eq!(link_of_last(found), "/build?7");
        assert_eq!(link_of_last(&results[0]), "/build?aaa-source/2026-11-22:07:00:00");
        assert!(last_of_number(results[..1].iter(), 7).is_none());
    }
}
