//! `ObjectServer.ImportObjects` (`imageserver.md §4.4`).

use crate::import::{Fetcher, PARALLEL_FETCHES, Wanted};
use crate::rpc::object_server::lease;
use crate::rpc::prelude::*;
use futures_util::{StreamExt, stream};
use protocol::object_server::{ImportObjectsRequest, ImportObjectsResponse};

/// Fetches missing objects from an HTTP server; errors travel in the reply.
pub(crate) struct ImportObjects(pub(crate) Shared);

impl RequestReply for ImportObjects {
    const NAME: &'static str = "ImportObjects";
    type Request = ImportObjectsRequest;
    type Reply = ImportObjectsResponse;

    fn access(&self) -> Access {
        Access {
            public: self.0.options.allow_public_add_objects,
            unauthenticated: false,
        }
    }

    fn limits(&self) -> gob::Limits {
        limits::list()
    }

    async fn call(&self, call: &Call, request: Self::Request) -> Result<Self::Reply, MethodError> {
        if let Some(error) = self.0.go_to_master() {
            return Ok(Self::Reply {
                error,
                ..Self::Reply::default()
            });
        }
        let base = &request.base_remote_url;
        tracing::info!("ImportObjects({}) from: {base}{}", request.hashes.len(), by(call));
        let lease = lease(&self.0, call);
        let sizes = self.0.objects.sizes(&request.hashes, Some(&lease));
        let mut reply = Self::Reply::default();
        let mut missing = Vec::new();
        for (index, (hash, present)) in request.hashes.iter().zip(sizes).enumerate() {
            let expected = request.object_sizes.get(index).copied();
            match expected {
                _ if present == 0 => {
                    let url = format!("{base}/{hash}");
                    missing.push((
                        index,
                        Wanted {
                            url,
                            hash: *hash,
                            size: expected,
                        },
                    ));
                }
                Some(size) if size != present => {
                    reply.error = format!("object: {hash} has {present} bytes, expected {size}");
                    reply.failed_index = index as u64;
                    return Ok(reply);
                }
                _ => {}
            }
        }
        let fetcher = match Fetcher::new(self.0.objects.clone(), lease) {
            Ok(fetcher) => fetcher,
            Err(error) => {
                reply.error = error.to_string();
                return Ok(reply);
            }
        };
        let mut fetches = stream::iter(missing)
            .map(|(index, wanted)| {
                let fetcher = &fetcher;
                async move { (index, fetcher.fetch(wanted).await) }
            })
            .buffer_unordered(PARALLEL_FETCHES);
        while let Some((index, result)) = fetches.next().await {
            match result {
                Ok((size, true)) => {
                    reply.bytes_added += size;
                    reply.objects_added += 1;
                }
                Ok((_, false)) => {}
                Err(error) => {
                    reply.error = error.to_string();
                    reply.failed_index = index as u64;
                    return Ok(reply);
                }
            }
        }
        Ok(reply)
    }
}
