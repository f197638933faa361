//! Finding out which stream is built on which (`imaginator.md §17`): manifests are fetched, each repository once, and the sources in them
//! expanded.

use super::config::{ManifestFetcher, ManifestUrl, Manifests};
use super::dependencies::Dependencies;
use super::shared::Shared;
use crate::config_watcher::Current;
use crate::pool::Pool;
use futures_util::FutureExt;
use recipe::{Manifest, ManifestLocation, environment};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

/// Repositories that are fetched at a time, at most.
const FETCHES: usize = 8;

/// Shortest time between two attempts that nobody asks for.
const SHORTEST_PAUSE: Duration = Duration::from_secs(10);

/// Fetching takes at most one part in so many of the time.
const PAUSE_PER_FETCH: u32 = 10;

/// An attempt that is younger is good enough for everybody.
pub(super) const SHORTEST_AGE: Duration = Duration::from_secs(2);

/// The longest that an attempt does for everybody because fetching took long: who asks wants to know what there is by now.
const LONGEST_PAUSE_ON_DEMAND: Duration = Duration::from_secs(60);

/// How long somebody waits for an attempt; then there is what there was.
const ATTEMPT_WAIT: Duration = Duration::from_secs(900);

/// Bytes of a fetch log that are kept.
const LOG_BYTES: usize = 1 << 20;

