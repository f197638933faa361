//! From `tracing` events to lines.

use std::fmt::{Debug, Write};

use serde::Serialize;
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Layer};

use super::fields::Fields;
use super::record::Severity;
use super::{ALWAYS, Logs};

/// Debug level of our own `debug!` events that name none.
pub(super) const OWN_DEBUG: i16 = 1;
/// Debug level of our own `trace!` events.
pub(super) const OWN_TRACE: i16 = 3;
/// Debug level from which `INFO` of libraries is of interest.
const FOREIGN_INFO: i16 = 2;
/// Debug level from which `DEBUG` of libraries is of interest.
const FOREIGN_DEBUG: i16 = 8;
/// Debug level from which `TRACE` of libraries is of interest.
const FOREIGN_TRACE: i16 = 9;

/// How the names of libraries that chat begin. Any other crate is taken for ours: a line too many is better than one
/// that is missed.
const FOREIGN: &[&str] = &[
    "actix",
    "h2",
    "hyper",
    "inotify",
    "log",
    "metrics",
    "mio",
    "native_tls",
    "notify",
    "openssl",
    "reqwest",
    "tokio",
    "tower",
    "want",
];

/// Feeds a [`Logs`] from `tracing`.
pub struct LogLayer {
    logs: Logs,
}

impl LogLayer {
    pub(super) fn new(logs: Logs) -> Self {
        Self { logs }
    }
}

impl<S: Subscriber> Layer<S> for LogLayer {
    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        // Our own debug events may carry any level from 0 up, which only the event itself tells.
        let least = match (level_of(metadata), *metadata.level()) {
            (_, Level::DEBUG) if is_own(metadata) => 0,
            (level, _) => level,
        };
        metadata.is_event() && least <= self.logs.wanted_level()
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(if self.logs.wanted_level() < 0 {
            LevelFilter::INFO
        } else {
            LevelFilter::TRACE
        })
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let known = level_of(event.metadata());
        let is_debug = *event.metadata().level() == Level::DEBUG;
        if !is_debug && !self.logs.is_wanted(known, severity_of(event.metadata(), known)) {
            return;
        }
        let mut collected = Collected {
            values: self.logs.has_records().then(Fields::default),
            ..Collected::default()
        };
        event.record(&mut collected);
        let level = match (*event.metadata().level(), collected.level) {
            (Level::DEBUG, Some(level)) => level,
            _ => known,
        };
        if level > self.logs.wanted_level() {
            return;
        }
        match collected.values {
            None => self.logs.write(level, &(collected.message + &collected.fields)),
            Some(values) => {
                let severity = severity_of(event.metadata(), level);
                self.logs
                    .write_record(level, severity, &collected.message, &values);
            }
        }
    }
}

fn is_own(metadata: &Metadata<'_>) -> bool {
    !FOREIGN.iter().any(|name| metadata.target().starts_with(name))
}

fn level_of(metadata: &Metadata<'_>) -> i16 {
    match (*metadata.level(), is_own(metadata)) {
        (Level::ERROR | Level::WARN, _) | (Level::INFO, true) => ALWAYS,
        (Level::INFO, false) => FOREIGN_INFO,
        (Level::DEBUG, true) => OWN_DEBUG,
        (Level::DEBUG, false) => FOREIGN_DEBUG,
        (_, true) => OWN_TRACE,
        (_, false) => FOREIGN_TRACE,
    }
}

fn severity_of(metadata: &Metadata<'_>, level: i16) -> Severity {
    match *metadata.level() {
        Level::ERROR => Severity::ERROR,
        Level::WARN => Severity::WARN,
        _ => Severity::of_level(level),
    }
}

#[derive(Default)]
struct Collected {
    message: String,
    fields: String,
    level: Option<i16>,
    /// The fields as JSON, in a log of records.
    values: Option<Fields>,
}

impl Collected {
    /// Whether it was taken as a value.
    fn take(&mut self, field: &Field, value: &(impl Serialize + ?Sized)) -> bool {
        let is_taken = field.name() != "message" && self.values.is_some();
        if let (true, Some(values)) = (is_taken, &mut self.values) {
            values.add(field.name(), value);
        }
        is_taken
    }

    fn number(&mut self, field: &Field, value: i64) {
        if field.name() == "level" {
            self.level = Some(i16::try_from(value.clamp(0, i64::from(i16::MAX))).unwrap_or(i16::MAX));
        } else if !self.take(field, &value) {
            self.record_debug(field, &value);
        }
    }
}

// Writing to a string never fails, so the results are left alone.
impl Visit for Collected {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if self.values.is_some() && self.take(field, &format!("{value:?}")) {
            return;
        }
        let _ = match field.name() {
            "message" => write!(self.message, "{value:?}"),
            name => write!(self.fields, " {name}={value:?}"),
        };
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        if !self.take(field, &value) {
            self.record_debug(field, &value);
        }
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        if !self.take(field, &value) {
            self.record_debug(field, &value);
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        if self.take(field, value) {
            return;
        }
        match field.name() {
            "message" => self.message.push_str(value),
            name => {
                let _ = write!(self.fields, " {name}={value}");
            }
        }
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.number(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.number(field, i64::try_from(value).unwrap_or(i64::MAX));
    }
}
