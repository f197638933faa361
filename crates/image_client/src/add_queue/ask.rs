//! Which objects the server lacks.

use std::sync::atomic::Ordering;

use protocol::object_server::{CheckObjectsRequest, CheckObjectsResponse};
use srpc::{CallError, Client};
use tokio::sync::mpsc;

use super::{Counters, Item};
use crate::error::Error;

/// Objects of one question. While one is being answered the next collects, so batches grow to what the round trip needs.
const BATCH_OBJECTS: usize = 512;

/// Passes on what is missing; returns the connection at the end.
pub(super) async fn ask(
    mut client: Option<Client>,
    mut items: mpsc::Receiver<Item>,
    missing: mpsc::Sender<Item>,
    counters: &Counters,
) -> Result<Option<Client>, Error> {
    let mut may_ask = client.is_some();
    let mut batch = Vec::with_capacity(BATCH_OBJECTS);
    while items.recv_many(&mut batch, BATCH_OBJECTS).await > 0 {
        let mut sizes = vec![0; batch.len()];
        if let Some(client) = client.as_mut().filter(|_| may_ask) {
            let request = CheckObjectsRequest {
                hashes: batch.iter().map(|item| item.object.hash).collect(),
            };
            let reply: Result<CheckObjectsResponse, _> =
                client.call("ObjectServer.CheckObjects", &request).await;
            match reply {
                Ok(reply) if reply.object_sizes.len() == batch.len() => sizes = reply.object_sizes,
                Ok(_) => return Err(Error::Protocol("another number of sizes than of objects")),
                Err(CallError::AccessDenied) => may_ask = false,
                Err(error) => return Err(error.into()),
            }
        }
        for (item, there) in batch.drain(..).zip(sizes) {
            let here = item.object.size;
            counters.objects.fetch_add(1, Ordering::Relaxed);
            counters.bytes.fetch_add(here, Ordering::Relaxed);
            if there == 0 {
                missing.send(item).await.map_err(|_| Error::QueueStopped)?;
            } else if there != here {
                return Err(Error::SizeMismatch {
                    hash: Box::new(item.object.hash),
                    here,
                    there,
                });
            }
        }
    }
    Ok(client)
}
