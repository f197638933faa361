//! Builds a stream several times and says how long each phase took, for those who make builds faster.
//!
//! `measure SERVER:PORT TEMPORARY CACHE MANIFEST_DIRECTORY STREAM TIMES`, as root; the server takes calls without certificates.
#![allow(
    clippy::unwrap_used,
    reason = "a tool for developers: what goes wrong ends it"
)]

use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use builder::{
    BuildLimits, Delivery, Engine, ObjectCacheConfig, Order, Phase, Recipe, Watcher, Workshop, WorkshopConfig,
};
use recipe::UserStream;

#[derive(Default)]
struct Clock {
    phases: Mutex<Vec<(Phase, Instant)>>,
    log: Mutex<Vec<u8>>,
}

impl Watcher for Clock {
    fn log(&self, bytes: &[u8]) {
        self.log.lock().unwrap().extend_from_slice(bytes);
    }

    fn phase(&self, phase: Phase) {
        self.phases.lock().unwrap().push((phase, Instant::now()));
    }

    fn log_so_far(&self) -> Vec<u8> {
        self.log.lock().unwrap().clone()
    }

    fn is_cancelled(&self) -> bool {
        false
    }

    fn on_cancel(&self, _end: Box<dyn Fn() + Send + Sync>) -> Box<dyn std::any::Any + Send> {
        Box::new(())
    }
}

fn main() {
    if sandbox::run_if_child().is_some() {
        return;
    }
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [server, temporary, cache, manifest, stream, times] = &arguments[..] else {
        eprintln!("measure SERVER:PORT TEMPORARY CACHE MANIFEST_DIRECTORY STREAM TIMES");
        std::process::exit(2);
    };
    let server = server.clone();
    let workshop = Workshop::new(WorkshopConfig {
        temporary: temporary.into(),
        state_directory: temporary.into(),
        object_cache: (!cache.is_empty()).then(|| ObjectCacheConfig {
            directory: cache.into(),
            most_bytes: 10 << 30,
        }),
        sandbox: sandbox::Command::new(),
        limits: BuildLimits::default(),
        network: sandbox::Network::None,
        connect: Arc::new(move || srpc::ConnectOptions::new(server.clone())),
    })
    .unwrap();
    for number in 0..times.parse().unwrap() {
        let clock = Arc::new(Clock::default());
        let watcher: Arc<dyn Watcher> = Arc::clone(&clock) as _;
        let order = order(number, stream, manifest);
        let began = Instant::now();
        let built = workshop.build(&order, &watcher);
        let ended = Instant::now();
        let mut phases = clock.phases.lock().unwrap().clone();
        phases.push((Phase::Publish, ended));
        let mut out = std::io::stdout().lock();
        if number == 0 || built.is_err() {
            out.write_all(&clock.log_so_far()).unwrap();
        }
        writeln!(out, "{:?} in {:?}", built.map(|built| built.name), ended - began).unwrap();
        for pair in phases.windows(2) {
            writeln!(out, "  {:>9.1?} {}", pair[1].1 - pair[0].1, pair[0].0).unwrap();
        }
    }
}

fn order(number: u64, stream: &str, manifest: &str) -> Order {
    Order {
        number,
        slot: 0,
        stream: stream.to_owned(),
        recipe: Recipe::User {
            stream: Arc::new(UserStream {
                manifest_url: format!("dir://{manifest}"),
                ..UserStream::default()
            }),
            bind_mounts: Vec::new(),
            mtimes_copy_filter_lines: Vec::new(),
            cache: None,
        },
        variables: std::collections::BTreeMap::new(),
        branch: String::new(),
        max_source_age: None,
        expires_in: Some(Duration::from_secs(3600)),
        deadline: Duration::from_secs(3600),
        created_for: String::new(),
        delivery: Delivery::Publish,
        secrets: Arc::default(),
    }
}
