//! Batches between "received" and "answered", in order.

use std::collections::VecDeque;
use std::sync::Arc;

use super::receive::LargeObject;
use super::store::{self, Answers, Received};
use crate::upstream::Forwarder;
use actors::object_store::{Lease, ObjectStore};
use hash::Hash;
use protocol::object_server::AddObjectResponse;
use srpc::{Conn, RawError};
use tokio::task::JoinHandle;

/// Bytes of small objects stored together. Together with [`IN_FLIGHT_BATCHES`] this bounds what one caller can make the
/// server hold: 28 MiB, of which all but the newest is in files already when the disk is what is slow.
const BATCH_BYTES: usize = 4 << 20;
/// Small objects stored together: each is an open file until it is committed, so that there are fewer where the process
/// may open few files.
const BATCH_OBJECTS: usize = 512;
/// Batches of one caller being stored while the next one is received: while one group is flushed, the next is staged, and the
/// more there is in it the fewer flushes are needed.
const IN_FLIGHT_BATCHES: usize = 6;

/// What one call has received and not answered yet.
pub(super) struct Pipeline {
    objects: ObjectStore,
    lease: Arc<Lease>,
    /// The way to the master of a replica.
    forwarder: Option<Arc<Forwarder>>,
    gathered: Vec<Received>,
    gathered_bytes: usize,
    batch_objects: usize,
    in_flight: VecDeque<JoinHandle<Answers>>,
}

impl Pipeline {
    pub(super) fn new(objects: ObjectStore, lease: Arc<Lease>, forwarder: Option<Arc<Forwarder>>) -> Self {
        Self {
            batch_objects: BATCH_OBJECTS.min(objects.staging_batch_objects()),
            objects,
            lease,
            forwarder,
            gathered: Vec::new(),
            gathered_bytes: 0,
            in_flight: VecDeque::new(),
        }
    }

    /// Nothing is being stored.
    pub(super) fn is_idle(&self) -> bool {
        self.in_flight.is_empty()
    }

    /// There is something whose storing has not begun.
    pub(super) fn has_gathered(&self) -> bool {
        !self.gathered.is_empty()
    }

    /// Takes a small object; stores what has gathered once that is worth it.
    pub(super) async fn gather(
        &mut self,
        conn: &mut Conn,
        data: Vec<u8>,
        expected: Option<Hash>,
    ) -> Result<(), RawError> {
        self.gathered_bytes += data.len();
        self.gathered.push(Received { data, expected });
        if self.gathered_bytes >= BATCH_BYTES || self.gathered.len() >= self.batch_objects {
            self.launch_gathered(conn).await?;
        }
        Ok(())
    }

    /// Starts storing what has gathered, however little.
    pub(super) async fn launch_gathered(&mut self, conn: &mut Conn) -> Result<(), RawError> {
        if self.gathered.is_empty() {
            return Ok(());
        }
        self.gathered_bytes = 0;
        let batch = std::mem::take(&mut self.gathered);
        self.make_room(conn).await?;
        let (objects, lease) = (self.objects.clone(), Arc::clone(&self.lease));
        let stored = store::batch(objects, lease, self.forwarder.clone(), batch);
        self.in_flight.push_back(tokio::spawn(stored));
        Ok(())
    }

    /// Starts committing a large object that is staged already, or failed to be.
    pub(super) async fn launch_large(
        &mut self,
        conn: &mut Conn,
        received: Result<LargeObject, String>,
        expected: Option<Hash>,
    ) -> Result<(), RawError> {
        self.make_room(conn).await?;
        let (objects, lease) = (self.objects.clone(), Arc::clone(&self.lease));
        let stored = store::large(objects, lease, self.forwarder.clone(), received, expected);
        self.in_flight.push_back(tokio::spawn(stored));
        Ok(())
    }

    /// The answers of the oldest batch, when it is stored. Only to be awaited when not idle; may be dropped and called again.
    pub(super) async fn oldest(&mut self) -> Answers {
        match self.in_flight.front_mut() {
            Some(batch) => {
                let answers = batch.await;
                self.in_flight.pop_front();
                // A panic while storing: how many answers are owed is not known any more, so the caller must be cut off.
                answers.unwrap_or_else(|error| Err(format!("storing objects: {error}")))
            }
            None => Ok(Vec::new()),
        }
    }

    /// Writes answers; sends them at once if there is an error among them.
    pub(super) async fn answer(&mut self, conn: &mut Conn, answers: Answers) -> Result<(), RawError> {
        let answers: Vec<AddObjectResponse> = answers?;
        let failed = || answers.iter().filter(|answer| !answer.error_string.is_empty());
        if let Some(first) = failed().next() {
            tracing::warn!(
                "AddObjects: {} of {} objects were not stored: {}",
                failed().count(),
                answers.len(),
                first.error_string
            );
        }
        for answer in &answers {
            conn.write_value(answer).await?;
        }
        if failed().next().is_some() {
            conn.flush().await?;
        }
        Ok(())
    }

    /// Stores and answers all that is left.
    pub(super) async fn finish(mut self, conn: &mut Conn) -> Result<(), RawError> {
        self.launch_gathered(conn).await?;
        while !self.is_idle() {
            let answers = self.oldest().await;
            self.answer(conn, answers).await?;
        }
        Ok(())
    }

    async fn make_room(&mut self, conn: &mut Conn) -> Result<(), RawError> {
        while self.in_flight.len() >= IN_FLIGHT_BATCHES {
            let answers = self.oldest().await;
            self.answer(conn, answers).await?;
        }
        Ok(())
    }
}
