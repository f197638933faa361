//! A server with a method of each sort.

use std::cell::RefCell;
use std::sync::Arc;

use protocol::image_server::{
    AddImageRequest, FindLatestImageRequest, FindLatestImageResponse, GetImageResponse, ImageUpdate,
};
use protocol::object_server::{AddObjectRequest, AddObjectResponse};
use srpc::{
    Call, Conn, MethodError, Policy, Raw, RawError, Registry, RequestReply, Server, ServiceBuilder,
    UnixSocket,
};

/// Bytes of one object.
const OBJECT_MAX_BYTES: u64 = 1 << 20;

/// Without certificates: whoever asks may call everything.
pub(super) fn server() -> Arc<Server> {
    thread_local! {
        static SERVER: RefCell<Option<Arc<Server>>> = const { RefCell::new(None) };
    }
    let make = || {
        let images = ServiceBuilder::new("ImageServer")
            .request_reply(FindLatestImage)
            .request_reply(AddImage)
            .raw(Updates);
        let objects = ServiceBuilder::new("ObjectServer").raw(AddObjects);
        let policy = Policy {
            unix_socket: UnixSocket::Off,
            ..Policy::default()
        };
        Server::new(
            Registry::builder().service(images).service(objects).build(),
            None,
            policy,
        )
    };
    SERVER.with_borrow_mut(|server| Arc::clone(server.get_or_insert_with(make)))
}

struct FindLatestImage;

impl RequestReply for FindLatestImage {
    const NAME: &'static str = "FindLatestImage";
    type Request = FindLatestImageRequest;
    type Reply = FindLatestImageResponse;

    fn limits(&self) -> gob::Limits {
        protocol::limits::SMALL
    }

    async fn call(&self, _: &Call, request: Self::Request) -> Result<Self::Reply, MethodError> {
        if request.ignore_expiring_images {
            return Err(request.directory_name.into());
        }
        Ok(FindLatestImageResponse {
            image_name: format!("{:?}", request.tags_to_match),
            error: request.build_commit_id,
        })
    }
}

struct AddImage;

impl RequestReply for AddImage {
    const NAME: &'static str = "AddImage";
    type Request = AddImageRequest;
    type Reply = GetImageResponse;

    async fn call(&self, _: &Call, request: AddImageRequest) -> Result<GetImageResponse, MethodError> {
        Ok(GetImageResponse {
            image: request.image.map(Arc::new),
            information_database_url: request.image_name,
        })
    }
}

/// Values and raw bytes in turn, up to an empty value.
struct AddObjects;

impl Raw for AddObjects {
    const NAME: &'static str = "AddObjects";

    fn limits(&self) -> gob::Limits {
        protocol::limits::SMALL
    }

    async fn serve(&self, _: &Call, conn: &mut Conn) -> Result<(), RawError> {
        loop {
            let request: AddObjectRequest = conn.read_value().await?;
            if request.length > OBJECT_MAX_BYTES {
                return Err("object too large".into());
            }
            if request.length == 0 {
                return Ok(());
            }
            let mut data = Vec::new();
            while (data.len() as u64) < request.length {
                let left = request.length - data.len() as u64;
                conn.read_raw_into(&mut data, left).await?;
            }
            let hash = hash::of(&data);
            conn.write_value(&AddObjectResponse {
                error_string: String::new(),
                hash,
                added: request.expected_hash.is_none_or(|expected| expected == hash),
            })
            .await?;
        }
    }
}

/// Takes values and sends them back until one has no name.
struct Updates;

impl Raw for Updates {
    const NAME: &'static str = "Updates";

    async fn serve(&self, _: &Call, conn: &mut Conn) -> Result<(), RawError> {
        loop {
            let update: ImageUpdate = conn.read_value().await?;
            conn.write_value(&update).await?;
            if update.name.is_empty() {
                return Ok(());
            }
        }
    }
}
