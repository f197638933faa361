//! The manifest of a user stream, fetched while the page is made (`imaginator-web.md §2`): one of few at a time, and not for long.

use std::any::Any;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use crate::pages::context::{Context, preformatted};
use crate::pages::links;
use actix_web::web;
use builder::manifest::{Fetched, fetch};
use builder::{Delivery, Order, Phase, Recipe, Watcher};
use front::page::escape;
use parking_lot::Mutex;
use recipe::{Manifest, Secrets, UserStream, environment};
use tokio::sync::Semaphore;

/// Manifests fetched for pages at a time.
const FETCHES_MOST: usize = 2;
/// How long fetching may take before the page does without.
const FETCH_TIME: Duration = Duration::from_secs(20);
/// Bytes of a file that are shown.
const FILE_BYTES: u64 = 256 << 10;
/// Bytes of what was told while fetching.
const LOG_BYTES: usize = 64 << 10;
/// Files and directories that are counted.
const ENTRIES_MOST: usize = 100_000;

/// What was found.
struct Found {
    commit: Option<String>,
    branch: String,
    /// Names of files with what is in them.
    files: Vec<(&'static str, String)>,
    source: Option<String>,
    size: Option<u64>,
}

/// The sections of the page.
pub(super) async fn show(context: &Context<'_>, name: &str, stream: &Arc<UserStream>) -> String {
    static PLACES: LazyLock<Semaphore> = LazyLock::new(|| Semaphore::new(FETCHES_MOST));
    let Ok(place) = PLACES.try_acquire() else {
        return "<h2>Manifest</h2><p>Other manifests are being fetched for pages: ask again in a moment.</p>"
            .to_owned();
    };
    let current = context.shared.configuration.current();
    let order = order(name, stream, &current.secrets);
    let watch = Arc::new(Watch::default());
    let (watcher, of_stream) = (Arc::clone(&watch) as Arc<dyn Watcher>, Arc::clone(stream));
    let secrets = Arc::clone(&current.secrets);
    // Closed to others, and emptied by the next start however this process ends.
    let temporary = context.shared.workshop.figures().temporary;
    let fetching = web::block(move || {
        // Who asked may be gone long before this is.
        let _place = place;
        fetch(&order, &of_stream, &watcher, &temporary)
            .map(|fetched| read(&fetched, &order.stream, &of_stream))
            .map_err(|error| error.to_string())
    });
    tokio::pin!(fetching);
    let outcome = tokio::select! {
        outcome = &mut fetching => outcome,
        () = tokio::time::sleep(FETCH_TIME) => {
            watch.cancel();
            // Ended, it leaves nothing behind; that takes no time worth a bound.
            let _ = fetching.await;
            Ok(Err(format!("it took longer than {}", human::duration(FETCH_TIME))))
        }
    };
    let log = String::from_utf8_lossy(&watch.log_so_far()).into_owned();
    let log = secrets.redact_text(&log).into_owned();
    match outcome {
        Ok(Ok(found)) => html(context, &found, &log, &secrets),
        Ok(Err(error)) => failed(&secrets.redact_text(&error), &log),
        Err(error) => failed(&error.to_string(), &log),
    }
}

fn order(name: &str, stream: &Arc<UserStream>, secrets: &Arc<Secrets>) -> Order {
    // Numbers of builds count up from 1; these are never theirs.
    static NEXT: AtomicU64 = AtomicU64::new(u64::MAX);
    Order {
        number: NEXT.fetch_sub(1, Ordering::Relaxed),
        slot: 0,
        stream: name.to_owned(),
        recipe: Recipe::User {
            stream: Arc::clone(stream),
            bind_mounts: Vec::new(),
            mtimes_copy_filter_lines: Vec::new(),
            cache: None,
        },
        variables: BTreeMap::new(),
        branch: String::new(),
        max_source_age: None,
        expires_in: None,
        deadline: FETCH_TIME,
        created_for: String::new(),
        delivery: Delivery::Publish,
        secrets: Arc::clone(secrets),
    }
}

fn read(fetched: &Fetched, name: &str, stream: &UserStream) -> Found {
    let text = |file: &'static str| {
        let bytes = fetched.read(Path::new(file), FILE_BYTES);
        match bytes {
            Ok(Some(bytes)) => Some((file, String::from_utf8_lossy(&bytes).into_owned())),
            Ok(None) => None,
            Err(error) => Some((file, format!("[cannot be shown: {error}]"))),
        }
    };
    let files: Vec<(&'static str, String)> = ["manifest", "package-list", "tags.json"]
        .into_iter()
        .filter_map(text)
        .collect();
    let manifest = files.iter().find(|(file, _)| *file == "manifest");
    let parsed = manifest.and_then(|(_, text)| Manifest::parse(text.as_bytes()).ok());
    let variables = environment(name, stream, &BTreeMap::new(), fetched.commit.as_deref(), "");
    Found {
        commit: fetched.commit.clone(),
        branch: fetched.branch.clone(),
        source: parsed.map(|manifest| manifest.expanded(&variables).source_image),
        size: size_of(fetched.directory().to_owned()),
        files,
    }
}

/// Bytes of all files below; `None` if there are too many to be counted. No link is followed.
fn size_of(top: PathBuf) -> Option<u64> {
    let (mut bytes, mut left) = (0_u64, ENTRIES_MOST);
    let mut waiting = vec![top];
    while let Some(directory) = waiting.pop() {
        for entry in std::fs::read_dir(directory).ok()?.flatten() {
            left = left.checked_sub(1)?;
            let Ok(metadata) = entry.metadata() else { continue };
            if metadata.is_dir() {
                waiting.push(entry.path());
            } else {
                bytes = bytes.saturating_add(metadata.len());
            }
        }
    }
    Some(bytes)
}

fn html(context: &Context<'_>, found: &Found, log: &str, secrets: &Secrets) -> String {
    let mut html = String::from("<h2>Manifest</h2><dl class=\"facts\">");
    if let Some(commit) = &found.commit {
        html += &format!(
            "<dt>Latest commit on branch {}</dt><dd>{}</dd>",
            escape(&found.branch),
            front::page::hash(commit)
        );
    }
    if let Some(source) = &found.source {
        let current = context.shared.configuration.current();
        let shown = match current.find(source) {
            Ok(_) => links::anchor(&links::stream(source), source),
            Err(error) => format!(
                "{} <span class=\"faint\">({})</span>",
                escape(source),
                escape(&error.to_string())
            ),
        };
        html += &format!("<dt>SourceImage</dt><dd>{shown}</dd>");
    }
    if let Some(size) = found.size {
        html += &format!("<dt>Manifest tree size</dt><dd>{}</dd>", front::page::size(size));
    }
    html += "</dl>";
    for (file, text) in &found.files {
        html += &format!("<h3>{file}</h3>{}", preformatted(&secrets.redact_text(text)));
    }
    if !log.is_empty() {
        html += &format!(
            "<details><summary>fetch log</summary>{}</details>",
            preformatted(log)
        );
    }
    html
}

fn failed(error: &str, log: &str) -> String {
    format!(
        "<h2>Manifest</h2><section class=\"problem\"><p><strong>The manifest cannot be had: {}</strong></p>{}</section>",
        escape(error),
        preformatted(log)
    )
}

/// Keeps what is told while fetching, and ends it.
#[derive(Default)]
struct Watch(Mutex<Watched>);

#[derive(Default)]
struct Watched {
    log: Vec<u8>,
    is_cancelled: bool,
    ends: Vec<Arc<dyn Fn() + Send + Sync>>,
}

impl Watch {
    fn cancel(&self) {
        let ends = {
            let mut watched = self.0.lock();
            watched.is_cancelled = true;
            std::mem::take(&mut watched.ends)
        };
        for end in ends {
            end();
        }
    }
}

impl Watcher for Watch {
    fn log(&self, bytes: &[u8]) {
        let log = &mut self.0.lock().log;
        let room = LOG_BYTES.saturating_sub(log.len());
        log.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    fn phase(&self, _: Phase) {}

    fn log_so_far(&self) -> Vec<u8> {
        self.0.lock().log.clone()
    }

    fn is_cancelled(&self) -> bool {
        self.0.lock().is_cancelled
    }

    fn on_cancel(&self, end: Box<dyn Fn() + Send + Sync>) -> Box<dyn Any + Send> {
        let end: Arc<dyn Fn() + Send + Sync> = end.into();
        let is_cancelled = {
            let mut watched = self.0.lock();
            if !watched.is_cancelled {
                watched.ends.push(Arc::clone(&end));
            }
            watched.is_cancelled
        };
        if is_cancelled {
            end();
        }
        // It lives no longer than the fetching: there is nothing to be withdrawn.
        Box::new(())
    }
}
