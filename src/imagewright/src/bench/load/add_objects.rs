//! New objects as fast as they are taken.

use super::{Random, Target};
use anyhow::{Context, ensure};
use hash::Hash;
use image_client::{AddOptions, AddQueue};
use std::time::Instant;
use tree_io::{Body, FoundObject};

/// Bytes of one batch, about.
const BATCH_BYTES: u64 = 64 << 20;
/// Objects of one batch at most, where they are tiny.
const BATCH_OBJECTS: usize = 3_000;
/// Larger objects are left out: the queue takes what is in memory up to here.
const OBJECT_MAX_BYTES: u64 = tree_io::sink::IN_MEMORY_BYTES;

/// Objects in memory, hashed, that no server has seen.
pub(crate) struct Batch(Vec<FoundObject>);

impl Batch {
    /// Of sizes as `like` has them, with contents that depend on `seed`.
    pub(crate) fn new(like: &[(Hash, u64)], seed: u64) -> anyhow::Result<Self> {
        let sizes: Vec<u64> = like
            .iter()
            .map(|(_, size)| *size)
            .filter(|size| *size <= OBJECT_MAX_BYTES)
            .collect();
        ensure!(!sizes.is_empty(), "the tree has no small files");
        let mut random = Random::new(seed);
        let mut objects = Vec::new();
        let mut bytes = 0;
        while bytes < BATCH_BYTES && objects.len() < BATCH_OBJECTS {
            let size = sizes[objects.len() % sizes.len()];
            // Ahead of the random bytes a number: tiny objects are to differ as well.
            let mut data = format!("{seed} {}\n", objects.len()).into_bytes();
            data.extend(random.bytes(usize::try_from(size)?));
            bytes += data.len() as u64;
            objects.push(FoundObject {
                hash: hash::of(&data),
                size: data.len() as u64,
                body: Body::Bytes(data),
            });
        }
        Ok(Self(objects))
    }
}

/// The batch over so many connections at once; millions of bytes per second until the last one is acknowledged.
pub(crate) async fn add_objects(target: &Target, clients: usize, batch: Batch) -> anyhow::Result<f64> {
    let connections = target.connect_many(clients).await?;
    let bytes: u64 = batch.0.iter().map(|object| object.size).sum();
    let mut shares: Vec<Vec<FoundObject>> = (0..clients).map(|_| Vec::new()).collect();
    for (number, object) in batch.0.into_iter().enumerate() {
        shares[number % clients].push(object);
    }
    let start = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for (client, share) in connections.into_iter().zip(shares) {
        tasks.spawn(async move {
            let queue = AddQueue::start(client, None, AddOptions::default());
            for object in share {
                if queue.add(object).await.is_err() {
                    // Its end tells why.
                    break;
                }
            }
            queue.finish().await.map(|_| ())
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.context("a client died")??;
    }
    Ok(bytes as f64 / 1e6 / start.elapsed().as_secs_f64())
}
