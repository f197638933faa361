//! A build on its thread: the engine, sources that have to be built first, and what comes of panics.

use super::flights::{Flights, SourceKey};
use super::host::Host;
use super::watcher::BuildWatcher;
use super::{Build, BuildFailure, BuildResult, BuiltImage, Why};
use crate::Clock;
use builder::{BuildError, Built, Delivery, Engine, NeededSource, Order, Phase, Watcher};
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// Sources of sources that are built for one build, at most.
pub(crate) const SOURCE_DEPTH: usize = 16;

/// How often a build waits for others that build its source, before it builds it itself.
const SOURCE_WAITS: usize = 4;

/// What a build needs to run.
pub(crate) struct Run {
    pub(crate) build: Arc<Build>,
    pub(crate) engine: Arc<dyn Engine>,
    pub(crate) host: Arc<dyn Host>,
    pub(crate) slot: u32,
    pub(crate) clock: Clock,
    pub(crate) flights: Arc<Flights>,
}

/// One stream to be built: the build's own, or a source.
struct Work {
    stream: String,
    variables: BTreeMap<String, String>,
    branch: String,
    created_for: String,
    delivery: Delivery,
    expires_in: Duration,
}

impl Work {
    /// A source of this.
    fn source(&self, needed: NeededSource) -> Work {
        // The request's own variables go over those the manifest has for its source.
        let mut variables = needed.variables;
        let own = self.variables.iter().filter(|(_, value)| !value.is_empty());
        variables.extend(own.map(|(name, value)| (name.clone(), value.clone())));
        Work {
            stream: needed.stream,
            variables,
            branch: needed.commit,
            created_for: String::new(),
            delivery: Delivery::Publish,
            expires_in: if self.expires_in.is_zero() {
                Duration::from_secs(3600)
            } else {
                self.expires_in
            },
        }
    }

    fn key(&self) -> SourceKey {
        SourceKey {
            stream: self.stream.clone(),
            branch: self.branch.clone(),
            variables: self.variables.clone(),
        }
    }
}

impl Run {
    /// Builds, publishes the result, frees the place. Never panics.
    pub(crate) fn run(self) {
        let number = self.build.number;
        let host = self.host.clone();
        let whole = catch_unwind(AssertUnwindSafe(|| {
            let outcome = catch_unwind(AssertUnwindSafe(|| self.whole()));
            let outcome = outcome.unwrap_or_else(|panic| Err(self.panicked(&*panic)));
            let outcome = outcome.map_err(|failure| self.named(failure));
            if let Err(failure) = &outcome {
                self.build
                    .log
                    .append(format!("Build failed: {}\n", failure.text).as_bytes());
            }
            let keep = |result: &Arc<BuildResult>| self.host.ended(&self.build, result.clone(), true);
            if !self.build.end(outcome, self.clock.system_time(), keep) {
                tracing::warn!("Build {number} of {} has ended at last", self.build.stream());
            }
        }));
        if whole.is_err() {
            tracing::error!("Build {number}: internal error while it was ended");
        }
        // Whatever happened: a place that is never freed is never used again.
        if catch_unwind(AssertUnwindSafe(|| host.freed(number))).is_err() {
            tracing::error!("Build {number}: internal error while its place was freed");
        }
    }

    fn panicked(&self, panic: &(dyn std::any::Any + Send)) -> BuildFailure {
        let text = crate::pool::text_of(panic);
        tracing::error!(
            "Build {} of {} panicked: {text}",
            self.build.number,
            self.build.stream()
        );
        BuildFailure {
            phase: self.build.phase().map(|time| time.phase),
            ..BuildFailure::new(format!("internal error in the build: {text}"))
        }
    }

    /// Who ended it says more than that it was ended.
    fn named(&self, mut failure: BuildFailure) -> BuildFailure {
        if let Some(reason) = self.build.cancellation.reason().filter(|_| failure.is_cancelled) {
            failure.text = reason;
        }
        failure
    }

    fn whole(&self) -> Result<BuiltImage, BuildFailure> {
        let order = &self.build.order;
        if !order.requester.is_empty() {
            let line = format!("Building: {} for: {}\n", order.stream, order.requester);
            self.build.log.append(line.as_bytes());
        }
        let expires_in = self.build.expires_in.lock().unwrap_or_default();
        let work = Work {
            stream: order.stream.clone(),
            variables: order.variables.clone(),
            branch: order.branch.clone(),
            created_for: order.requester.clone(),
            delivery: order.delivery,
            expires_in,
        };
        let built = self.with_sources(&work, &mut Vec::new(), 0);
        // From here on nobody can join.
        let wanted = self.build.expires_in.lock().take();
        let built = built?;
        if let Some(image) = built.image {
            *self.build.image.lock() = Some(Arc::from(image));
        }
        if let Some(wanted) = wanted.filter(|wanted| *wanted > expires_in && !built.name.is_empty()) {
            self.host.prolong(&self.build, &built.name, wanted);
        }
        Ok(BuiltImage {
            name: built.name,
            source_image: built.source_image,
            commit: built.commit,
        })
    }

