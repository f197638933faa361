//! The daemon's log: lines in the original's format, in memory, in files, and to whoever watches (`imageserver.md §10.2`).
//!
//! Programs write through `tracing`; [`Logs::layer`] turns events into lines. What is logged at `INFO` and above is
//! always kept. Debug lines have a level from 0 up, given with [`crate::debug!`], and are kept while it is not above
//! the level set at run time.
//!
//! Promises: writing a line never waits for a disk (a bounded queue to one writer thread; what does not fit is
//! counted, and the log says how much is missing); a line is written at once or, while others come too, within a twentieth
//! of a second, in the order in which they came, and an orderly end waits for it; a full disk stops the log files, never the daemon; a watcher that
//! cannot keep up is dropped. Lacks: structured output, remote targets.

mod config;
mod fields;
mod files;
mod layer;
mod line;
mod pages;
mod panics;
mod reading;
mod recent;
mod record;
mod ring;
mod stack;
mod watchers;
mod writer;

use std::fs::File;
use std::io::Write;
use std::sync::atomic::{AtomicI16, AtomicU8, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use parking_lot::Mutex;

pub use config::LogConfig;
pub use files::{LogDirectory, LogFileName};
pub use layer::LogLayer;
pub use line::{ALWAYS, Line, LineForm};
pub use pages::configure;
pub use reading::LineFilter;
pub use recent::recent_html;
pub use record::{RecordHead, Severity};
pub use stack::stack_dump;
pub use watchers::Watch;

use fields::Fields;
use ring::Ring;
use watchers::Watchers;
use writer::Writer;

/// How long the end of the process waits for the last lines to be written.
const LAST_FLUSH: Duration = Duration::from_secs(2);

/// Why the log cannot be kept.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The directory is not there and cannot be made.
    #[error("cannot make the log directory {path}: {source}; create it for this user or set -logDir")]
    Directory {
        /// The directory.
        path: String,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// No file can be made in it.
    #[error("cannot create a log file in {path}: {source}; make it writable for this user or set -logDir")]
    File {
        /// The directory.
        path: String,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The writer thread cannot be started.
    #[error("cannot start the log writer: {0}")]
    Thread(std::io::Error),
    /// Another log was installed before.
    #[error("a log is already installed in this process")]
    Installed,
}

/// The log of this process. Clones share it.
#[derive(Clone)]
pub struct Logs {
    inner: Arc<Inner>,
}

pub(crate) struct Inner {
    config: LogConfig,
    ring: Mutex<Ring>,
    watchers: Watchers,
    writer: Option<Writer>,
    /// Highest debug level that is kept; -1 none.
    level: AtomicI16,
    /// Records of less severity are not kept, whatever their debug level.
    least_severity: AtomicU8,
    /// Whether the run before this one panicked, once somebody asked.
    previous_panicked: OnceLock<bool>,
    /// Where standard error led before it was redirected, for the last words of a dying process.
    terminal: Option<File>,
}

impl Logs {
    /// Opens the log as configured. Without a directory, lines go to the ring and to standard error.
    ///
    /// # Errors
    /// [`LogError`] when the directory or its first file cannot be made.
    pub fn start(config: LogConfig) -> Result<Self, LogError> {
        let terminal = rustix::io::dup(rustix::stdio::stderr()).ok().map(File::from);
        let writer = Writer::start(&config)?;
        let inner = Inner {
            ring: Mutex::new(Ring::new(config.ring_lines)),
            watchers: Watchers::default(),
            writer,
            level: AtomicI16::new(config.debug_level),
            least_severity: AtomicU8::new(0),
            previous_panicked: OnceLock::new(),
            terminal,
            config,
        };
        Ok(Self {
            inner: Arc::new(inner),
        })
    }

    /// A log in memory only, for tests and tools.
    pub fn in_memory() -> Self {
        let config = LogConfig {
            directory: None,
            also_stderr: false,
            silent: true,
            ..LogConfig::default()
        };
        let inner = Inner {
            ring: Mutex::new(Ring::new(config.ring_lines)),
            watchers: Watchers::default(),
            writer: None,
            level: AtomicI16::new(config.debug_level),
            least_severity: AtomicU8::new(0),
            previous_panicked: OnceLock::new(),
            terminal: None,
            config,
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    /// The layer that feeds this log from `tracing`.
    pub fn layer(&self) -> LogLayer {
        LogLayer::new(self.clone())
    }

    /// Makes this the log of the whole process and of panics.
    ///
    /// # Errors
    /// [`LogError::Installed`] when there is one already.
    pub fn install(&self) -> Result<(), LogError> {
        use tracing_subscriber::layer::SubscriberExt;
        let subscriber = tracing_subscriber::registry().with(self.layer());
        tracing::subscriber::set_global_default(subscriber).map_err(|_| LogError::Installed)?;
        panics::install(self.clone());
        Ok(())
    }

    /// Logs a line that is always kept.
    pub fn print(&self, text: &str) {
        self.write(ALWAYS, text);
    }

    /// Logs a line of this level; -1 is always kept.
    pub fn write(&self, level: i16, text: &str) {
        self.keep(
            self.inner.config.form.line(level, text),
            Severity::of_level(level),
        );
    }

    /// Logs a record; in a log of text its fields are left out.
    pub(crate) fn write_record(&self, level: i16, severity: Severity, message: &str, fields: &Fields) {
        let line = self.inner.config.form.record(level, severity, message, fields);
        self.keep(line, severity);
    }

    fn keep(&self, line: Line, severity: Severity) {
        let line = Arc::new(line);
        self.inner.watchers.offer(&line);
        if !self.is_kept(line.level(), severity) {
            return;
        }
        if let Some(writer) = &self.inner.writer {
            writer.offer(&line);
        }
        self.inner.ring.lock().push(line);
    }

    fn is_kept(&self, level: i16, severity: Severity) -> bool {
        level <= self.level() && severity.number() >= self.inner.least_severity.load(Ordering::Relaxed)
    }

    /// Whether a line would go anywhere.
    pub(crate) fn is_wanted(&self, level: i16, severity: Severity) -> bool {
        self.is_kept(level, severity) || !self.inner.watchers.is_empty()
    }

    /// The highest debug level that is kept, -1 for none.
    pub fn level(&self) -> i16 {
        self.inner.level.load(Ordering::Relaxed)
    }

    /// Sets the highest debug level that is kept, -1 for none.
    pub fn set_level(&self, level: i16) {
        self.inner.level.store(level.max(ALWAYS), Ordering::Relaxed);
        // tracing remembers per call site whether anybody listens.
        tracing::callsite::rebuild_interest_cache();
    }

    /// Whether lines are JSON objects.
    pub fn has_records(&self) -> bool {
        matches!(self.inner.config.form, LineForm::Records(_))
    }

    /// Keeps records from this severity on.
    pub fn keep_from(&self, severity: Severity) {
        self.inner
            .least_severity
            .store(severity.number(), Ordering::Relaxed);
        self.set_level(severity.debug_level());
    }

    /// The highest level anybody wants: the log itself or a watcher.
    pub(crate) fn wanted_level(&self) -> i16 {
        self.level().max(self.inner.watchers.level())
    }

    /// Follows the log from now on; see [`Watch`].
    pub fn watch(&self, filter: LineFilter, debug_level: i16) -> Watch {
        let watch = self.inner.watchers.add(self.clone(), filter, debug_level);
        tracing::callsite::rebuild_interest_cache();
        watch
    }

    pub(crate) fn unwatch(&self, id: u64) {
        self.inner.watchers.remove(id);
        tracing::callsite::rebuild_interest_cache();
    }

    /// The lines in memory, oldest first.
    pub fn recent(&self) -> Vec<Arc<Line>> {
        self.inner.ring.lock().lines()
    }

    /// Where the files are, if there are any.
    pub fn directory(&self) -> Option<&LogDirectory> {
        self.inner.writer.as_ref().and_then(Writer::directory)
    }

    /// Whether there is a panic in the last file of the run before this one. Reads it when first asked.
    pub fn previous_run_panicked(&self) -> bool {
        let found = || {
            let directory = self.directory()?;
            let file = directory.last_of_the_previous_process()?;
            Some(reading::has_panic(directory.read(&file).ok()?))
        };
        *self
            .inner
            .previous_panicked
            .get_or_init(|| found().unwrap_or(false))
    }

    /// Lines that never reached a file: the queue was full or writing failed.
    pub fn lost_lines(&self) -> u64 {
        self.inner.writer.as_ref().map_or(0, Writer::lost_lines)
    }

    /// Why the last write to a file failed, while that is so.
    pub fn trouble(&self) -> Option<String> {
        self.inner.writer.as_ref().and_then(Writer::trouble)
    }

    /// Waits, up to two seconds, till everything logged so far is written.
    pub fn flush(&self) {
        if let Some(writer) = &self.inner.writer {
            writer.flush(LAST_FLUSH);
        }
    }

    /// Logs the text, says it on the terminal the process was started from too, and ends the process with status 1.
    pub fn fatal(&self, text: &str) -> ! {
        self.fatal_with(text, 1)
    }

    /// The same with another status.
    pub fn fatal_with(&self, text: &str, status: i32) -> ! {
        self.write_record(ALWAYS, Severity::FATAL, text, &Fields::default());
        self.flush();
        let was_seen = self.inner.config.also_stderr || self.inner.config.directory.is_none();
        if let (false, Some(terminal)) = (was_seen, &self.inner.terminal) {
            // There is nobody left to tell about a failure here.
            let _ = writeln!(&*terminal, "{text}");
        }
        std::process::exit(status)
    }
}

/// Logs at a debug level from 0 up: `debug!(1, "made {count} directories")`.
#[macro_export]
macro_rules! debug {
    ($level:expr, $($text:tt)+) => {
        $crate::tracing::debug!(level = i64::from($level), $($text)+)
    };
}

#[cfg(test)]
#[path = "tests/logs.rs"]
mod tests;
