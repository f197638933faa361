//! A master that does as it is told, well or badly.

use super::*;

#[derive(Default)]
pub(super) struct State {
    pub(super) script: Mutex<Script>,
    /// Ends the streams of updates there are.
    pub(super) cut: Notify,
    /// Lets those go on that are held.
    pub(super) go: Notify,
}

/// What the master has, and how it misbehaves.
#[derive(Default)]
pub(super) struct Script {
    pub(super) images: BTreeMap<String, Image>,
    pub(super) objects: HashMap<Hash, Vec<u8>>,
    /// Images it cannot give.
    pub(super) refuses: Option<&'static str>,
    /// Hangs up after so many names instead of ending the list.
    pub(super) breaks_off_after: Option<usize>,
    /// Images that are left out of the list.
    pub(super) unlisted: Vec<&'static str>,
    /// Keeps callers waiting for its list.
    pub(super) holds_lists: bool,
    /// Keeps callers waiting for objects.
    pub(super) holds_objects: bool,
    /// Changes a bit of what it sends.
    pub(super) damages: bool,
    /// Updates before the end of the list.
    pub(super) strange: Vec<ImageUpdate>,
    pub(super) lists: usize,
}

pub(super) struct Master {
    pub(super) state: Arc<State>,
    pub(super) address: String,
}

impl Master {
    pub(super) fn start() -> Master {
        let state = Arc::new(State::default());
        let images = ServiceBuilder::new("ImageServer")
            .raw(GetImageUpdates(state.clone()))
            .request_reply(GetImage(state.clone()));
        let objects = ServiceBuilder::new("ObjectServer")
            .raw(GetObjects(state.clone()))
            .request_reply(CheckObjects(state.clone()));
        let registry = Registry::builder().service(images).service(objects).build();
        let policy = Policy {
            unix_socket: UnixSocket::Off,
            ..Policy::default()
        };
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        // Ends with the test's process.
        listener::spawn_thread(Server::new(registry, None, policy), listener).unwrap();
        Master { state, address }
    }

    pub(super) fn set<T>(&self, change: impl FnOnce(&mut Script) -> T) -> T {
        change(&mut self.state.script.lock().unwrap())
    }

    pub(super) fn has(&self, name: &str, image: Image, contents: &[&[u8]]) {
        self.set(|script| {
            script.images.insert(name.to_owned(), image);
            for content in contents {
                script.objects.insert(hash::of(content), content.to_vec());
            }
        });
    }

    /// Ends what the script held.
    pub(super) fn go(&self) {
        self.set(|script| (script.holds_lists, script.holds_objects) = (false, false));
        self.state.go.notify_waiters();
    }

    pub(super) fn cut(&self) {
        self.state.cut.notify_waiters();
    }

    /// A replica of this master, with short pauses.
    pub(super) fn replica(&self, directories: &Directories) -> (System, Replicator) {
        self.replica_as(directories, Archive::Off)
    }

    pub(super) fn replica_as(&self, directories: &Directories, archive: Archive) -> (System, Replicator) {
        let address = self.address.clone();
        let connect = move || ConnectOptions::new(address.clone());
        let replication = Replication {
            archive,
            first_pause: Duration::from_millis(10),
            longest_pause: Duration::from_millis(50),
            ..Replication::new(self.address.clone(), connect)
        };
        let system = actors::start(actors::Config {
            replication: Some(replication),
            ..directories.config()
        })
        .unwrap();
        let replicator = system.replicator.clone().unwrap();
        (system, replicator)
    }
}

impl State {
    /// Returns when the script does not hold this.
    async fn pass(&self, is_held: impl Fn(&Script) -> bool) {
        loop {
            let go = self.go.notified();
            tokio::pin!(go);
            go.as_mut().enable();
            if !is_held(&self.script.lock().unwrap()) {
                return;
            }
            go.await;
        }
    }
}

struct GetImageUpdates(Arc<State>);

impl Raw for GetImageUpdates {
    const NAME: &'static str = "GetImageUpdates";

    async fn serve(&self, _call: &Call, conn: &mut Conn) -> Result<(), RawError> {
        let cut = self.0.cut.notified();
        self.0.script.lock().unwrap().lists += 1;
        self.0.pass(|script| script.holds_lists).await;
        let (mut updates, breaks_off_after) = {
            let script = self.0.script.lock().unwrap();
            let root = ImageUpdate {
                directory: Some(Directory {
                    name: ".".to_owned(),
                    ..Directory::default()
                }),
                operation: operation::MAKE_DIRECTORY,
                ..ImageUpdate::default()
            };
            let mut updates = vec![root];
            updates.append(&mut script.strange.clone());
            let listed = script
                .images
                .keys()
                .filter(|name| !script.unlisted.contains(&name.as_str()));
            updates.extend(listed.map(|name| ImageUpdate {
                name: name.clone(),
                ..ImageUpdate::default()
            }));
            (updates, script.breaks_off_after)
        };
        if let Some(count) = breaks_off_after {
            updates.truncate(count);
        }
        for update in &updates {
            conn.write_value(update).await?;
        }
        if breaks_off_after.is_none() {
            conn.write_value(&ImageUpdate::default()).await?;
            conn.flush().await?;
            tokio::select! {
                () = cut => {}
                _ = conn.closed() => {}
            }
        }
        conn.flush().await?;
        Err("enough".into())
    }
}

struct GetImage(Arc<State>);

impl RequestReply for GetImage {
    const NAME: &'static str = "GetImage";
    type Request = GetImageRequest;
    type Reply = GetImageResponse;

    async fn call(&self, _call: &Call, request: GetImageRequest) -> Result<GetImageResponse, MethodError> {
        let script = self.0.script.lock().unwrap();
        if script.refuses == Some(request.image_name.as_str()) {
            return Err("image is quarantined".into());
        }
        let image = script.images.get(&request.image_name).cloned();
        Ok(GetImageResponse {
            image: image.map(|mut image| {
                if request.ignore_filesystem {
                    image.file_system = None;
                }
                Arc::new(image)
            }),
            ..GetImageResponse::default()
        })
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
        let script = self.0.script.lock().unwrap();
        let size = |hash| script.objects.get(hash).map_or(0, |data| data.len() as u64);
        Ok(CheckObjectsResponse {
            object_sizes: request.hashes.iter().map(size).collect(),
        })
    }
}

struct GetObjects(Arc<State>);

impl Raw for GetObjects {
    const NAME: &'static str = "GetObjects";

    async fn serve(&self, _call: &Call, conn: &mut Conn) -> Result<(), RawError> {
        let request: GetObjectsRequest = conn.read_value().await?;
        let contents: Vec<Vec<u8>> = {
            let script = self.0.script.lock().unwrap();
            let content = |hash| {
                let mut data = script.objects.get(hash).cloned().unwrap_or_default();
                if script.damages
                    && let Some(last) = data.last_mut()
                {
                    *last ^= 1;
                }
                data
            };
            request.hashes.iter().map(content).collect()
        };
        conn.write_value(&GetObjectsResponse {
            object_sizes: contents.iter().map(|data| data.len() as u64).collect(),
            ..GetObjectsResponse::default()
        })
        .await?;
        conn.flush().await?;
        self.0.pass(|script| script.holds_objects).await;
        for data in contents {
            conn.write_raw(&data).await?;
        }
        Ok(())
    }
}