    /// Builds; if a source is lacking, builds that and tries once more (`imaginator.md §11.4`). `above`: what this is a source
    /// of, the build's own stream first.
    fn with_sources(
        &self,
        work: &Work,
        above: &mut Vec<String>,
        log_start: u64,
    ) -> Result<Built, BuildFailure> {
        let mut waits = 0;
        let (source, _flight) = loop {
            let error = match self.engine(work, log_start) {
                Ok(built) => return Ok(built),
                Err(error) => error,
            };
            let source = self.needed_source(work, error, above)?;
            self.watcher(&work.stream, log_start).phase(Phase::BuildSource);
            if work.stream == self.build.order.stream {
                // After the source everything is read again.
                self.build.set_has_yet_to_read(true);
            }
            let flight = self.flights.begin(&source.key());
            // Who builds a source himself waits for nobody, so that none wait in a ring.
            if flight.is_some() || !above.is_empty() || waits == SOURCE_WAITS {
                break (source, flight);
            }
            waits += 1;
            self.wait_for(&source)?;
        };
        above.push(work.stream.clone());
        self.source(work, &source, above)?;
        above.pop();
        self.engine(work, log_start).map_err(failure)
    }

    /// The source that has to be built, if it may be.
    fn needed_source(&self, work: &Work, error: BuildError, above: &[String]) -> Result<Work, BuildFailure> {
        let is_final = self.build.order.disable_recursive_build || error.is_cancelled;
        let Some(needed) = error.needs.clone().filter(|_| !is_final) else {
            return Err(failure(error));
        };
        let chain = [above, std::slice::from_ref(&work.stream)].concat();
        let names = chain.join(" needs ");
        if chain.contains(&needed.stream) {
            return Err(BuildFailure {
                text: format!("sources need each other: {names} needs {}", needed.stream),
                ..failure(error)
            });
        }
        if chain.len() > SOURCE_DEPTH {
            return Err(BuildFailure {
                text: format!("more than {SOURCE_DEPTH} sources would have to be built first: {names}"),
                ..failure(error)
            });
        }
        Ok(work.source(needed))
    }

    /// Waits until another build has built a source, or could not.
    fn wait_for(&self, source: &Work) -> Result<(), BuildFailure> {
        let line = format!(
            "Waiting for source image: {}, which another build is building\n",
            source.stream
        );
        self.build.log.append(line.as_bytes());
        let cancellation = &self.build.cancellation;
        if self.flights.wait(&source.key(), || cancellation.is_cancelled()) {
            return Ok(());
        }
        Err(BuildFailure {
            phase: Some(Phase::BuildSource),
            ..BuildFailure::cancelled("cancelled")
        })
    }

    /// Builds a source, in the same log, and has it recorded under its own name.
    fn source(&self, work: &Work, source: &Work, above: &mut Vec<String>) -> Result<(), BuildFailure> {
        let line = format!("Building source image: {} for: {}\n", source.stream, work.stream);
        self.build.log.append(line.as_bytes());
        let log_start = self.build.log.state().bytes;
        let started_at = self.clock.system_time();
        let built = self.with_sources(source, above, log_start);
        let now = self.clock.system_time();
        self.build.finish_phases_of(&source.stream, now);
        let (outcome, answer) = match built {
            Ok(built) => (Ok(image_of(&built)), Ok(())),
            Err(failure) => (Err(failure.clone()), Err(failure)),
        };
        let result = self.result(source, work, outcome, started_at, now);
        let log_end = self.build.log.state().bytes;
        self.host.source_ended(&self.build, result, log_start..log_end);
        answer
    }

    fn result(
        &self,
        source: &Work,
        of: &Work,
        outcome: Result<BuiltImage, BuildFailure>,
        started_at: SystemTime,
        finished_at: SystemTime,
    ) -> BuildResult {
        let own = |time: &super::PhaseTime| time.stream == source.stream;
        BuildResult {
            number: self.build.number,
            stream: source.stream.clone(),
            requester: String::new(),
            joined_by: Vec::new(),
            why: Why::SourceFor {
                stream: of.stream.clone(),
            },
            queued_at: started_at,
            started_at: Some(started_at),
            finished_at,
            phases: self.build.phases().into_iter().filter(own).collect(),
            outcome,
            is_usual: source.branch.is_empty() && source.variables.is_empty(),
        }
    }

    fn watcher(&self, stream: &str, log_start: u64) -> Arc<dyn Watcher> {
        Arc::new(BuildWatcher {
            build: self.build.clone(),
            stream: stream.to_owned(),
            log_start,
            clock: self.clock.clone(),
        })
    }

    fn engine(&self, work: &Work, log_start: u64) -> Result<Built, BuildError> {
        let is_own = work.stream == self.build.order.stream;
        if is_own {
            self.build.set_has_yet_to_read(false);
        }
        let (recipe, secrets) = self.host.recipe(&work.stream).map_err(|failure| BuildError {
            text: failure.text,
            phase: None,
            needs: None,
            is_cancelled: failure.is_cancelled,
            is_server_away: failure.is_server_away,
        })?;
        let order = &self.build.order;
        let order = Order {
            number: self.host.next_number(),
            slot: self.slot,
            stream: work.stream.clone(),
            recipe,
            variables: work.variables.clone(),
            branch: work.branch.clone(),
            max_source_age: order.max_source_age,
            expires_in: (!work.expires_in.is_zero()).then_some(work.expires_in),
            deadline: order.deadline,
            created_for: work.created_for.clone(),
            delivery: work.delivery,
            secrets,
        };
        self.engine.build(&order, &self.watcher(&work.stream, log_start))
    }
}

fn image_of(built: &Built) -> BuiltImage {
    BuiltImage {
        name: built.name.clone(),
        source_image: built.source_image.clone(),
        commit: built.commit.clone(),
    }
}

fn failure(error: BuildError) -> BuildFailure {
    BuildFailure {
        text: error.text,
        phase: error.phase,
        needs: error.needs,
        is_cancelled: error.is_cancelled,
        is_server_away: error.is_server_away,
    }
}
