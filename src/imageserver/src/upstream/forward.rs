//! Objects a replica takes from its clients go to the master before they are acknowledged (`imageserver.md §4.1`).
//!
//! Each batch is asked about, and what the master lacks is sent in a call of its own, ended by its mark: the original keeps
//! its answers back until then. Batches of one client follow each other on one connection, which lives as long as the
//! client's: the master protects what came over it until the image is added.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use actors::{ObjectStore, Replicator};
use hash::Hash;
use image_client::{Error, ImageServer};
use protocol::object_server::{AddObjectRequest, AddObjectResponse};
use srpc::Stream;
use tokio::sync::Mutex;

/// Bytes read from a file at a time.
const PIECE_BYTES: u64 = 1 << 20;

/// Stored objects sent in one call. Their answers wait in the sockets' buffers until all are sent.
const SUPPLY_OBJECTS: usize = 256;

/// An object on its way to the master.
pub(crate) struct Outgoing {
    pub(crate) hash: Hash,
    pub(crate) size: u64,
    pub(crate) body: Body,
}

/// Where its bytes are.
pub(crate) enum Body {
    Bytes(Vec<u8>),
    /// Read with positions.
    File(Arc<File>),
}

/// One client's way to the master.
pub(crate) struct Forwarder {
    replicator: Replicator,
    connection: Mutex<Option<ImageServer>>,
}

impl Forwarder {
    pub(crate) fn new(replicator: Replicator) -> Self {
        Self {
            replicator,
            connection: Mutex::new(None),
        }
    }

    /// Returns once the master has all of them; for each whether it is new there.
    pub(crate) async fn forward(&self, objects: &[Outgoing]) -> Result<Vec<bool>, String> {
        let mut connection = self.connection.lock().await;
        if let Some(mut server) = connection.take() {
            match send(&mut server, objects).await {
                Ok(added) => {
                    *connection = Some(server);
                    return Ok(added);
                }
                Err(error) if error.is_refusal() => return Err(self.explain(&error)),
                Err(_) => {}
            }
        }
        // None yet, or one that broke, as when the master was restarted since the last batch. Sending twice does no harm.
        let fresh = async {
            let mut server = super::connect(&self.replicator).await?;
            let added = send(&mut server, objects).await?;
            *connection = Some(server);
            Ok(added)
        };
        fresh.await.map_err(|error: Error| self.explain(&error))
    }

    fn explain(&self, error: &Error) -> String {
        format!("error calling master: {}: {error}", self.replicator.upstream())
    }
}

async fn send(server: &mut ImageServer, objects: &[Outgoing]) -> Result<Vec<bool>, Error> {
    let mut added = vec![false; objects.len()];
    if objects.is_empty() {
        return Ok(added);
    }
    let sizes = match server
        .check_objects(objects.iter().map(|object| object.hash).collect())
        .await
    {
        Ok(sizes) => sizes,
        Err(error) if error.is_access_denied() => vec![0; objects.len()],
        Err(error) => return Err(error),
    };
    let mut missing = Vec::new();
    for (place, (object, there)) in objects.iter().zip(sizes).enumerate() {
        match there {
            0 => missing.push(place),
            there if there == object.size => {}
            there => {
                return Err(Error::SizeMismatch {
                    hash: Box::new(object.hash),
                    here: object.size,
                    there,
                });
            }
        }
    }
    if missing.is_empty() {
        return Ok(added);
    }
    let mut stream = server.client().open("ObjectServer.AddObjects").await?;
    for object in missing.iter().filter_map(|place| objects.get(*place)) {
        stream
            .write_value(&AddObjectRequest {
                length: object.size,
                expected_hash: Some(object.hash),
            })
            .await?;
        match &object.body {
            Body::Bytes(data) => stream.write_raw(data).await?,
            Body::File(file) => {
                let mut at = 0;
                while at < object.size {
                    let piece = read(file, at, (object.size - at).min(PIECE_BYTES)).await?;
                    at += piece.len() as u64;
                    stream.write_raw(&piece).await?;
                }
            }
        }
    }
    for (place, new) in missing.iter().zip(answers(stream, missing.len()).await?) {
        if let Some(added) = added.get_mut(*place) {
            *added = new;
        }
    }
    Ok(added)
}

/// Sends those of these objects that the master lacks, from our store. A client that heard from us that they are present has
/// not sent them; but the master may have collected what we still have.
pub(super) async fn supply(
    server: &mut ImageServer,
    objects: &ObjectStore,
    hashes: Vec<Hash>,
) -> Result<(), Error> {
    let sizes = server.check_objects(hashes.clone()).await?;
    let missing: Vec<Hash> = hashes
        .into_iter()
        .zip(sizes)
        .filter(|(_, size)| *size == 0)
        .map(|(hash, _)| hash)
        .collect();
    let refused = |error: actors::ObjectError| Error::Refused(error.to_string());
    for some in missing.chunks(SUPPLY_OBJECTS) {
        let mut stream = server.client().open("ObjectServer.AddObjects").await?;
        for hash in some {
            let mut object = objects.open_verified(hash).await.map_err(refused)?;
            stream
                .write_value(&AddObjectRequest {
                    length: object.size(),
                    expected_hash: Some(*hash),
                })
                .await?;
            while let Some(piece) = object.next_chunk().await {
                stream.write_raw(&piece.map_err(refused)?).await?;
            }
        }
        answers(stream, some.len()).await?;
    }
    Ok(())
}

/// Ends the call: for each of so many objects whether it is new to the master.
async fn answers(mut stream: Stream<'_>, count: usize) -> Result<Vec<bool>, Error> {
    stream.write_value(&AddObjectRequest::default()).await?;
    stream.flush().await?;
    let mut added = Vec::with_capacity(count);
    for _ in 0..count {
        let answer: AddObjectResponse = stream.read_prompt_value().await?;
        if !answer.error_string.is_empty() {
            return Err(Error::Refused(answer.error_string));
        }
        added.push(answer.added);
    }
    stream.finish().await?;
    Ok(added)
}

async fn read(file: &Arc<File>, at: u64, bytes: u64) -> Result<Vec<u8>, Error> {
    let file = Arc::clone(file);
    let work = move || {
        let mut piece = vec![0; usize::try_from(bytes).unwrap_or_default()];
        file.read_exact_at(&mut piece, at).map(|()| piece)
    };
    match tokio::task::spawn_blocking(work).await {
        Ok(Ok(piece)) => Ok(piece),
        Ok(Err(error)) => Err(Error::Refused(format!("reading object: {error}"))),
        Err(_) => Err(Error::TaskDied),
    }
}
