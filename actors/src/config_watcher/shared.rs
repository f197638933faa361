//! What outlives an incarnation of the actor: what is in force, and what was seen of each text.

use super::current::{Current, Published, SourceStatus};
use super::fetch::Fetcher;
use super::kind::Kind;
use super::stamp::Stamp;
use super::wake::Wakes;
use super::{ConfigError, ConfigWatching};
use hash::Hash;
use parking_lot::Mutex;
use recipe::{Configuration, Problem, Secrets, Source, Streams, source};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

pub(crate) struct Shared {
    pub(super) settings: ConfigWatching,
    pub(super) published: Published,
    pub(super) fetcher: Fetcher,
    pub(super) wakes: Arc<Wakes>,
    pub(super) turns: [Turn; 3],
    parts: Mutex<Parts>,
}

/// One look at a text at a time.
#[derive(Default)]
pub(super) struct Turn {
    pub(super) lock: tokio::sync::Mutex<()>,
    /// Looks that have begun.
    pub(super) begun: AtomicU64,
}

#[derive(Default)]
struct Parts {
    configuration: Arc<Configuration>,
    streams: Arc<Streams>,
    is_streams_loaded: bool,
    secrets: Arc<Secrets>,
    statuses: [SourceStatus; 3],
    memories: [Memory; 3],
}

/// What is remembered of a text.
#[derive(Clone, Default)]
pub(super) struct Memory {
    /// Where it was seen.
    pub(super) source: Option<Source>,
    /// The file it was then, if it was a file and could be read.
    pub(super) file: Option<(PathBuf, Option<Stamp>)>,
    /// Files that it names, as they were read with it.
    pub(super) others: Vec<(PathBuf, Option<Stamp>)>,
    /// What is in force.
    pub(super) in_force: Option<Hash>,
    /// What was read with it.
    pub(super) others_in_force: Option<Hash>,
    /// What was refused last.
    pub(super) refused: Option<Hash>,
    /// Looks in a row that found nothing good.
    pub(super) failures: u32,
    /// The next look reads and parses, whatever it finds.
    pub(super) is_stale: bool,
}

/// What tells whether a text that is put in force is another: its own hash, if it was read, and that of what was read with it.
#[derive(Clone, Copy, Default)]
pub(super) struct Digests {
    pub(super) text: Option<Hash>,
    pub(super) others: Option<Hash>,
}

/// A text that was read and is good.
pub(super) enum Good {
    Variables(Secrets),
    Configuration(Configuration),
    Streams { streams: Streams, is_copy: bool },
}

impl Good {
    fn kind(&self) -> Kind {
        match self {
            Good::Variables(_) => Kind::Variables,
            Good::Configuration(_) => Kind::Configuration,
            Good::Streams { .. } => Kind::Streams,
        }
    }
}

impl Shared {
    pub(super) fn new(mut settings: ConfigWatching) -> Result<Shared, ConfigError> {
        // What is relative to where the process was started stays there, and its directory has a name.
        let absolute = |path: &mut PathBuf| {
            if let Ok(absolute) = std::path::absolute(&path) {
                *path = absolute;
            }
        };
        settings.variables_file.iter_mut().for_each(absolute);
        absolute(&mut settings.state_dir);
        let parts = Parts::default();
        let shared = Shared {
            fetcher: Fetcher::new(&settings.temporary).map_err(ConfigError::System)?,
            published: Published::new(Current::default()),
            wakes: Wakes::new(),
            turns: Default::default(),
            parts: Mutex::new(parts),
            settings,
        };
        for kind in Kind::ALL {
            metrics::counter!("imaginator_configuration_loads_total", "source" => kind.label()).increment(0);
            metrics::counter!("imaginator_configuration_failures_total", "source" => kind.label())
                .increment(0);
        }
        Ok(shared)
    }

    pub(super) fn secrets(&self) -> Arc<Secrets> {
        self.parts.lock().secrets.clone()
    }

    pub(super) fn configuration(&self) -> Arc<Configuration> {
        self.parts.lock().configuration.clone()
    }

    pub(super) fn is_streams_loaded(&self) -> bool {
        self.parts.lock().is_streams_loaded
    }

    pub(super) fn memory(&self, kind: Kind) -> Memory {
        self.parts.lock().memories[kind as usize].clone()
    }

    pub(super) fn status(&self, kind: Kind) -> SourceStatus {
        self.parts.lock().statuses[kind as usize].clone()
    }

    /// Where a text is: `Ok(None)` if there is none to be had. The error has no secret in it.
    pub(super) fn source(&self, kind: Kind) -> Result<Option<Source>, String> {
        let (url, secrets) = match kind {
            Kind::Variables => return Ok(self.settings.variables_file.clone().map(Source::File)),
            Kind::Configuration => (self.settings.configuration_url.clone(), self.secrets()),
            Kind::Streams => {
                let parts = self.parts.lock();
                let url = parts.configuration.expanded_image_streams_url(&parts.secrets);
                (url, parts.secrets.clone())
            }
        };
        if url.is_empty() {
            return Ok(None);
        }
        let source =
            Source::parse(&url).map_err(|error| secrets.redact_text(&error.to_string()).into_owned());
        source.map(Some)
    }

