//! The room of a build: its tree, what is mounted in it, what its commands may use, and the time they have together.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use sandbox::{Bind, Limits, Network, Outcome, Running, Spec, View};

use crate::Watcher;
use crate::step_error::StepError;

/// Bytes read from a command at a time.
const CHUNK_BYTES: usize = 16 << 10;
/// Bytes kept of what a command says whose output is data; the longest is the list of installed packages.
pub(crate) const OUTPUT_MOST_BYTES: usize = 64 << 20;
/// Name of the machine, inside: one that every `/etc/hosts` knows.
const HOST_NAME: &str = "localhost";
/// What every command finds in its environment (`imaginator.md §12.4`).
const FIXED: [(&str, &str); 4] = [
    ("HOME", "/"),
    ("LOGNAME", "root"),
    (
        "PATH",
        "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    ),
    ("USER", "root"),
];
/// What it has from the daemon's environment, if that has it.
const COPIED: &str = "TZ";

/// Variables by name.
pub type Environment = BTreeMap<String, String>;

/// What does not differ from one command of a build to the next.
#[derive(Clone, Debug)]
pub struct RoomConfig {
    /// How sandboxes are started.
    pub command: sandbox::Command,
    /// What a command may use; the time in it does not count, `deadline` does.
    pub limits: Limits,
    /// Which network commands have.
    pub network: Network,
    /// The range of identities; no two running builds have the same.
    pub slot: u32,
    /// Name of the control group; no two running builds have the same.
    pub group: String,
    /// The longest time commands may take together (`imaginator.md §12.5`).
    pub deadline: Duration,
}

/// Where the commands of one build run.
#[derive(Clone)]
pub struct Room {
    config: RoomConfig,
    root: PathBuf,
    binds: Vec<Bind>,
    watcher: Arc<dyn Watcher>,
    /// Nanoseconds that commands have taken so far, in this room and those made of it.
    spent: Arc<AtomicU64>,
}

/// A command to be run.
#[derive(Clone, Copy, Default)]
pub struct Run<'a> {
    /// Program with its path in the tree, and its arguments.
    pub argv: &'a [&'a str],
    /// The build environment, for the commands that see it (`imaginator.md §12.4`).
    pub injected: Option<&'a Environment>,
    /// What it reads from its standard input.
    pub input: &'a [u8],
}

impl Room {
    /// A room around a tree. Absolute path; directories above it must be closed to other users of the host.
    pub fn new(config: RoomConfig, root: impl Into<PathBuf>, watcher: Arc<dyn Watcher>) -> Self {
        Self {
            config,
            root: root.into(),
            binds: Vec::new(),
            watcher,
            spent: Arc::default(),
        }
    }

    /// The same with directories of the host in it.
    #[must_use]
    pub fn with_binds(mut self, binds: Vec<Bind>) -> Self {
        self.binds = binds;
        self
    }

    /// A room around the same tree, without directories of the host. Its commands count for the same deadline.
    #[must_use]
    pub fn without_binds(&self) -> Self {
        self.clone().with_binds(Vec::new())
    }

    /// The tree.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Which network its commands have.
    pub fn network(&self) -> Network {
        self.config.network
    }

    /// Directories of the host in it.
    pub fn binds(&self) -> &[Bind] {
        &self.binds
    }

    /// What watches the build.
    pub fn watcher(&self) -> &Arc<dyn Watcher> {
        &self.watcher
    }

    /// Writes a line to the build log.
    pub fn say(&self, line: impl AsRef<str>) {
        say(&*self.watcher, line);
    }

    /// Runs a command in the tree. What it prints goes to the build log as it comes.
    ///
    /// # Errors
    /// Also if the command ends otherwise than with success: [`StepError::Command`].
    pub fn run(&self, run: Run<'_>) -> Result<(), StepError> {
        let spec = self.spec(self.tree(), run);
        self.run_logged(spec)
    }

    /// Runs a command with the programs of the host; it sees the host read-only and may change only the tree, which is at the same
    /// path inside (`imaginator.md §8.2`). Of what only root may read on the host it sees what is in `binds`,
    /// and the directories that `words` name, as in `cp -aT /srv/prepared $dir`.
    ///
    /// # Errors
    /// As [`Room::run`].
    pub fn run_on_host(&self, run: Run<'_>, binds: Vec<Bind>, words: &[String]) -> Result<(), StepError> {
        let writable = self.root.clone();
        let mut spec = self.spec(View::Host { writable }, run);
        spec.binds = binds;
        spec.show_named_directories(words);
        self.run_logged(spec)
    }

    /// Runs a command in the tree whose output is data; what it says on standard error is given to `errors`.
    ///
    /// # Errors
    /// As [`Room::run`]; also if there is more than 64 MiB.
    pub fn output_of(&self, run: Run<'_>, errors: impl FnMut(&[u8]) + Send) -> Result<Vec<u8>, StepError> {
        let mut spec = self.spec(self.tree(), run);
        let time = self.time_left()?;
        spec.limits.time = Some(time);
        let mut data = Vec::new();
        let mut is_too_much = false;
        let began = Instant::now();
        let outcome = self.supervised(self.config.command.start_with_errors_apart(&spec)?, |running| {
            let error_pipe = running.take_errors();
            std::thread::scope(|scope| {
                scope.spawn(|| read(error_pipe, errors));
                read(running.take_output(), |bytes| {
                    is_too_much |= data.len() + bytes.len() > OUTPUT_MOST_BYTES;
                    if !is_too_much {
                        data.extend_from_slice(bytes);
                    }
                });
            });
        })?;
        self.judge(outcome, time, began)?;
        if is_too_much {
            return Err(StepError::wrong("more than 64 MiB of output"));
        }
        Ok(data)
    }

