//! Paths and what stands behind them.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::RwLock;

use super::recorder::Recorder;
use super::{Process, Unit, Value};
use crate::metrics::text::ForScripts;

type Read = Arc<dyn Fn() -> Option<Value> + Send + Sync>;
type ReadTree = Arc<dyn Fn() -> Vec<Sample> + Send + Sync>;

/// A figure and its value at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// Such as `/image-count`.
    pub path: String,
    /// What it is.
    pub description: Cow<'static, str>,
    /// What it counts.
    pub unit: Unit,
    /// The value.
    pub value: Value,
}

impl Sample {
    /// A sample.
    pub fn new(
        path: impl Into<String>,
        description: impl Into<Cow<'static, str>>,
        unit: Unit,
        value: impl Into<Value>,
    ) -> Self {
        Self {
            path: path.into(),
            description: description.into(),
            unit,
            value: value.into(),
        }
    }
}

struct Leaf {
    description: Cow<'static, str>,
    unit: Unit,
    read: Read,
}

/// The figures of a process.
pub struct Metrics {
    program: String,
    leaves: RwLock<BTreeMap<String, Leaf>>,
    trees: RwLock<Vec<ReadTree>>,
    recorder: Recorder,
    process: Arc<Process>,
}

impl Metrics {
    /// The figures every process has (`/proc/...`), without a recorder for the `metrics` facade.
    pub fn new(program: impl Into<String>) -> Arc<Self> {
        Self::with(program.into(), Recorder::absent())
    }

    /// The same with the recorder for the whole process, which the first caller in a process gets.
    pub fn install(program: impl Into<String>) -> Arc<Self> {
        Self::with(program.into(), Recorder::install())
    }

    fn with(program: String, recorder: Recorder) -> Arc<Self> {
        let process = Arc::new(Process::new());
        let metrics = Self {
            program,
            leaves: RwLock::default(),
            trees: RwLock::default(),
            recorder,
            process: Arc::clone(&process),
        };
        metrics.register_tree(move || process.samples());
        Arc::new(metrics)
    }

    /// Adds a figure; one of the same path is replaced.
    pub fn register<V: Into<Value>>(
        &self,
        path: impl Into<String>,
        description: impl Into<Cow<'static, str>>,
        unit: Unit,
        read: impl Fn() -> V + Send + Sync + 'static,
    ) {
        self.register_optional(path, description, unit, move || Some(read().into()));
    }

    /// Adds a figure that may have no value, and then is not listed.
    pub fn register_optional(
        &self,
        path: impl Into<String>,
        description: impl Into<Cow<'static, str>>,
        unit: Unit,
        read: impl Fn() -> Option<Value> + Send + Sync + 'static,
    ) {
        let leaf = Leaf {
            description: description.into(),
            unit,
            read: Arc::new(read),
        };
        self.leaves.write().insert(path.into(), leaf);
    }

    /// Adds many figures that are read together.
    pub fn register_tree(&self, read: impl Fn() -> Vec<Sample> + Send + Sync + 'static) {
        self.trees.write().push(Arc::new(read));
    }

    /// Adds `/proc/flags/NAME` for every flag.
    pub fn register_flags(&self, table: &flags::Table, values: &flags::Values) {
        let described: BTreeMap<&str, &'static str> = table
            .all_flags()
            .iter()
            .map(|flag| (flag.name(), flag.help()))
            .collect();
        for (name, value, _) in values.iter() {
            let (unit, value) = match value {
                flags::Value::Boolean(value) => (Unit::None, Value::Boolean(*value)),
                flags::Value::Integer(value) => (Unit::None, Value::Signed(*value)),
                flags::Value::Unsigned(value) => (Unit::None, Value::Unsigned(*value)),
                flags::Value::Duration(value) => (Unit::Seconds, Value::Duration(*value)),
                other => (Unit::None, Value::Text(other.to_string())),
            };
            let description = described.get(name).copied().unwrap_or_default();
            self.register(format!("/proc/flags/{name}"), description, unit, move || {
                value.clone()
            });
        }
    }

    /// All samples at or below a path, in order of their paths. `/` or an empty path is everything.
    pub fn samples(&self, path: &str) -> Vec<Sample> {
        let path = path.trim_end_matches('/');
        // The locks are let go before any closure runs: closures may take other locks.
        let leaves: Vec<(String, Cow<'static, str>, Unit, Read)> = self
            .leaves
            .read()
            .iter()
            .filter(|(name, _)| is_at_or_below(name, path))
            .map(|(name, leaf)| {
                (
                    name.clone(),
                    leaf.description.clone(),
                    leaf.unit,
                    Arc::clone(&leaf.read),
                )
            })
            .collect();
        let trees = self.trees.read().clone();
        let mut samples: Vec<Sample> = leaves
            .into_iter()
            .filter_map(|(path, description, unit, read)| {
                Some(Sample {
                    path,
                    description,
                    unit,
                    value: read()?,
                })
            })
            .collect();
        for tree in trees {
            samples.extend(
                tree()
                    .into_iter()
                    .filter(|sample| is_at_or_below(&sample.path, path)),
            );
        }
        samples.sort_by(|left, right| left.path.cmp(&right.path));
        samples.dedup_by(|later, earlier| later.path == earlier.path);
        samples
    }

    /// The sample of exactly this path.
    pub fn sample(&self, path: &str) -> Option<Sample> {
        let path = path.trim_end_matches('/');
        self.samples(path).into_iter().find(|sample| sample.path == path)
    }

    /// Lines `PATH VALUE` of everything at or below a path, for scripts. A figure asked for by its own path gives its
    /// value alone.
    pub fn script_text(&self, path: &str) -> Option<String> {
        let samples = self.samples(path);
        match samples.as_slice() {
            [] => None,
            [only] if only.path == path.trim_end_matches('/') => {
                Some(format!("{}\n", ForScripts(&only.value)))
            }
            many => Some(
                many.iter()
                    .map(|sample| format!("{} {}\n", sample.path, ForScripts(&sample.value)))
                    .collect(),
            ),
        }
    }

    /// Everything in the text format of Prometheus: what the `metrics` facade recorded, the process, and the registered
    /// figures that are numbers, as `PROGRAM_PATH`. What `/srpc/server` and `/proc` show is in the first two already.
    pub fn prometheus_text(&self) -> String {
        let mut text = self.recorder.render();
        text += &self.process.prometheus_text();
        for sample in self.samples("") {
            let is_there_already =
                sample.path.starts_with("/proc/") || sample.path.starts_with("/srpc/server/");
            let Some(number) = sample.value.number().filter(|_| !is_there_already) else {
                continue;
            };
            let name = prometheus_name(&self.program, &sample.path);
            let help = sample.description.replace('\\', "\\\\").replace('\n', " ");
            text += &format!("# HELP {name} {help}\n# TYPE {name} gauge\n{name} {number}\n\n");
        }
        text
    }

    /// Lets the recorder tidy up; call it every few seconds.
    pub fn upkeep(&self) {
        self.recorder.upkeep();
    }
}

fn is_at_or_below(name: &str, path: &str) -> bool {
    match name.strip_prefix(path) {
        Some(rest) => rest.is_empty() || rest.starts_with('/'),
        None => false,
    }
}

fn prometheus_name(program: &str, path: &str) -> String {
    let name = format!("{program}{path}");
    name.chars()
        .map(|character| {
            if character.is_ascii_alphanumeric() {
                character
            } else {
                '_'
            }
        })
        .collect()
}
