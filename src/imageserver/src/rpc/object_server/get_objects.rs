//! `ObjectServer.GetObjects` (`imageserver.md §4.3`).

use crate::rpc::prelude::*;
use crate::state::GetObjectsSlot;
use protocol::object_server::{GetObjectsRequest, GetObjectsResponse};

/// The contents of objects, back to back.
pub(crate) struct GetObjects(pub(crate) Shared);

impl Raw for GetObjects {
    const NAME: &'static str = "GetObjects";

    fn access(&self) -> Access {
        let options = &self.0.options;
        Access {
            public: options.allow_public_get_objects || options.allow_unauthenticated_reads,
            unauthenticated: options.allow_unauthenticated_reads,
        }
    }

    fn limits(&self) -> gob::Limits {
        limits::list()
    }

    async fn serve(&self, call: &Call, conn: &mut Conn) -> Result<(), RawError> {
        // Waited for before the request is read, so that those who wait cost a connection and nothing else.
        let _slot: GetObjectsSlot = tokio::select! {
            // A caller that has said everything and closed its side still gets its objects.
            biased;
            slot = self.0.get_objects_slot() => slot,
            error = conn.closed() => return Err(error.into()),
            () = call.draining.cancelled() => return Err(RawError::close_client()),
        };
        // Not for ever: who opens the call and says nothing holds a place that others wait for.
        let request: GetObjectsRequest = match conn.read_prompt_value().await {
            Ok(request) => request,
            Err(error) if error.keeps_connection() => return refuse(conn, error.to_string()).await,
            Err(error) => return Err(error.into()),
        };
        let mut reader = match self.0.objects.read_objects(request.hashes) {
            Ok(reader) => reader,
            Err(error) => return refuse(conn, error.to_string()).await,
        };
        let object_sizes = reader.sizes().to_vec();
        conn.write_value(&GetObjectsResponse {
            response_string: String::new(),
            object_sizes,
        })
        .await?;
        conn.flush().await?;
        while let Some(chunk) = reader.next_chunk().await {
            // After a failure only the end of the connection tells the caller that something is missing.
            conn.write_raw(&chunk?).await?;
        }
        Ok(())
    }
}

/// The call ends normally; the connection stays usable.
async fn refuse(conn: &mut Conn, response_string: String) -> Result<(), RawError> {
    conn.write_value(&GetObjectsResponse {
        response_string,
        object_sizes: Vec::new(),
    })
    .await?;
    Ok(())
}
