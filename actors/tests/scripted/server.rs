//! An image server that knows as much as the scheduler asks it.

use gob::Time;
use image::Directory;
use image_client::Connect;
use protocol::image_server::{
    ChangeImageExpirationRequest, ChangeImageExpirationResponse, FindLatestImageRequest,
    FindLatestImageResponse, MakeDirectoryRequest, MakeDirectoryResponse,
};
use srpc::server::listener;
use srpc::{
    Call, Conn, ConnectOptions, MethodError, Policy, Raw, RawError, Registry, RequestReply, Server,
    ServiceBuilder, UnixSocket,
};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

#[derive(Default)]
pub struct Known {
    /// Newest image of each stream.
    pub latest: BTreeMap<String, String>,
    /// What was extended, until when, in order.
    pub extended: Vec<(String, SystemTime)>,
    pub directories: BTreeSet<String>,
    /// Refuses to extend, in these words.
    pub refusal: String,
    /// Never answers which image is the newest.
    pub keeps_silent: bool,
}

pub struct SmallImageServer {
    known: Arc<Mutex<Known>>,
    address: String,
}

impl SmallImageServer {
    pub fn start() -> SmallImageServer {
        let known = Arc::new(Mutex::new(Known::default()));
        let service = ServiceBuilder::new("ImageServer")
            .request_reply(FindLatestImage(known.clone()))
            .request_reply(ChangeImageExpiration(known.clone()))
            .request_reply(MakeDirectory(known.clone()))
            .raw(ListDirectories(known.clone()));
        let registry = Registry::builder().service(service).build();
        let policy = Policy {
            unix_socket: UnixSocket::Off,
            ..Policy::default()
        };
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        // Ends with the test's process.
        listener::spawn_thread(Server::new(registry, None, policy), listener).unwrap();
        SmallImageServer { known, address }
    }

    pub fn connect(&self) -> Connect {
        let address = self.address.clone();
        Arc::new(move || ConnectOptions::new(address.clone()))
    }

    pub fn know<T>(&self, change: impl FnOnce(&mut Known) -> T) -> T {
        change(&mut self.known.lock().unwrap())
    }

    /// There is an image of this stream.
    pub fn has(&self, stream: &str) {
        self.know(|known| known.latest.insert(stream.to_owned(), format!("{stream}/newest")));
    }

    pub fn extended(&self) -> Vec<(String, SystemTime)> {
        self.know(|known| known.extended.clone())
    }
}

struct FindLatestImage(Arc<Mutex<Known>>);

impl RequestReply for FindLatestImage {
    const NAME: &'static str = "FindLatestImage";
    type Request = FindLatestImageRequest;
    type Reply = FindLatestImageResponse;

    async fn call(&self, _: &Call, request: Self::Request) -> Result<Self::Reply, MethodError> {
        if self.0.lock().unwrap().keeps_silent {
            std::future::pending::<()>().await;
        }
        let known = self.0.lock().unwrap();
        let image_name = known.latest.get(&request.directory_name).cloned();
        Ok(Self::Reply {
            image_name: image_name.unwrap_or_default(),
            error: String::new(),
        })
    }
}

struct ChangeImageExpiration(Arc<Mutex<Known>>);

impl RequestReply for ChangeImageExpiration {
    const NAME: &'static str = "ChangeImageExpiration";
    type Request = ChangeImageExpirationRequest;
    type Reply = ChangeImageExpirationResponse;

    async fn call(&self, _: &Call, request: Self::Request) -> Result<Self::Reply, MethodError> {
        let mut known = self.0.lock().unwrap();
        let until: Time = request.expires_at;
        if known.refusal.is_empty() {
            let until = until.to_system_time().unwrap();
            known.extended.push((request.image_name, until));
        }
        Ok(Self::Reply {
            error: known.refusal.clone(),
        })
    }
}

struct MakeDirectory(Arc<Mutex<Known>>);

impl RequestReply for MakeDirectory {
    const NAME: &'static str = "MakeDirectory";
    type Request = MakeDirectoryRequest;
    type Reply = MakeDirectoryResponse;

    async fn call(&self, _: &Call, request: Self::Request) -> Result<Self::Reply, MethodError> {
        let mut known = self.0.lock().unwrap();
        let above = request
            .directory_name
            .rsplit_once('/')
            .map_or(".", |(above, _)| above);
        if above != "." && !known.directories.contains(above) {
            return Err(format!("no directory above: {}", request.directory_name).into());
        }
        known.directories.insert(request.directory_name);
        Ok(Self::Reply::default())
    }
}

struct ListDirectories(Arc<Mutex<Known>>);

impl Raw for ListDirectories {
    const NAME: &'static str = "ListDirectories";

    async fn serve(&self, _: &Call, conn: &mut Conn) -> Result<(), RawError> {
        let names = self.0.lock().unwrap().directories.clone();
        for name in names {
            let directory = Directory {
                name,
                ..Directory::default()
            };
            conn.write_value(&directory).await?;
        }
        conn.write_value(&Directory::default()).await?;
        Ok(())
    }
}
