//! Objects of an image that are not here: in batches over several connections, verified and durable.

use super::Connections;
use super::error::ReplicationError;
use super::shared::Shared;
use crate::object_store::{Lease, ObjectError, ObjectStore};
use futures_util::{StreamExt, TryStreamExt, stream};
use hash::Hash;
use image::Image;
use image_client::ObjectStream;
use image_client::fetch::{PIECE_BYTES, Piece, Verify};
use storage::{Named, StorageError};

/// Batches under way at a time, each on its own connection; of all images together.
pub(super) const PARALLEL_BATCHES: usize = 4;

/// Objects of one batch, and bytes: one batch is one request, and no connection is left with all of the work.
const BATCH_OBJECTS: usize = 1024;
const BATCH_BYTES: u64 = 16 << 20;

/// Small objects stored together: each is an open file until it is committed.
const GROUP_OBJECTS: usize = 512;
const GROUP_BYTES: usize = 4 << 20;

/// A name and its size in bytes.
pub(crate) type Wanted = (Hash, u64);

/// Fetches what the image needs and we lack, but for what is being fetched for another image: that is waited for. The lease
/// protects all of its objects, those found here included.
pub(super) async fn fetch_missing(
    shared: &Shared,
    connections: &Connections,
    name: &str,
    image: &Image,
    lease: &Lease,
) -> Result<(), ReplicationError> {
    let needed = image::objects::distinct(image);
    loop {
        let missing = missing(shared, connections, &needed, lease).await?;
        let (claimed, others) = shared.claims.claim(missing);
        let mine = still_missing(shared, claimed.objects(), lease);
        if !mine.is_empty() {
            tracing::info!(
                "Replicator({name}): downloading {} of {} objects",
                mine.len(),
                needed.len()
            );
            fetch(shared, connections, mine, lease).await?;
        }
        drop(claimed);
        if others.is_empty() {
            return Ok(());
        }
        // They are here then, or their fetching has failed and is ours to try.
        shared.claims.wait(&others).await;
    }
}

async fn fetch(
    shared: &Shared,
    connections: &Connections,
    wanted: Vec<Wanted>,
    lease: &Lease,
) -> Result<(), ReplicationError> {
    let behind = shared
        .status
        .bytes_missing(wanted.iter().map(|(_, size)| size).sum());
    let sink = Sink {
        objects: &shared.objects,
        lease,
        fetched: &|objects, bytes| behind.fetched(objects, bytes),
    };
    let one = |batch| async {
        let _turn = shared.batches.acquire().await;
        fetch_batch(&sink, connections, batch).await
    };
    stream::iter(batches(wanted))
        .map(one)
        .buffer_unordered(PARALLEL_BATCHES)
        .try_collect()
        .await
}

/// Without those that came between the look and the claim.
fn still_missing(shared: &Shared, claimed: &[Wanted], lease: &Lease) -> Vec<Wanted> {
    let hashes: Vec<Hash> = claimed.iter().map(|(hash, _)| *hash).collect();
    let here = shared.objects.sizes(&hashes, Some(lease));
    let missing = claimed.iter().zip(here).filter(|(_, size)| *size == 0);
    missing.map(|(wanted, _)| *wanted).collect()
}

/// Those that are not here. What the image does not say the size of the upstream is asked about.
async fn missing(
    shared: &Shared,
    connections: &Connections,
    needed: &[(Hash, Option<u64>)],
    lease: &Lease,
) -> Result<Vec<Wanted>, ReplicationError> {
    let hashes: Vec<Hash> = needed.iter().map(|(hash, _)| *hash).collect();
    let here = shared.objects.sizes(&hashes, Some(lease));
    let absent = needed.iter().zip(here).filter(|(_, size)| *size == 0);
    let mut missing = Vec::new();
    let mut unsized_objects = Vec::new();
    for (&(hash, size), _) in absent {
        match size {
            Some(size) => missing.push((hash, size)),
            None => unsized_objects.push(hash),
        }
    }
    if !unsized_objects.is_empty() {
        let mut server = connections.take().await?;
        let sizes = server.check_objects(unsized_objects.clone()).await?;
        connections.put_back(server);
        for (hash, size) in unsized_objects.into_iter().zip(sizes) {
            if size == 0 {
                return Err(ReplicationError::ObjectMissing(hash));
            }
            missing.push((hash, size));
        }
    }
    Ok(missing)
}

fn batches(objects: Vec<Wanted>) -> Vec<Vec<Wanted>> {
    let mut batches = Vec::new();
    let (mut batch, mut bytes) = (Vec::new(), 0_u64);
    for (hash, size) in objects {
        batch.push((hash, size));
        bytes = bytes.saturating_add(size);
        if batch.len() >= BATCH_OBJECTS || bytes >= BATCH_BYTES {
            batches.push(std::mem::take(&mut batch));
            bytes = 0;
        }
    }
    if !batch.is_empty() {
        batches.push(batch);
    }
    batches
}

/// Where objects go that are fetched.
pub(crate) struct Sink<'s> {
    pub(crate) objects: &'s ObjectStore,
    /// Protects what was stored.
    pub(crate) lease: &'s Lease,
    /// Told of objects and bytes that are durable.
    pub(crate) fetched: &'s (dyn Fn(u64, u64) + Sync),
}

