//! What all methods and pages share.

use std::sync::Arc;

use crate::flags::Options;
use crate::page_token::PageTokens;
use actors::config_watcher::{ConfigWatcher, Published};
use actors::stream_scheduler::Dependencies;
use actors::{BuilderSystem, Health, LogArchive, StreamScheduler};
use builder::Workshop;
use recipe::graph::Relations;
use srpc::{Caller, Trusted};

/// The shared state, cheap to clone.
pub(crate) type Shared = Arc<State>;

/// See the module's text.
pub(crate) struct State {
    pub(crate) options: Options,
    /// Queue, running builds, results, dependencies.
    pub(crate) scheduler: StreamScheduler,
    /// Logs of builds that have ended, if they are kept.
    pub(crate) archive: Option<LogArchive>,
    /// What is configured.
    pub(crate) configuration: Published,
    /// What watches it.
    pub(crate) watcher: ConfigWatcher,
    /// What builds; for its figures.
    pub(crate) workshop: Workshop,
    /// What lets a page change something.
    pub(crate) tokens: PageTokens,
    trusted: Trusted,
}

impl State {
    pub(crate) fn new(
        options: Options,
        system: &BuilderSystem,
        watcher: ConfigWatcher,
        workshop: Workshop,
        tokens: PageTokens,
        trusted: Trusted,
    ) -> Shared {
        Arc::new(Self {
            options,
            scheduler: system.scheduler.clone(),
            archive: system.archive.clone(),
            configuration: watcher.published(),
            watcher,
            workshop,
            tokens,
            trusted,
        })
    }

    /// How the actors are.
    pub(crate) fn healths(&self) -> Vec<Health> {
        let archive = self.archive.as_ref().map(LogArchive::health);
        [self.watcher.health(), self.scheduler.health()]
            .into_iter()
            .chain(archive)
            .collect()
    }

    /// Whether a caller has powers for a method of the service `Imaginator` (`imaginator.md §2.2`).
    pub(crate) fn has_powers(&self, caller: &Caller, method: &str) -> bool {
        self.trusted.includes(caller) || caller.powers.permit(&format!("Imaginator.{method}"))
    }

    /// The dependencies with what is known of the streams, to be drawn (`imaginator-web.md §5`).
    pub(crate) fn relations(&self, dependencies: &Dependencies) -> Relations {
        let snapshot = self.scheduler.snapshot();
        Relations {
            sources: dependencies.stream_to_source.clone(),
            bootstrap: snapshot.bootstrap_streams.iter().cloned().collect(),
            pattern_sources: dependencies.pattern_sources.clone(),
            unbuildable_sources: dependencies.unbuildable_sources.clone(),
            auto_rebuilt: snapshot.auto.streams.to_vec(),
        }
    }
}