    /// The same for people.
    pub(super) fn place(&self, kind: Kind) -> String {
        let url = match kind {
            Kind::Variables => {
                let file = self.settings.variables_file.as_ref();
                return file.map(|path| path.display().to_string()).unwrap_or_default();
            }
            Kind::Configuration => self.settings.configuration_url.clone(),
            // Unexpanded.
            Kind::Streams => self.configuration().image_streams_url.clone(),
        };
        let url = source::without_password(&url);
        self.secrets().redact_text(&url).into_owned()
    }

    /// Remembers what was seen of a text, whatever comes of it.
    pub(super) fn remember(&self, kind: Kind, change: impl FnOnce(&mut Memory)) {
        change(&mut self.parts.lock().memories[kind as usize]);
    }

    /// A look found what is in force already.
    pub(super) fn unchanged(&self, kind: Kind) {
        let mut parts = self.parts.lock();
        let status = &mut parts.statuses[kind as usize];
        status.looked_at = Some(SystemTime::now());
        if status.problem.take().is_some() {
            tracing::info!("{} at {}: well again", kind.name(), status.place);
        }
        status.is_copy = false;
        let memory = &mut parts.memories[kind as usize];
        (memory.failures, memory.refused) = (0, None);
        self.publish(&parts, false);
    }

    /// A look found what was refused already.
    pub(super) fn still_bad(&self, kind: Kind) {
        let mut parts = self.parts.lock();
        parts.statuses[kind as usize].looked_at = Some(SystemTime::now());
        self.publish(&parts, false);
    }

    /// A look found nothing that could be put in force. What is stays.
    pub(super) fn failed(&self, kind: Kind, problem: String) {
        let place = self.place(kind);
        let mut parts = self.parts.lock();
        let problem = parts.secrets.redact_text(&problem).into_owned();
        let memory = &mut parts.memories[kind as usize];
        memory.failures = memory.failures.saturating_add(1);
        let status = &mut parts.statuses[kind as usize];
        status.looked_at = Some(SystemTime::now());
        if status.problem.as_ref() != Some(&problem) {
            tracing::error!("{} at {place}: {problem}", kind.name());
        }
        status.problem = Some(problem);
        status.place = place;
        metrics::counter!("imaginator_configuration_failures_total", "source" => kind.label()).increment(1);
        self.publish(&parts, false);
    }

    /// Puts something good in force, or shows that what is in force was read again. A copy comes only where nothing is in force yet.
    pub(super) fn put_in_force(&self, good: Good, digests: Digests, warnings: Vec<Problem>) {
        let kind = good.kind();
        let place = self.place(kind);
        let mut parts = self.parts.lock();
        let mut is_copied = false;
        match good {
            Good::Variables(secrets) => parts.secrets = Arc::new(secrets),
            Good::Configuration(configuration) => parts.configuration = Arc::new(configuration),
            Good::Streams { streams, is_copy } => {
                if is_copy && parts.is_streams_loaded {
                    return;
                }
                is_copied = is_copy;
                parts.streams = Arc::new(streams);
                parts.is_streams_loaded = true;
            }
        }
        let is_first = parts.statuses[kind as usize].loaded_at.is_none();
        let memory = &mut parts.memories[kind as usize];
        let is_change =
            is_first || (memory.in_force, memory.others_in_force) != (digests.text, digests.others);
        (memory.in_force, memory.others_in_force) = (digests.text, digests.others);
        if !is_copied {
            (memory.failures, memory.refused) = (0, None);
        }
        let now = SystemTime::now();
        let status = &mut parts.statuses[kind as usize];
        status.is_copy = is_copied;
        status.warnings = warnings;
        if is_change {
            status.loaded_at = Some(now);
        }
        if !is_copied {
            status.place.clone_from(&place);
            status.looked_at = Some(now);
            status.problem = None;
        }
        self.publish(&parts, is_change);
        if !is_change {
            return;
        }
        drop(parts);
        metrics::counter!("imaginator_configuration_loads_total", "source" => kind.label()).increment(1);
        if is_copied {
            tracing::warn!(
                "Loaded image streams from the copy of an earlier run, since nothing came from: {place}"
            );
        } else {
            tracing::info!(
                "Loaded {}{} from: {place}",
                if is_first { "" } else { "new " },
                kind.name()
            );
        }
        self.wake_dependents(kind);
    }

    /// What is read with a text is to be read again after it changed.
    fn wake_dependents(&self, kind: Kind) {
        let dependents: &[Kind] = match kind {
            Kind::Variables => &[Kind::Configuration, Kind::Streams],
            Kind::Configuration => &[Kind::Streams],
            Kind::Streams => &[],
        };
        for &dependent in dependents {
            self.remember(dependent, |memory| memory.is_stale = true);
            self.wakes.ring(dependent);
        }
    }

    /// Makes what is in `parts` what all see.
    fn publish(&self, parts: &Parts, is_change: bool) {
        let [variables, mut configuration, streams] = parts.statuses.clone();
        if parts.is_streams_loaded {
            configuration
                .warnings
                .extend(parts.configuration.check_streams(&parts.streams));
        }
        let current = Current {
            generation: 0,
            configuration: parts.configuration.clone(),
            streams: parts.streams.clone(),
            is_streams_loaded: parts.is_streams_loaded,
            secrets: parts.secrets.clone(),
            configuration_status: configuration,
            streams_status: streams,
            variables_status: self.settings.variables_file.is_some().then_some(variables),
        };
        self.published.put(current, is_change);
    }

    /// Whoever looks has begun a look.
    pub(super) fn begin(&self, kind: Kind) {
        self.turns[kind as usize].begun.fetch_add(1, Ordering::AcqRel);
    }
}
