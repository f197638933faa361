//! Many machines that each fetch an update of about a megabyte and leave again.

use super::super::figures::quantile;
use super::get_objects::fetch;
use super::{Random, Target};
use anyhow::Context;
use hash::Hash;
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::Semaphore;

/// Bytes of one update, about.
const UPDATE_BYTES: u64 = 1_000_000;
/// Larger objects are in no update: one of them would be all of it.
const OBJECT_MAX_BYTES: u64 = 500_000;
/// Machines that fetch at the same time.
const AT_ONCE: usize = 64;

/// What each machine fetches.
pub(crate) struct Fleet(Vec<Vec<(Hash, u64)>>);

/// How long it took.
pub(crate) struct Latencies {
    pub(crate) p50_milliseconds: f64,
    pub(crate) p99_milliseconds: f64,
    pub(crate) total_seconds: f64,
}

impl Fleet {
    /// Chosen from `objects`, each machine's own way.
    pub(crate) fn new(objects: &[(Hash, u64)], machines: u32) -> Self {
        let small: Vec<(Hash, u64)> = objects
            .iter()
            .copied()
            .filter(|(_, size)| *size <= OBJECT_MAX_BYTES)
            .collect();
        let update = |seed: u32| {
            let mut random = Random::new(seed.into());
            let mut update: Vec<(Hash, u64)> = Vec::new();
            let mut bytes = 0;
            while bytes < UPDATE_BYTES && update.len() < small.len() {
                let chosen = small[random.below(small.len() as u64) as usize];
                bytes += chosen.1;
                update.push(chosen);
            }
            update
        };
        Self((0..machines).map(update).collect())
    }
}

/// Every machine connects, fetches, and leaves; its time counts from when it begins to connect.
pub(crate) async fn fleet(target: &Target, fleet: &Fleet) -> anyhow::Result<Latencies> {
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let start = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for update in &fleet.0 {
        let (places, target, update) = (Arc::clone(&places), target.clone(), update.clone());
        tasks.spawn(async move {
            let _place = places.acquire().await?;
            let begun = Instant::now();
            let mut client = target.connect().await?;
            fetch(&mut client, &update).await?;
            client.close().await;
            anyhow::Ok(begun.elapsed().as_secs_f64() * 1e3)
        });
    }
    let mut milliseconds = Vec::new();
    while let Some(done) = tasks.join_next().await {
        milliseconds.push(done.context("a machine died")??);
    }
    let total_seconds = start.elapsed().as_secs_f64();
    milliseconds.sort_by(f64::total_cmp);
    Ok(Latencies {
        p50_milliseconds: quantile(&milliseconds, 0.5),
        p99_milliseconds: quantile(&milliseconds, 0.99),
        total_seconds,
    })
}
