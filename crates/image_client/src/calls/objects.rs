//! Single objects (`imageserver.md §3.8`, `§4`).

use hash::Hash;
use protocol::image_server::{DeleteUnreferencedObjectsRequest, DeleteUnreferencedObjectsResponse};
use protocol::object_server::{
    AddObjectRequest, AddObjectResponse, CheckObjectsRequest, CheckObjectsResponse, GetObjectsRequest,
    GetObjectsResponse,
};

use crate::error::Error;
use crate::server::ImageServer;

impl ImageServer {
    /// Adds one object that is in memory; returns its name.
    ///
    /// # Errors
    /// The call failed, or [`Error::ObjectRefused`] (as for an empty one).
    pub async fn add_object(&mut self, data: &[u8]) -> Result<Hash, Error> {
        let hash = hash::of(data);
        if data.is_empty() {
            // Length 0 is the end mark: sent as it is, it would seem to succeed.
            let text = "zero length object cannot be added".to_owned();
            return Err(Error::ObjectRefused {
                hash: Box::new(hash),
                text,
            });
        }
        let mut stream = self.open("ObjectServer.AddObjects").await?;
        let request = AddObjectRequest {
            length: data.len() as u64,
            expected_hash: Some(hash),
        };
        stream.write_value(&request).await?;
        stream.write_raw(data).await?;
        stream.write_value(&AddObjectRequest::default()).await?;
        stream.flush().await?;
        let reply: AddObjectResponse = stream.read_prompt_value().await?;
        stream.finish().await?;
        if reply.error_string.is_empty() {
            Ok(hash)
        } else {
            Err(Error::ObjectRefused {
                hash: Box::new(hash),
                text: reply.error_string,
            })
        }
    }

    /// One object of at most `max_bytes`, verified.
    ///
    /// # Errors
    /// The call failed, there is no such object, or it is too large.
    pub async fn get_object(&mut self, hash: &Hash, max_bytes: u64) -> Result<Vec<u8>, Error> {
        let mut stream = self
            .client()
            .open("ObjectServer.GetObjects")
            .await
            .map_err(Error::GetObjects)?;
        let request = GetObjectsRequest {
            hashes: vec![*hash],
            ..GetObjectsRequest::default()
        };
        stream.write_value(&request).await?;
        stream.flush().await?;
        let reply: GetObjectsResponse = stream.read_prompt_value().await?;
        if !reply.response_string.is_empty() {
            stream.finish().await?;
            return Err(Error::NotServed(reply.response_string));
        }
        let size = match reply.object_sizes[..] {
            [size] if size <= max_bytes => size,
            [_] => return Err(Error::Protocol("a larger object than this can be")),
            _ => return Err(Error::Protocol("another number of sizes than of objects")),
        };
        let mut data = Vec::new();
        while (data.len() as u64) < size {
            let missing = size - data.len() as u64;
            let read = stream.read_raw_into(&mut data, missing).await;
            read.map_err(|source| Error::BrokenOff {
                hash: Box::new(*hash),
                source,
            })?;
        }
        stream.finish().await?;
        let computed = hash::of(&data);
        if computed == *hash {
            Ok(data)
        } else {
            Err(Error::Damaged {
                expected: Box::new(*hash),
                computed: Box::new(computed),
            })
        }
    }

    /// Sizes in bytes, 0 for absent, in the order asked.
    ///
    /// # Errors
    /// The call failed.
    pub async fn check_objects(&mut self, hashes: Vec<Hash>) -> Result<Vec<u64>, Error> {
        let count = hashes.len();
        let request = CheckObjectsRequest { hashes };
        let reply: CheckObjectsResponse = self.call("ObjectServer.CheckObjects", &request).await?;
        if reply.object_sizes.len() == count {
            Ok(reply.object_sizes)
        } else {
            Err(Error::Protocol("another number of sizes than of objects"))
        }
    }

    /// Deletes unreferenced objects, oldest first, until both amounts are reached.
    ///
    /// # Errors
    /// The call failed, or there were not enough.
    pub async fn delete_unreferenced_objects(&mut self, percentage: u8, bytes: u64) -> Result<(), Error> {
        let request = DeleteUnreferencedObjectsRequest { percentage, bytes };
        let _: DeleteUnreferencedObjectsResponse = self
            .call("ImageServer.DeleteUnreferencedObjects", &request)
            .await?;
        Ok(())
    }
}
