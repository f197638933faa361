//! Fetching whole copies of what is damaged here.

use super::config::RepairSource;
use super::shared::Shared;
use crate::image_index::{EntryState, ImageEntry, IndexError};
use crate::object_store::Lease;
use crate::replicator::{Connections, ReplicationError, Sink, Wanted, fetch_batch};
use crate::task::AbortOnDrop;
use hash::Hash;
use image::Image;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// Objects repaired in one round at most; what is beyond that waits for the next.
const ROUND_OBJECTS: usize = 100_000;

/// Objects asked for together. Where one of them fails the others are asked for one by one.
const BATCH_OBJECTS: usize = 64;

/// A source has what it has.
const NO_WAIT: Duration = Duration::ZERO;

/// Repairs from time to time what others than the scrub found.
pub(super) async fn keep_repairing(shared: Arc<Shared>) {
    loop {
        tokio::time::sleep(shared.config.repair_pause).await;
        // A pass repairs what it finds, and the rest as well.
        if !shared.is_running() {
            // A task of its own: a panic over what a server sent ends one round, and not all to come.
            let ours = shared.clone();
            let round = AbortOnDrop::spawn(async move { round(&ours).await });
            if let Err(panic) = round.await {
                shared.failed(format!("repairing: internal error: {panic}"));
            }
        }
    }
}

/// Tries once to repair everything that is known to be damaged.
pub(super) async fn round(shared: &Shared) {
    let _turn = shared.repair_turn.lock().await;
    shared.found_objects(&wanted_objects(shared));
    for name in shared.images.snapshot().quarantined.keys() {
        shared.found_image(name);
    }
    for source in &shared.config.sources {
        if is_whole(shared) {
            break;
        }
        let connections = Connections::new(source.connect());
        if let Err(error) = from_source(shared, source, &connections).await {
            failed(shared, source, &error);
        }
    }
    come_back(shared).await;
}

fn is_whole(shared: &Shared) -> bool {
    shared.images.snapshot().quarantined.is_empty() && wanted_objects(shared).is_empty()
}

/// Objects that are damaged, or that an image needs and are not there.
pub(super) fn wanted_objects(shared: &Shared) -> Vec<Hash> {
    let table = &shared.objects.shared.table;
    let mut wanted: BTreeSet<Hash> = table.damaged(ROUND_OBJECTS).into_iter().collect();
    for entry in shared.images.snapshot().quarantined.values() {
        let missing = entry.missing_objects().iter();
        wanted.extend(missing.filter(|hash| !table.has(hash)).take(ROUND_OBJECTS));
    }
    wanted.into_iter().take(ROUND_OBJECTS).collect()
}

async fn from_source(
    shared: &Shared,
    source: &RepairSource,
    connections: &Connections,
) -> Result<(), ReplicationError> {
    let lease = shared.objects.lease();
    let wanted = wanted_objects(shared);
    for batch in wanted.chunks(BATCH_OBJECTS) {
        let batch = sizes(connections, batch).await?;
        let repaired = fetch(shared, source, connections, batch, &lease).await;
        if repaired > 0 {
            tracing::info!("Repaired {repaired} objects from {}", source.name);
            shared.repaired_objects(repaired);
        }
    }
    come_back(shared).await;
    let quarantined: Vec<_> = shared.images.snapshot().quarantined.values().cloned().collect();
    for entry in quarantined {
        match image(shared, source, connections, &entry, &lease).await {
            Ok(()) => {}
            // The others would fail too.
            Err(error @ ReplicationError::Upstream(image_client::Error::Connect { .. })) => {
                return Err(error);
            }
            Err(error) => failed(shared, source, &error),
        }
    }
    Ok(())
}

/// Those of the objects that the source has, with their sizes in bytes.
async fn sizes(connections: &Connections, hashes: &[Hash]) -> Result<Vec<Wanted>, ReplicationError> {
    let mut server = connections.take().await?;
    let sizes = server.check_objects(hashes.to_vec()).await?;
    connections.put_back(server);
    let had = hashes.iter().copied().zip(sizes);
    Ok(had.filter(|(_, size)| *size > 0).collect())
}

