//! An object server in memory that behaves as awkwardly as a real one may.
#![allow(dead_code, missing_docs, unreachable_pub, clippy::unwrap_used)]

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use hash::Hash;
use protocol::object_server::*;
use srpc::server::listener;
use srpc::{
    Call, Client, Conn, ConnectOptions, MethodError, Policy, Raw, RawError, Registry, RequestReply, Server,
    ServiceBuilder, UnixSocket,
};

/// What it does besides keeping objects.
#[derive(Clone, Debug, Default)]
pub struct Manners {
    pub may_not_ask: bool,
    /// Refuses this object.
    pub refuses: Option<Hash>,
    /// Hangs up after so many objects.
    pub hangs_up_after: Option<usize>,
    /// Says nothing more after so many objects, and reads nothing.
    pub falls_silent_after: Option<usize>,
    /// Changes a bit of what it sends.
    pub damages: bool,
}

#[derive(Default)]
pub struct State {
    pub objects: Mutex<HashMap<Hash, Vec<u8>>>,
    /// Every object that was sent, in order.
    pub received: Mutex<Vec<Hash>>,
    pub manners: Manners,
}

pub struct Peer {
    pub state: Arc<State>,
    address: String,
}

impl Peer {
    pub fn start(manners: Manners) -> Peer {
        let state = Arc::new(State {
            manners,
            ..State::default()
        });
        let service = ServiceBuilder::new("ObjectServer")
            .request_reply(CheckObjects(Arc::clone(&state)))
            .raw(AddObjects(Arc::clone(&state)))
            .raw(GetObjects(Arc::clone(&state)));
        let registry = Registry::builder().service(service).build();
        let policy = Policy {
            unix_socket: UnixSocket::Off,
            ..Policy::default()
        };
        let server = Server::new(registry, None, policy);
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        // Ends with the test's process.
        listener::spawn_thread(server, listener).unwrap();
        Peer { state, address }
    }

    pub async fn connect(&self) -> Client {
        Client::connect(&ConnectOptions::new(self.address.clone()))
            .await
            .unwrap()
    }

    pub fn has(&self, data: &[u8]) -> bool {
        self.state.objects.lock().unwrap().contains_key(&hash::of(data))
    }

    pub fn keep(&self, data: &[u8]) -> (Hash, u64) {
        let hash = hash::of(data);
        self.state.objects.lock().unwrap().insert(hash, data.to_vec());
        (hash, data.len() as u64)
    }

    pub fn received(&self) -> usize {
        self.state.received.lock().unwrap().len()
    }
}

struct CheckObjects(Arc<State>);

impl RequestReply for CheckObjects {
    const NAME: &'static str = "CheckObjects";
    type Request = CheckObjectsRequest;
    type Reply = CheckObjectsResponse;

    async fn call(
        &self,
        _call: &Call,
        request: CheckObjectsRequest,
    ) -> Result<CheckObjectsResponse, MethodError> {
        if self.0.manners.may_not_ask {
            Err("access to method denied")?;
        }
        let objects = self.0.objects.lock().unwrap();
        let size = |hash| objects.get(hash).map_or(0, |data| data.len() as u64);
        Ok(CheckObjectsResponse {
            object_sizes: request.hashes.iter().map(size).collect(),
        })
    }
}

struct AddObjects(Arc<State>);

impl Raw for AddObjects {
    const NAME: &'static str = "AddObjects";

    /// As the original: nothing is flushed before the end mark but what does not fit the buffer.
    async fn serve(&self, _call: &Call, conn: &mut Conn) -> Result<(), RawError> {
        loop {
            let request: AddObjectRequest = conn.read_value().await?;
            if request.length == 0 {
                return Ok(());
            }
            let mut data = vec![0; usize::try_from(request.length)?];
            conn.read_exact(&mut data).await?;
            let hash = hash::of(&data);
            let count = {
                let mut received = self.0.received.lock().unwrap();
                received.push(hash);
                received.len()
            };
            if self.0.manners.hangs_up_after == Some(count) {
                Err("enough")?;
            }
            if self.0.manners.falls_silent_after == Some(count) {
                std::future::pending::<()>().await;
            }
            let mut answer = AddObjectResponse {
                hash,
                ..AddObjectResponse::default()
            };
            if self.0.manners.refuses == Some(hash) {
                answer.error_string = "no room".to_owned();
                conn.write_value(&answer).await?;
                conn.flush().await?;
                continue;
            }
            if request.expected_hash.is_some_and(|expected| expected != hash) {
                answer.error_string = "hash mismatch".to_owned();
            }
            answer.added = self.0.objects.lock().unwrap().insert(hash, data).is_none();
            conn.write_value(&answer).await?;
        }
    }
}

struct GetObjects(Arc<State>);

impl Raw for GetObjects {
    const NAME: &'static str = "GetObjects";

    async fn serve(&self, _call: &Call, conn: &mut Conn) -> Result<(), RawError> {
        let request: GetObjectsRequest = conn.read_value().await?;
        let mut found = Vec::new();
        let mut response = GetObjectsResponse::default();
        for hash in &request.hashes {
            match self.0.objects.lock().unwrap().get(hash) {
                Some(data) => found.push(data.clone()),
                None => response.response_string = format!("unknown object: {hash}"),
            }
        }
        let failed = !response.response_string.is_empty();
        response.object_sizes = found.iter().map(|data| data.len() as u64).collect();
        conn.write_value(&response).await?;
        if failed {
            return Ok(());
        }
        for mut data in found {
            if self.0.manners.damages {
                *data.last_mut().unwrap() ^= 1;
            }
            conn.write_raw(&data).await?;
        }
        Ok(())
    }
}
