//! Messages of the `ObjectServer` service (gob.md §11).

use gob::Duration;
use hash::Hash;
use image::record;

record! {
    /// Of `AddObjects`, before the bytes of each object; the default value ends the call.
    pub struct AddObjectRequest {
        /// Bytes that follow.
        pub length: u64,
        /// The name the client expects; `None` skips the comparison.
        pub expected_hash: Option<Hash>,
    }

    /// Of `AddObjects`, one per object.
    pub struct AddObjectResponse {
        /// Empty for success.
        pub error_string: String,
        /// The name computed by the server.
        pub hash: Hash,
        /// False if the object was there already.
        pub added: bool,
    }

    /// Of `CheckObjects`.
    pub struct CheckObjectsRequest {
        /// The objects.
        pub hashes: Vec<Hash>,
    }

    /// Of `CheckObjects`.
    pub struct CheckObjectsResponse {
        /// Bytes of each in the order of the request, 0 for those absent.
        pub object_sizes: Vec<u64>,
    }

    /// Of `GetObjects`.
    pub struct GetObjectsRequest {
        /// Without effect.
        pub exclusive: bool,
        /// The objects.
        pub hashes: Vec<Hash>,
    }

    /// Of `GetObjects`; the contents follow back to back.
    pub struct GetObjectsResponse {
        /// Empty for success.
        pub response_string: String,
        /// Bytes of each in the order of the request.
        pub object_sizes: Vec<u64>,
    }

    /// Of `ImportObjects`.
    pub struct ImportObjectsRequest {
        /// The objects are fetched from `BASE/HEX`.
        pub base_remote_url: String,
        /// The objects.
        pub hashes: Vec<Hash>,
        /// Bytes of each, or nothing.
        pub object_sizes: Vec<u64>,
    }

    /// Of `ImportObjects`.
    pub struct ImportObjectsResponse {
        /// Bytes of new objects.
        pub bytes_added: u64,
        /// Empty for success.
        pub error: String,
        /// Place in the request of the object that failed.
        pub failed_index: u64,
        /// New objects.
        pub objects_added: u64,
    }

    /// Of `TestBandwidth`.
    pub struct TestBandwidthRequest {
        /// How long to send.
        pub duration: Duration,
        /// Bytes of each chunk.
        pub chunk_size: u64,
        /// Direction.
        pub send_to_server: bool,
    }

    /// Of `TestBandwidth`.
    pub struct TestBandwidthResponse {
        /// How long it took in the server's eyes.
        pub server_duration: Duration,
    }
}