/// How many of them are here now, verified and durable.
async fn fetch(
    shared: &Shared,
    source: &RepairSource,
    connections: &Connections,
    batch: Vec<Wanted>,
    lease: &Lease,
) -> u64 {
    if batch.is_empty() {
        return 0;
    }
    let sink = Sink {
        objects: &shared.objects,
        lease,
        fetched: &|_, _| (),
    };
    if let Err(error) = fetch_batch(&sink, connections, batch.clone()).await {
        tracing::debug!("repairing from {}: {error}; one by one now", source.name);
        for object in still_absent(shared, &batch) {
            if let Err(error) = fetch_batch(&sink, connections, vec![object]).await {
                failed(shared, source, &error);
            }
        }
    }
    (batch.len() - still_absent(shared, &batch).len()) as u64
}

fn still_absent(shared: &Shared, batch: &[Wanted]) -> Vec<Wanted> {
    let table = &shared.objects.shared.table;
    let absent = batch.iter().filter(|(hash, _)| !table.has(hash));
    absent.copied().collect()
}

/// Images that lacked nothing but objects are looked at again.
async fn come_back(shared: &Shared) {
    let quarantined: Vec<_> = shared.images.snapshot().quarantined.values().cloned().collect();
    for entry in quarantined
        .iter()
        .filter(|entry| !entry.missing_objects().is_empty())
    {
        if shared.images.recheck(&entry.name).await.is_ok() && is_in_order(shared, &entry.name) {
            shared.repaired_image();
        }
    }
}

fn is_in_order(shared: &Shared, name: &Arc<str>) -> bool {
    let snapshot = shared.images.snapshot();
    let entry = snapshot.images.get(name);
    entry.is_some_and(|entry| entry.state == EntryState::Present)
}

/// An image whose file is damaged: fetched with what it needs, and written in its place.
async fn image(
    shared: &Shared,
    source: &RepairSource,
    connections: &Connections,
    entry: &ImageEntry,
    lease: &Lease,
) -> Result<(), ReplicationError> {
    let name = &entry.name;
    let mut server = connections.take().await?;
    let image = server.get_image(name, NO_WAIT).await?;
    connections.put_back(server);
    let Some(image) = image else { return Ok(()) };
    // Before anything is fetched for it.
    if let Some(what) = shared.images.copy_differs(name, &image) {
        return Err(IndexError::OtherImage {
            name: name.to_string(),
            what,
        }
        .into());
    }
    objects_of(shared, source, connections, &image, lease).await?;
    match shared.images.put_back(name, Arc::unwrap_or_clone(image)).await {
        Ok(()) => {
            tracing::info!("Repaired image {name} from {}", source.name);
            shared.repaired_image();
            Ok(())
        }
        // Somebody else was faster: it was repaired or deleted.
        Err(IndexError::NotQuarantined(_) | IndexError::DoesNotExist | IndexError::BeingModified) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Objects that the copy needs and that are not here; of an image that could not be decoded nobody knew them.
async fn objects_of(
    shared: &Shared,
    source: &RepairSource,
    connections: &Connections,
    image: &Image,
    lease: &Lease,
) -> Result<(), ReplicationError> {
    let needed: Vec<Hash> = image::objects::distinct(image)
        .into_iter()
        .map(|(hash, _)| hash)
        .collect();
    // Under the lease from here on, whether they were here or not.
    let here = shared.objects.sizes(&needed, Some(lease));
    let absent = needed.iter().zip(here).filter(|(_, size)| *size == 0);
    let absent: Vec<Hash> = absent.map(|(hash, _)| *hash).collect();
    for batch in absent.chunks(BATCH_OBJECTS) {
        let batch = sizes(connections, batch).await?;
        let repaired = fetch(shared, source, connections, batch, lease).await;
        shared.found_objects(&absent);
        shared.repaired_objects(repaired);
    }
    Ok(())
}

fn failed(shared: &Shared, source: &RepairSource, error: &ReplicationError) {
    let text = format!("repairing from {}: {error}", source.name);
    // It comes back every minute until it is repaired.
    if shared.last_error().as_ref() != Some(&text) {
        tracing::warn!("{text}");
    }
    shared.failed(text);
}