/// Fetches objects over one connection: verified and durable when it returns. Of a batch that fails some may be stored.
pub(crate) async fn fetch_batch(
    sink: &Sink<'_>,
    connections: &Connections,
    batch: Vec<Wanted>,
) -> Result<(), ReplicationError> {
    let server = connections.take().await?;
    let mut stream = ObjectStream::start(server.into_client(), batch.clone(), Verify::Reader);
    let mut group = Group::default();
    for (hash, size) in batch {
        let first = next(&mut stream).await?;
        if size > PIECE_BYTES as u64 {
            large(sink, &mut stream, first, hash).await?;
            (sink.fetched)(1, size);
            continue;
        }
        group.add(hash, first.data);
        if group.is_full() {
            group.store(sink).await?;
        }
    }
    group.store(sink).await?;
    let client = stream.finish().await?;
    connections.put_back(image_client::ImageServer::new(client));
    Ok(())
}

async fn next(stream: &mut ObjectStream) -> Result<Piece, ReplicationError> {
    let piece = stream.next().await?;
    Ok(piece.ok_or(image_client::Error::Protocol("fewer objects than wanted"))?)
}

/// One that does not fit a piece: through a temporary file as it comes.
async fn large(
    sink: &Sink<'_>,
    stream: &mut ObjectStream,
    first: Piece,
    expected: Hash,
) -> Result<(), ReplicationError> {
    let pool = &sink.objects.shared.read_pool;
    let _room = sink.objects.staging_room(1).await?;
    let backend = sink.objects.backend().clone();
    let mut staging = pool
        .run(move || backend.stage())
        .await
        .map_err(ObjectError::from)?
        .map_err(ObjectError::from)?;
    let mut piece = first;
    loop {
        let Piece { data, is_last } = piece;
        staging = pool
            .run(move || staging.write(&data).map(|()| staging))
            .await
            .map_err(ObjectError::from)?
            .map_err(ObjectError::from)?;
        if is_last {
            break;
        }
        piece = next(stream).await?;
    }
    let staged = pool
        .run(move || staging.finish())
        .await
        .map_err(ObjectError::from)?
        .map_err(ObjectError::from)?;
    check(expected, staged.hash())?;
    for outcome in sink.objects.commit(vec![staged], sink.lease).await {
        outcome?;
    }
    Ok(())
}

fn check(expected: Hash, computed: Hash) -> Result<(), ReplicationError> {
    if expected == computed {
        return Ok(());
    }
    Err(ReplicationError::ObjectDamaged {
        expected: Box::new(expected),
        computed: Box::new(computed),
    })
}

/// Small objects that are stored together.
#[derive(Default)]
struct Group {
    expected: Vec<Hash>,
    contents: Vec<Vec<u8>>,
    bytes: usize,
}

impl Group {
    fn add(&mut self, hash: Hash, data: Vec<u8>) {
        self.bytes += data.len();
        self.expected.push(hash);
        self.contents.push(data);
    }

    fn is_full(&self) -> bool {
        self.contents.len() >= GROUP_OBJECTS || self.bytes >= GROUP_BYTES
    }

    /// Verified, staged and committed; empty afterwards.
    async fn store(&mut self, sink: &Sink<'_>) -> Result<(), ReplicationError> {
        let Group {
            expected,
            contents,
            bytes,
        } = std::mem::take(self);
        if expected.is_empty() {
            return Ok(());
        }
        let count = expected.len();
        let room = sink.objects.staging_room(count).await?;
        let backend = sink.objects.backend().clone();
        let stage = move || -> Result<Vec<_>, ReplicationError> {
            let named = Named::each(contents);
            for (object, expected) in named.iter().zip(&expected) {
                check(*expected, object.hash())?;
            }
            let staged: Result<Vec<_>, StorageError> =
                named.iter().map(|object| backend.stage_named(object)).collect();
            Ok(staged.map_err(ObjectError::from)?)
        };
        let staged = sink
            .objects
            .shared
            .read_pool
            .run(stage)
            .await
            .map_err(ObjectError::from)??;
        for outcome in sink.objects.commit(staged, sink.lease).await {
            outcome?;
        }
        drop(room);
        (sink.fetched)(count as u64, bytes as u64);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_are_bounded_by_number_and_by_bytes_and_keep_everything() {
        let object = |number: u64, size| (hash::of(&number.to_be_bytes()), size);
        let mut objects: Vec<Wanted> = (0..3000).map(|number| object(number, 10)).collect();
        objects.extend((3000..3004).map(|number| object(number, BATCH_BYTES / 2)));
        let batches = batches(objects.clone());
        assert_eq!(batches.concat(), objects);
        assert!(batches.iter().all(|batch| batch.len() <= BATCH_OBJECTS));
        let before_the_last =
            |batch: &Vec<Wanted>| batch[..batch.len() - 1].iter().map(|(_, size)| size).sum();
        assert!(
            batches
                .iter()
                .map(before_the_last)
                .all(|bytes: u64| bytes < BATCH_BYTES)
        );
    }
}
