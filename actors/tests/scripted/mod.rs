//! What the tests of the image builder's actors share: an engine that does what a test tells it, a small image server, a clock that is
//! set by hand, and a builder's actors on them. The real engine is tested where it is.
// Helpers of tests are tests.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic
)]

pub mod cycles;
pub mod engine;
pub mod server;

use actors::build_runner::{BuildState, Why};
use actors::config_watcher::{Current, Published};
use actors::stream_scheduler::{BuildRequest, BuildRequester, RequestError, Snapshot, Ticket};
use actors::{Archiving, BuilderSystem, Clock, Scheduling, StreamScheduler, start_builder};
use builder::Delivery;
use engine::ScriptedEngine;
use recipe::{BootstrapStream, Configuration, Reading, Streams};
use server::SmallImageServer;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

pub const HOUR: Duration = Duration::from_secs(3600);

/// A time that moves when a test says so.
#[derive(Clone)]
pub struct OwnClock(Arc<Mutex<SystemTime>>);

impl OwnClock {
    pub fn new() -> OwnClock {
        OwnClock(Arc::new(Mutex::new(
            SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000),
        )))
    }

    pub fn now(&self) -> SystemTime {
        *self.0.lock().unwrap()
    }

    pub fn pass(&self, duration: Duration) {
        *self.0.lock().unwrap() += duration;
    }

    pub fn go_back(&self, duration: Duration) {
        *self.0.lock().unwrap() -= duration;
    }

    pub fn clock(&self) -> Clock {
        let own = self.clone();
        Clock::new(move || own.now())
    }
}

/// A builder's actors, and what they are told.
pub struct Builder {
    pub engine: Arc<ScriptedEngine>,
    pub server: SmallImageServer,
    pub clock: OwnClock,
    pub current: Published,
    pub root: tempfile::TempDir,
    pub system: Option<BuilderSystem>,
}

/// User streams that anybody named `fred` or `barney` may build, and bootstrap streams.
pub fn current(bootstrap: &[&str], user: &[&str], rebuilt: &[&str]) -> Current {
    let mut configuration = Configuration::default();
    for name in bootstrap {
        let stream = BootstrapStream {
            command: vec!["true".to_owned()],
            filter_lines: Vec::new(),
            image_filter: None,
            image_triggers: None,
            image_tags: BTreeMap::new(),
            owners: recipe::Owners::default(),
            packager_type: String::new(),
            packager: recipe::Packager::default(),
            bind_mounts: Vec::new(),
        };
        configuration
            .bootstrap_streams
            .insert((*name).to_owned(), Arc::new(stream));
    }
    configuration.image_streams_to_auto_rebuild = rebuilt.iter().map(|name| (*name).to_owned()).collect();
    let stream = |name: &&str| {
        format!(
            r#""{name}": {{"ManifestUrl": "dir:///nowhere", "ManifestDirectory": "{name}", "BuilderUsers": ["fred", "barney"]}}"#
        )
    };
    let streams: Vec<String> = user.iter().map(stream).collect();
    let text = format!(r#"{{"Streams": {{{}}}}}"#, streams.join(","));
    Current {
        configuration: Arc::new(configuration),
        streams: Arc::new(parse(&text)),
        is_streams_loaded: true,
        ..Current::default()
    }
}

fn parse(text: &str) -> Streams {
    let checked = Streams::parse(text.as_bytes(), &Reading::default());
    checked.value.expect("streams")
}

impl Builder {
    /// With so many places, no automatic cycles, and these user streams.
    pub fn new(places: usize, user: &[&str]) -> Builder {
        Builder::with(current(&[], user, &[]), |scheduling| scheduling.places = places)
    }

    pub fn with(current: Current, change: impl FnOnce(&mut Scheduling)) -> Builder {
        let mut builder = Builder {
            engine: Arc::default(),
            server: SmallImageServer::start(),
            clock: OwnClock::new(),
            current: Published::new(current),
            root: tempfile::tempdir().unwrap(),
            system: None,
        };
        builder.start(change);
        builder
    }

    /// Starts the actors, on what an earlier life of them left in the archive.
    pub fn start(&mut self, change: impl FnOnce(&mut Scheduling)) {
        let connect = self.server.connect();
        let mut scheduling = Scheduling {
            rebuild_interval: Duration::ZERO,
            spool_dir: self.root.path().to_owned(),
            clock: self.clock.clock(),
            look_at_clock: Duration::from_millis(5),
            first_cycle_pause: Duration::ZERO,
            allow_debug_panic: true,
            ..Scheduling::new(self.current.clone(), self.engine.clone(), connect)
        };
        change(&mut scheduling);
        let archiving = Archiving {
            dir: self.root.path().join("archive"),
            quota_bytes: 100 << 20,
        };
        self.system = Some(start_builder(scheduling, Some(archiving)).unwrap());
    }

    pub fn scheduler(&self) -> &StreamScheduler {
        &self.system.as_ref().unwrap().scheduler
    }

    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.scheduler().snapshot()
    }

    pub async fn ask(&self, stream: &str, who: &str) -> Result<Ticket, RequestError> {
        self.scheduler().request(request(stream, who)).await
    }

    /// Waits until the engine has begun with so many builds.
    pub async fn begun(&self, count: usize) {
        let what = format!("{count} builds have begun");
        eventually(&what, || self.engine.begun().len() >= count).await;
    }
}

pub fn request(stream: &str, who: &str) -> BuildRequest {
    BuildRequest {
        stream: stream.to_owned(),
        variables: BTreeMap::new(),
        branch: String::new(),
        max_source_age: None,
        expires_in: HOUR,
        maximum_duration: Duration::ZERO,
        delivery: Delivery::Publish,
        disable_recursive_build: false,
        cancel_on_disconnect: false,
        requester: BuildRequester {
            username: who.to_owned(),
            ..BuildRequester::default()
        },
    }
}

pub fn is_queued(ticket: &Ticket) -> bool {
    matches!(ticket.build().state(), BuildState::Queued)
}

pub fn is_interval(why: &Why) -> bool {
    *why == Why::Interval
}

/// Waits for something that is not told of; a bound against waiting for ever, not a measurement.
pub async fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(
            start.elapsed() < Duration::from_secs(30),
            "waited in vain: {what}"
        );
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}
