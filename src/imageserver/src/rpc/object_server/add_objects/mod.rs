//! `ObjectServer.AddObjects` (`imageserver.md §4.1`).
//!
//! One task receives; behind it a short pipeline stores. Small objects are gathered into batches, large ones go through a
//! temporary file as they arrive; either way the bytes are hashed on the pool for blocking work, and what is staged is
//! committed together with what other connections have staged. Answers are written in the order of the objects.
//!
//! A replica gives objects to its master before it acknowledges them.
//!
//! Answers are sent at the end mark, after an error, and whenever the caller has nothing to say while answers are ready.
//! The original sends them only at the end mark, and hangs with a caller that waits for each of them.

mod pipeline;
mod receive;
mod store;

use crate::rpc::object_server::{forwarder, lease};
use crate::rpc::prelude::*;
use pipeline::Pipeline;
use protocol::object_server::AddObjectRequest;
use srpc::ConnError;

/// Takes objects into the store.
pub(crate) struct AddObjects(pub(crate) Shared);

impl Raw for AddObjects {
    const NAME: &'static str = "AddObjects";

    fn access(&self) -> Access {
        Access {
            public: self.0.options.allow_public_add_objects,
            unauthenticated: false,
        }
    }

    fn limits(&self) -> gob::Limits {
        limits::small()
    }

    async fn serve(&self, call: &Call, conn: &mut Conn) -> Result<(), RawError> {
        let mut pipeline = Pipeline::new(
            self.0.objects.clone(),
            lease(&self.0, call),
            forwarder(&self.0, call),
        );
        while let Some(request) = next_request(conn, &mut pipeline).await? {
            if request.length <= receive::SMALL_OBJECT_BYTES {
                let data = receive::small(conn, &mut pipeline, request.length).await?;
                pipeline.gather(conn, data, request.expected_hash).await?;
            } else {
                pipeline.launch_gathered(conn).await?;
                let staged = receive::large(conn, &mut pipeline, &self.0.objects, request.length).await?;
                pipeline.launch_large(conn, staged, request.expected_hash).await?;
            }
        }
        pipeline.finish(conn).await
    }
}

/// The next object's head; `None` at the end mark, or at the end of the stream, which is taken for one. Meanwhile what is
/// stored is answered.
async fn next_request(
    conn: &mut Conn,
    pipeline: &mut Pipeline,
) -> Result<Option<AddObjectRequest>, RawError> {
    loop {
        if let Some(request) = end_as_none(conn.try_read_value().map(Some))?.flatten() {
            return Ok(not_end_mark(request));
        }
        // The caller has sent nothing more for the moment: no reason to wait for a fuller batch.
        if pipeline.is_idle() {
            pipeline.launch_gathered(conn).await?;
        }
        if pipeline.is_idle() {
            conn.flush().await?;
            return Ok(end_as_none(conn.read_value().await.map(Some))?.and_then(not_end_mark));
        }
        tokio::select! {
            biased;
            request = conn.read_value() => return Ok(end_as_none(request.map(Some))?.and_then(not_end_mark)),
            answers = pipeline.oldest() => {
                pipeline.answer(conn, answers).await?;
                conn.flush().await?;
            }
        }
    }
}

fn not_end_mark(request: AddObjectRequest) -> Option<AddObjectRequest> {
    (request.length > 0).then_some(request)
}

fn end_as_none<T>(result: Result<Option<T>, ConnError>) -> Result<Option<T>, ConnError> {
    match result {
        Err(ConnError::Closed) => Ok(None),
        other => other,
    }
}
