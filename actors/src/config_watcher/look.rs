//! A look at a text: is it another, and is it good?

use super::copy;
use super::fetch::{Fetcher, read_file};
use super::host;
use super::kind::Kind;
use super::shared::{Digests, Good, Memory, Shared};
use super::stamp::Stamp;
use hash::Hash;
use parking_lot::Mutex;
use recipe::{Checked, Configuration, Format, Problem, Reading, Secrets, Source, Streams};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::runtime::Handle;

/// How closely to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    /// Do not read a file whose stamp is what it was.
    Passing,
    /// Read it, and parse it if it is another.
    Close,
}

/// Files as they were when they were read.
pub(super) type Stamps = Vec<(PathBuf, Option<Stamp>)>;

/// A text that was read: good or not, and what was read with it.
struct Parsed {
    good: Option<Good>,
    problems: Vec<Problem>,
    others: Others,
}

/// What a configuration names, and was read with it.
#[derive(Default)]
pub(super) struct Others {
    files: Stamps,
    contents: Vec<u8>,
}

impl Shared {
    /// Looks at a text, after whoever looks at it now.
    pub(super) async fn look(self: &Arc<Self>, kind: Kind, look: Look) {
        let _turn = self.turns[kind as usize].lock.lock().await;
        self.look_in_turn(kind, look).await;
    }

    /// Looks closely, unless somebody else began to do so after this was asked for and has ended.
    pub(super) async fn look_soon(self: &Arc<Self>, kind: Kind) {
        let turn = &self.turns[kind as usize];
        let begun = turn.begun.load(Ordering::Acquire);
        let _turn = turn.lock.lock().await;
        if turn.begun.load(Ordering::Acquire) == begun {
            self.look_in_turn(kind, Look::Close).await;
        }
    }

    async fn look_in_turn(self: &Arc<Self>, kind: Kind, look: Look) {
        self.begin(kind);
        let source = match self.source(kind) {
            Ok(Some(source)) => source,
            Ok(None) => return self.nothing_to_look_at(kind),
            Err(problem) => return self.failed(kind, problem),
        };
        let file = match &source {
            Source::File(path) => Some(path.clone()),
            Source::Http(_) | Source::Git { .. } => None,
        };
        self.wakes.follow(kind, file.as_deref());
        let memory = self.memory(kind);
        let is_other = memory.is_stale || memory.source.as_ref() != Some(&source);
        if look == Look::Passing && !is_other && self.is_file_as_it_was(&memory).await {
            // Whether good or bad: nothing is new.
            return self.still_there(kind);
        }
        // Before it is read: what is written meanwhile is seen at the next look.
        let file = file.map(|path| (path.clone(), Stamp::of_path(&path).ok()));
        let content = match self.fetcher.fetch(&source, &self.secrets()).await {
            Ok(content) => content,
            Err(problem) => {
                self.remember(kind, |memory| memory.file = None);
                return self.failed(kind, problem);
            }
        };
        let digest = hash::of(&content);
        self.remember(kind, |memory| {
            memory.source = Some(source.clone());
            memory.file = file;
        });
        if !memory.is_stale && memory.others.iter().all(is_same) {
            if memory.in_force == Some(digest) {
                return self.unchanged(kind);
            }
            if memory.refused == Some(digest) {
                return self.still_bad(kind);
            }
        }
        self.remember(kind, |memory| memory.is_stale = false);
        self.judge(kind, &source, content, digest).await;
    }

    /// Neither the file nor what was read with it was touched.
    async fn is_file_as_it_was(&self, memory: &Memory) -> bool {
        let Some(file) = memory.file.clone() else {
            return false;
        };
        let others = memory.others.clone();
        let work = move || is_same(&file) && others.iter().all(is_same);
        self.fetcher.run(work).await == Ok(true)
    }

    /// Parses a text, and puts it in force if it is good.
    async fn judge(self: &Arc<Self>, kind: Kind, source: &Source, content: Vec<u8>, digest: Hash) {
        let (format, fetcher, secrets) = (format_of(source), self.fetcher.clone(), self.secrets());
        let text = content.clone();
        let handle = Handle::current();
        let work = move || parse(kind, &text, format, &secrets, &fetcher, &handle);
        let Parsed {
            good,
            problems,
            others,
        } = match self.fetcher.run(work).await {
            Ok(parsed) => parsed,
            Err(problem) => return self.failed(kind, problem),
        };
        self.remember(kind, |memory| memory.others = others.files);
        let Some(good) = good else {
            self.remember(kind, |memory| memory.refused = Some(digest));
            let errors = problems.into_iter().filter(Problem::is_error).collect();
            return self.failed(kind, recipe::Problems(errors).to_string());
        };
        let digests = Digests {
            text: Some(digest),
            others: Some(hash::of(&others.contents)),
        };
        self.put_in_force(good, digests, problems);
        if kind == Kind::Streams {
            let path = copy::path(&self.settings.state_dir);
            let saved = self.fetcher.run(move || copy::save(&path, &content)).await;
            if let Err(problem) | Ok(Err(problem)) = saved {
                tracing::error!("cannot keep a copy of the image streams: {problem}");
            }
        }
    }