    /// Runs a command that may take so long and no longer, in control groups of its own because others run at the same time; all of them
    /// together have the limits of one. `output` sees all of what it prints.
    pub(crate) fn run_beside_others(
        &self,
        run: Run<'_>,
        name: &str,
        most_time: Duration,
        output: impl FnMut(&[u8]),
    ) -> Result<Outcome, StepError> {
        let mut spec = self.spec(self.tree(), run);
        spec.limits.time = Some(self.time_left()?.min(most_time));
        spec.group = format!("{}/{name}", self.config.group);
        self.supervised(self.config.command.start(&spec)?, |running| {
            read(running.take_output(), output);
        })
    }

    fn run_logged(&self, mut spec: Spec) -> Result<(), StepError> {
        let time = self.time_left()?;
        spec.limits.time = Some(time);
        let began = Instant::now();
        let outcome = self.supervised(self.config.command.start(&spec)?, |running| {
            read(running.take_output(), |bytes| self.watcher.log(bytes));
        })?;
        self.judge(outcome, time, began)
    }

    /// Lets `follow` read until the command ends; ends it when the build is cancelled.
    fn supervised(
        &self,
        mut running: Running,
        follow: impl FnOnce(&mut Running),
    ) -> Result<Outcome, StepError> {
        let canceller = running.canceller();
        let withdrawn_at_the_end = self.watcher.on_cancel(Box::new(move || canceller.cancel()));
        follow(&mut running);
        let outcome = running.wait();
        drop(withdrawn_at_the_end);
        if self.watcher.is_cancelled() {
            return Err(StepError::Cancelled);
        }
        Ok(outcome?)
    }

    /// What an outcome means. The time since `began` is spent.
    fn judge(&self, outcome: Outcome, time: Duration, began: Instant) -> Result<(), StepError> {
        let took = u64::try_from(began.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.spent.fetch_add(took, Ordering::Relaxed);
        match outcome {
            Outcome::Exited(0) => Ok(()),
            Outcome::Cancelled => Err(StepError::Cancelled),
            Outcome::TimedOut(after) if after == time => Err(StepError::Deadline(self.config.deadline)),
            other => Err(StepError::Command(other)),
        }
    }

    fn time_left(&self) -> Result<Duration, StepError> {
        let spent = Duration::from_nanos(self.spent.load(Ordering::Relaxed));
        match self.config.deadline.checked_sub(spent) {
            _ if self.watcher.is_cancelled() => Err(StepError::Cancelled),
            Some(left) if !left.is_zero() => Ok(left),
            _ => Err(StepError::Deadline(self.config.deadline)),
        }
    }

    fn tree(&self) -> View {
        View::Tree {
            root: self.root.clone(),
        }
    }

    fn spec(&self, view: View, run: Run<'_>) -> Spec {
        let mut spec = Spec::new(view, run.argv.iter().copied());
        spec.environment = environment(run.injected, std::env::var(COPIED).ok());
        spec.input = run.input.to_vec();
        spec.binds = self.binds.clone();
        spec.network = self.config.network;
        spec.host_name = HOST_NAME.to_owned();
        spec.limits = self.config.limits.clone();
        spec.slot = self.config.slot;
        spec.group = self.config.group.clone();
        spec
    }
}

/// Directories of the host at their own paths, read-only.
pub fn read_only(paths: &[String]) -> Vec<Bind> {
    let bind = |path: &String| Bind {
        source: path.into(),
        target: path.into(),
        writable: false,
    };
    paths.iter().map(bind).collect()
}

/// Writes a line to the build log.
pub(crate) fn say(watcher: &dyn Watcher, line: impl AsRef<str>) {
    let mut line = line.as_ref().to_owned();
    line.push('\n');
    watcher.log(line.as_bytes());
}

/// Sorted by name. What is injected counts where a name is there twice.
fn environment(injected: Option<&Environment>, time_zone: Option<String>) -> Vec<(String, String)> {
    let mut all = BTreeMap::new();
    if let Some(zone) = time_zone {
        all.insert(COPIED.to_owned(), zone);
    }
    for (name, value) in FIXED {
        all.insert(name.to_owned(), value.to_owned());
    }
    for (name, value) in injected.into_iter().flatten() {
        all.insert(name.clone(), value.clone());
    }
    all.into_iter().collect()
}

/// Reads to the end, or to an error, which is the end as well.
fn read(from: Option<impl Read>, mut bytes: impl FnMut(&[u8])) {
    let Some(mut from) = from else { return };
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        match from.read(&mut chunk) {
            Ok(0) => return,
            Ok(length) => bytes(&chunk[..length]),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(_) => return,
        }
    }
}
