//! A check of everything that is configured, without a daemon.

use super::ConfigWatching;
use super::fetch::{Fetcher, os_text, read_file};
use super::look::{configuration, format_of};
use parking_lot::Mutex;
use recipe::{Checked, Configuration, Problem, Reading, Secrets, Source, Streams, source};
use std::fmt::Write;
use std::sync::Arc;
use tokio::runtime::Handle;

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckReport {
    /// A line for each problem, and one that sums up.
    pub text: String,
    /// A daemon would not start, or would not use some of it.
    pub has_errors: bool,
}

/// Reads everything once, wherever it is, and tells all that is wrong. Blocks.
pub fn check(watching: &ConfigWatching) -> CheckReport {
    let watching = watching.clone();
    // A thread of its own, since whoever calls may be inside a runtime.
    let work = std::thread::Builder::new().spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        match runtime {
            Ok(runtime) => runtime.block_on(Check::run(&watching)),
            Err(error) => CheckReport::failed(&os_text(&error)),
        }
    });
    match work.map(std::thread::JoinHandle::join) {
        Ok(Ok(report)) => report,
        Ok(Err(_)) => CheckReport::failed("the check failed by itself"),
        Err(error) => CheckReport::failed(&os_text(&error)),
    }
}

impl CheckReport {
    fn failed(cause: &str) -> CheckReport {
        CheckReport {
            text: format!("{cause}\n"),
            has_errors: true,
        }
    }
}

/// A check under way.
struct Check {
    fetcher: Fetcher,
    secrets: Arc<Secrets>,
    text: String,
    errors: usize,
    warnings: usize,
}

impl Check {
    async fn run(watching: &ConfigWatching) -> CheckReport {
        let fetcher = match Fetcher::new(&watching.temporary) {
            Ok(fetcher) => fetcher,
            Err(error) => return CheckReport::failed(&error),
        };
        let mut check = Check {
            fetcher,
            secrets: Arc::default(),
            text: String::new(),
            errors: 0,
            warnings: 0,
        };
        check.variables(watching);
        let url = &watching.configuration_url;
        let configuration = check.configuration(url).await;
        let streams = match &configuration {
            Some(configuration) => check.streams(configuration).await,
            None => None,
        };
        if let (Some(configuration), Some(streams)) = (&configuration, &streams) {
            let shown = check.shown(url);
            check.tell(&shown, configuration.check_streams(streams));
        }
        check.sum_up(configuration.as_ref(), streams.as_ref())
    }

    fn variables(&mut self, watching: &ConfigWatching) {
        let Some(path) = &watching.variables_file else {
            return;
        };
        let shown = path.display().to_string();
        match read_file(path) {
            Ok(text) => {
                let checked = Secrets::parse(&text);
                self.tell(&shown, checked.problems);
                self.secrets = Arc::new(checked.value.unwrap_or_default());
            }
            Err(error) => self.tell("", vec![Problem::error(0, "", error)]),
        }
    }

    async fn configuration(&mut self, url: &str) -> Option<Configuration> {
        let (text, source) = self.fetch(url, url).await?;
        let (secrets, fetcher, handle) = (self.secrets.clone(), self.fetcher.clone(), Handle::current());
        let work = move || {
            let others = Mutex::default();
            configuration(&text, format_of(&source), &secrets, &fetcher, &handle, &others)
        };
        match self.fetcher.run(work).await {
            Ok(checked) => self.take(url, checked),
            Err(error) => {
                self.tell(url, vec![Problem::error(0, "", error)]);
                None
            }
        }
    }

    async fn streams(&mut self, configuration: &Configuration) -> Option<Streams> {
        let shown = &configuration.image_streams_url;
        let url = configuration.expanded_image_streams_url(&self.secrets);
        if url.is_empty() {
            return Some(Streams::default());
        }
        let (text, source) = self.fetch(&url, shown).await?;
        let secrets = self.secrets.clone();
        let reading = Reading {
            format: format_of(&source),
            secrets: Some(&secrets),
            ..Reading::default()
        };
        self.take(shown, Streams::parse(&text, &reading))
    }

    async fn fetch(&mut self, url: &str, shown: &str) -> Option<(Vec<u8>, Source)> {
        let source = Source::parse(url).map_err(|error| error.to_string());
        let fetched = match source {
            Ok(source) => {
                let text = self.fetcher.fetch(&source, &self.secrets).await;
                text.map(|text| (text, source))
            }
            Err(error) => Err(error),
        };
        fetched
            .map_err(|error| self.tell(shown, vec![Problem::error(0, "", error)]))
            .ok()
    }

    fn take<T>(&mut self, shown: &str, checked: Checked<T>) -> Option<T> {
        self.tell(shown, checked.problems);
        checked.value
    }

    fn shown(&self, url: &str) -> String {
        let shown = source::without_password(url);
        self.secrets.redact_text(&shown).into_owned()
    }

    fn tell(&mut self, url: &str, problems: Vec<Problem>) {
        let shown = self.shown(url);
        for problem in problems {
            if problem.is_error() {
                self.errors += 1;
            } else {
                self.warnings += 1;
            }
            let text = problem.to_string();
            let text = self.secrets.redact_text(&text);
            let colon = if shown.is_empty() { "" } else { ": " };
            // Writing to a String cannot fail.
            let _ = writeln!(self.text, "{shown}{colon}{text}");
        }
    }

    fn sum_up(mut self, configuration: Option<&Configuration>, streams: Option<&Streams>) -> CheckReport {
        let count = |number: usize, one: &str| match number {
            1 => format!("1 {one}"),
            number => format!("{number} {one}s"),
        };
        let found = match (configuration, streams) {
            (Some(configuration), Some(streams)) => format!(
                "{}, {}, {}",
                count(configuration.bootstrap_streams.len(), "bootstrap stream"),
                count(streams.len(), "image stream"),
                count(streams.patterns().count(), "stream pattern")
            ),
            (Some(_), None) => "no image streams".to_owned(),
            (None, _) => "no configuration".to_owned(),
        };
        let _ = writeln!(
            self.text,
            "{found}: {}, {}",
            count(self.errors, "error"),
            count(self.warnings, "warning")
        );
        CheckReport {
            text: self.text,
            has_errors: self.errors > 0,
        }
    }
}