/// Runs until it is dropped.
pub(super) async fn run(shared: Arc<Shared>) {
    let Some(fetcher) = shared.config.manifests.clone() else {
        return std::future::pending().await;
    };
    let threads = std::thread::available_parallelism()
        .map_or(1, usize::from)
        .min(FETCHES);
    let pool = match Pool::new("manifests", threads, 64) {
        Ok(pool) => pool,
        Err(error) => {
            tracing::error!("Dependencies: cannot start threads: {error}");
            return std::future::pending().await;
        }
    };
    let mut changes = shared.config.current.changes();
    // It never fails but by taking too long, and then there is nothing to generate from.
    while shared.wait_for_streams(Duration::from_secs(3600)).await.is_err() {}
    loop {
        changes.mark_unchanged();
        let took = attempt(&shared, &fetcher, &pool).await;
        let pause = took.saturating_mul(PAUSE_PER_FETCH).max(SHORTEST_PAUSE);
        tokio::select! {
            () = shared.dependencies_wanted.notified() => {}
            Ok(()) = changes.changed() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// What came of fetching one repository.
type Fetched = (String, Vec<u8>, Result<Manifests, String>, Duration);

/// Tries once, and publishes what came of it. How long fetching took, all together.
async fn attempt(shared: &Shared, fetcher: &Arc<dyn ManifestFetcher>, pool: &Pool) -> Duration {
    let began_at = shared.now();
    let current = shared.config.current.current();
    let locations = locations(&current);
    let mut urls: BTreeMap<&str, ManifestUrl> = BTreeMap::new();
    for (location, shown) in locations.values() {
        let url = urls.entry(&location.url).or_insert_with(|| ManifestUrl {
            shown: shown.clone(),
            expanded: location.url.clone(),
            directories: BTreeSet::new(),
        });
        url.directories
            .insert(location.directory.trim_matches('/').to_owned());
    }
    let fetches = urls.into_values().map(|url| {
        let fetcher = fetcher.clone();
        async move {
            let (expanded, shown) = (url.expanded.clone(), url.shown.clone());
            let start = Instant::now();
            let fetched = pool
                .run(move || {
                    let mut log = format!("Fetching {}\n", url.shown).into_bytes();
                    let manifests = fetcher.fetch(&url, &mut log);
                    (log, manifests)
                })
                .await;
            let (log, manifests) = fetched.unwrap_or_else(|panic| (Vec::new(), Err(panic.to_string())));
            let manifests = manifests.map_err(|error| format!("{shown}: {error}"));
            (expanded, log, manifests, start.elapsed())
        }
    });
    let fetched: Vec<Fetched> = futures_util::future::join_all(fetches).await;
    let took: Duration = fetched.iter().map(|(.., took)| *took).sum();
    publish(shared, &current, &locations, fetched, began_at, took);
    took
}

fn publish(
    shared: &Shared,
    current: &Current,
    locations: &BTreeMap<String, (ManifestLocation, String)>,
    fetched: Vec<Fetched>,
    began_at: SystemTime,
    took: Duration,
) {
    let mut log = Vec::new();
    let mut repositories = BTreeMap::new();
    let mut failure = None;
    for (url, part, manifests, _) in fetched {
        log.extend_from_slice(&part);
        match manifests {
            Ok(manifests) => {
                repositories.insert(url, manifests);
            }
            Err(error) => {
                log.extend_from_slice(format!("{error}\n").as_bytes());
                failure.get_or_insert(error);
            }
        }
    }
    let (read, problem) = sources(current, locations, &repositories);
    let failure = failure.or(problem);
    // One that cannot be read takes the graph away, as in the original, and not from cycles what the others are built on.
    let own = read.clone();
    let is_there = |stream: &str| locations.contains_key(stream);
    shared.change_unseen(|state| state.cycles.take_sources(own, is_there));
    log.truncate(LOG_BYTES);
    // Whatever git says may name the URL, and that may hold a secret.
    let log = current.secrets.redact(&log).into_owned();
    let before = shared.dependencies.borrow().clone();
    let next = match failure {
        None => with_kinds(current, read, shared.now()),
        Some(error) => {
            let error = current.secrets.redact_text(&error).into_owned();
            tracing::warn!("Dependencies: {error}");
            Dependencies {
                last_attempt_error: Some(error),
                ..(*before).clone()
            }
        }
    };
    let next = Dependencies {
        last_attempt_at: Some(began_at),
        fetch_log: log,
        does_for: took.saturating_mul(PAUSE_PER_FETCH).min(LONGEST_PAUSE_ON_DEMAND),
        ..next
    };
    // Who has asked until now looks at what comes now, and asks again if that is not what he wants.
    let _ = shared.dependencies_wanted.notified().now_or_never();
    shared.dependencies.send_replace(Arc::new(next));
    shared.change(|_| ());
}

/// Where the manifest of each user stream is, and its URL as configured. Request variables are none.
fn locations(current: &Current) -> BTreeMap<String, (ManifestLocation, String)> {
    let location = |(name, stream): (&str, &Arc<recipe::UserStream>)| {
        let location = ManifestLocation::without_request(name, stream, &current.secrets);
        (name.to_owned(), (location, stream.manifest_url.clone()))
    };
    current.streams.iter().map(location).collect()
}

/// All that could be read, and what was wrong with the first that could not.
fn sources(
    current: &Current,
    locations: &BTreeMap<String, (ManifestLocation, String)>,
    repositories: &BTreeMap<String, Manifests>,
) -> (BTreeMap<String, String>, Option<String>) {
    let mut sources = BTreeMap::new();
    let mut problem = None;
    for (name, stream) in current.streams.iter() {
        let Some((location, _)) = locations.get(name) else {
            continue;
        };
        match source(name, stream, location, repositories) {
            Ok(source) => {
                sources.insert(name.to_owned(), source);
            }
            Err(error) => {
                problem.get_or_insert(error);
            }
        }
    }
    (sources, problem)
}

fn source(
    name: &str,
    stream: &recipe::UserStream,
    location: &ManifestLocation,
    repositories: &BTreeMap<String, Manifests>,
) -> Result<String, String> {
    let directory = location.directory.trim_matches('/');
    let manifests = repositories.get(&location.url);
    let text = manifests.and_then(|manifests| manifests.get(directory));
    let text = text.ok_or_else(|| {
        let place = if directory.is_empty() {
            "its top"
        } else {
            stream.manifest_directory.as_str()
        };
        format!("{name}: no manifest in {place} of {}", stream.manifest_url)
    })?;
    let manifest = Manifest::parse(text).map_err(|problems| format!("{name}: manifest: {problems}"))?;
    Ok(manifest
        .expanded(&environment::of_stream(name, stream))
        .source_image)
}

fn with_kinds(
    current: &Current,
    stream_to_source: BTreeMap<String, String>,
    now: SystemTime,
) -> Dependencies {
    let named: BTreeSet<&str> = current.streams.iter().map(|(name, _)| name).collect();
    let mut dependencies = Dependencies {
        generated_at: Some(now),
        ..Dependencies::default()
    };
    for source in stream_to_source.values() {
        let is_named = named.contains(source.as_str());
        if is_named || current.configuration.bootstrap_streams.contains_key(source) {
            continue;
        }
        let kind = match current.find(source) {
            Err(recipe::FindError::Unknown(_)) => &mut dependencies.unbuildable_sources,
            _ => &mut dependencies.pattern_sources,
        };
        kind.insert(source.clone());
    }
    dependencies.stream_to_source = stream_to_source;
    dependencies
}

impl Shared {
    /// Dependencies of an attempt that is younger than this, and two seconds at least, or than fetching took ten times, and a minute at
    /// most; zero: what there is. Whoever asks, and however often, this host and its git servers have time for something else.
    pub(super) async fn dependencies(&self, max_age: Duration) -> Arc<Dependencies> {
        let mut known = self.dependencies.subscribe();
        if max_age.is_zero() || self.config.manifests.is_none() {
            return known.borrow_and_update().clone();
        }
        let now = self.now();
        let attempt = async {
            loop {
                {
                    let dependencies = known.borrow_and_update();
                    let oldest = now.checked_sub(max_age.max(SHORTEST_AGE).max(dependencies.does_for));
                    // One of the future was before the clock was set back.
                    let is_young = |at: SystemTime| Some(at) >= oldest && at <= self.now().max(now);
                    if dependencies.last_attempt_at.is_some_and(is_young) {
                        return dependencies.clone();
                    }
                }
                self.dependencies_wanted.notify_one();
                // The sender lives in what we hold.
                let _ = known.changed().await;
            }
        };
        let waited = tokio::time::timeout(ATTEMPT_WAIT, attempt).await;
        waited.unwrap_or_else(|_| self.dependencies.borrow().clone())
    }
}