    /// No place is configured: for streams that is an answer.
    fn nothing_to_look_at(&self, kind: Kind) {
        self.wakes.follow(kind, None);
        let memory = self.memory(kind);
        if kind == Kind::Streams && (memory.source.is_some() || !self.is_streams_loaded()) {
            self.remember(kind, |memory| {
                (memory.source, memory.file) = (None, None);
            });
            let good = Good::Streams {
                streams: Streams::default(),
                is_copy: false,
            };
            self.put_in_force(good, Digests::default(), Vec::new());
        }
    }

    fn still_there(&self, kind: Kind) {
        match self.memory(kind).refused {
            Some(_) => self.still_bad(kind),
            None => self.unchanged(kind),
        }
    }

    /// Puts the copy of an earlier run in force, if nothing else came.
    pub(super) async fn take_copy(self: &Arc<Self>) {
        let Ok(Some(source)) = self.source(Kind::Streams) else {
            return;
        };
        let path = copy::path(&self.settings.state_dir);
        let (format, secrets) = (format_of(&source), self.secrets());
        let work = move || {
            let content = read_file(&path)?;
            let parsed = streams(&content, format, &secrets);
            let digest = hash::of(&content);
            let streams = parsed.into_result().map_err(|problems| problems.to_string())?;
            Ok::<_, String>((streams, digest))
        };
        match self.fetcher.run(work).await {
            Ok(Ok((streams, digest))) => {
                let good = Good::Streams {
                    streams,
                    is_copy: true,
                };
                let digests = Digests {
                    text: Some(digest),
                    others: Some(hash::of(&[])),
                };
                self.put_in_force(good, digests, Vec::new());
            }
            Ok(Err(problem)) | Err(problem) => {
                tracing::warn!("no image streams yet, and no copy of an earlier run: {problem}");
            }
        }
    }
}

fn is_same((path, stamp): &(PathBuf, Option<Stamp>)) -> bool {
    Stamp::of_path(path).ok() == *stamp
}

pub(super) fn format_of(source: &Source) -> Format {
    match source {
        Source::File(path) => Format::of(&path.to_string_lossy()),
        Source::Http(url) => Format::of(url.split(['?', '#']).next().unwrap_or_default()),
        Source::Git { path, .. } => Format::of(path),
    }
}

fn streams(text: &[u8], format: Format, secrets: &Secrets) -> Checked<Streams> {
    let reading = Reading {
        format,
        secrets: Some(secrets),
        ..Reading::default()
    };
    Streams::parse(text, &reading)
}

/// Parses a text. Blocks: what a configuration names is read as well.
fn parse(
    kind: Kind,
    text: &[u8],
    format: Format,
    secrets: &Secrets,
    fetcher: &Fetcher,
    handle: &Handle,
) -> Parsed {
    fn parsed<T>(checked: Checked<T>, good: impl FnOnce(T) -> Good) -> Parsed {
        Parsed {
            good: checked.value.map(good),
            problems: checked.problems,
            others: Others::default(),
        }
    }
    match kind {
        Kind::Variables => parsed(Secrets::parse(text), Good::Variables),
        Kind::Streams => parsed(streams(text, format, secrets), |streams| Good::Streams {
            streams,
            is_copy: false,
        }),
        Kind::Configuration => {
            let others = Mutex::default();
            let checked = configuration(text, format, secrets, fetcher, handle, &others);
            Parsed {
                others: others.into_inner(),
                ..parsed(checked, Good::Configuration)
            }
        }
    }
}

/// Parses a main configuration, reads what it names, and holds it against this host.
pub(super) fn configuration(
    text: &[u8],
    format: Format,
    secrets: &Secrets,
    fetcher: &Fetcher,
    handle: &Handle,
    others: &Mutex<Others>,
) -> Checked<Configuration> {
    let open = |url: &str| {
        let content = match Source::parse(url).map_err(|error| error.to_string())? {
            Source::File(path) => {
                let stamp = Stamp::of_path(&path).ok();
                others.lock().files.push((path.clone(), stamp));
                read_file(&path)
            }
            Source::Git { repository, path } => fetcher.file_of_git(&repository, &path, secrets),
            source @ Source::Http(_) => handle.block_on(fetcher.fetch(&source, &Arc::default())),
        }?;
        others.lock().contents.extend_from_slice(&content);
        Ok(content)
    };
    let reading = Reading {
        format,
        secrets: Some(secrets),
        open: &open,
        ..Reading::default()
    };
    let mut checked = Configuration::parse(text, &reading);
    if let Some(configuration) = &checked.value {
        checked.problems.extend(host::problems(configuration));
        if checked.problems.iter().any(Problem::is_error) {
            checked.value = None;
        }
    }
    checked
}
