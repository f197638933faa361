//! What is in force now, and how others see it.

use arc_swap::ArcSwap;
use recipe::{Configuration, Found, Problem, Secrets, Streams};
use std::sync::Arc;
use std::time::SystemTime;
use tokio::sync::watch;

/// What is in force at one moment. Good as a whole: nothing in it was refused.
#[derive(Debug, Clone, Default)]
pub struct Current {
    /// Counts the changes of what is in force; statuses alone do not count.
    pub generation: u64,
    /// The main configuration.
    pub configuration: Arc<Configuration>,
    /// The image streams; none before they were loaded.
    pub streams: Arc<Streams>,
    /// Image streams were loaded, or there are none to load.
    pub is_streams_loaded: bool,
    /// The variables file.
    pub secrets: Arc<Secrets>,
    /// How the main configuration is.
    pub configuration_status: SourceStatus,
    /// How the image streams are.
    pub streams_status: SourceStatus,
    /// How the variables file is; nothing if there is none.
    pub variables_status: Option<SourceStatus>,
}

/// How one of the texts is. No secret is in it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SourceStatus {
    /// Where it is, with variables unexpanded and credentials left out.
    pub place: String,
    /// When what is in force was loaded; nothing before the first time.
    pub loaded_at: Option<SystemTime>,
    /// When it was last looked at.
    pub looked_at: Option<SystemTime>,
    /// What is in force is the copy of an earlier run.
    pub is_copy: bool,
    /// Why the last one that was looked at is not in force; nothing if it is.
    pub problem: Option<String>,
    /// What somebody should look at in what is in force.
    pub warnings: Vec<Problem>,
}

impl Current {
    /// The stream with a name.
    ///
    /// # Errors
    /// There is none, or several expressions match.
    pub fn find(&self, name: &str) -> Result<Found, recipe::FindError> {
        self.configuration.find(&self.streams, name)
    }

    /// What was last wrong with any of the texts, for people: where it is and what is wrong.
    pub fn problems(&self) -> Vec<String> {
        let statuses = [&self.configuration_status, &self.streams_status];
        statuses
            .into_iter()
            .chain(&self.variables_status)
            .filter_map(|status| Some(format!("{}: {}", status.place, status.problem.as_ref()?)))
            .collect()
    }
}

/// Where readers find what is in force, and wait for changes. Clones are cheap and see the same.
#[derive(Debug, Clone)]
pub struct Published {
    current: Arc<ArcSwap<Current>>,
    generation: Arc<watch::Sender<u64>>,
}

impl Published {
    /// Something that stays in force until somebody sets another: for tests and for builds without a daemon.
    pub fn new(current: Current) -> Self {
        let (generation, _) = watch::channel(current.generation);
        Self {
            current: Arc::new(ArcSwap::from_pointee(current)),
            generation: Arc::new(generation),
        }
    }

    /// What is in force now.
    pub fn current(&self) -> Arc<Current> {
        self.current.load_full()
    }

    /// Follows the generation: changes when something else is in force.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.generation.subscribe()
    }

    /// Puts something in force, with the next generation.
    pub fn set(&self, current: Current) {
        self.put(current, true);
    }

    /// Shows something; only a change gets the next generation, and is told to those who follow. One caller at a time.
    pub(super) fn put(&self, mut current: Current, is_change: bool) {
        current.generation = self.current.load().generation + u64::from(is_change);
        let generation = current.generation;
        self.current.store(Arc::new(current));
        if is_change {
            self.generation.send_replace(generation);
        }
    }
}
