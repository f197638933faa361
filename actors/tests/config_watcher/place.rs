//! Directories, files, a server and waiting, for all subjects.

use actors::config_watcher::{ConfigWatcher, ConfigWatcherSystem, ConfigWatching, Current, start};
use parking_lot::Mutex;
use std::io::{Read, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Where there is no change for so long, there is none.
const PATIENCE: Duration = Duration::from_secs(60);

/// So long that a test which waits for it fails.
const NEVER: Duration = Duration::from_secs(3600);

/// Directories and files of one test.
pub(crate) struct Place {
    root: tempfile::TempDir,
}

impl Place {
    pub(crate) fn new() -> Place {
        let place = Place {
            root: tempfile::tempdir().unwrap(),
        };
        for directory in ["etc", "state"] {
            std::fs::create_dir(place.path(directory)).unwrap();
        }
        place
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    /// Replaces a file as a whole.
    pub(crate) fn replace(&self, name: &str, text: &str) {
        let temporary = self.path(&format!("{name}.new"));
        std::fs::write(&temporary, text).unwrap();
        std::fs::rename(temporary, self.path(name)).unwrap();
    }

    /// A main configuration with this streams URL and these further fields.
    pub(crate) fn configure(&self, streams_url: &str, more: &str) {
        let text = format!("{{\"ImageStreamsUrl\": {streams_url:?}{more}}}");
        self.replace("etc/conf.json", &text);
    }

    pub(crate) fn streams_url(&self) -> String {
        self.path("etc/streams.json").display().to_string()
    }

    /// Watches with the kernel's help alone.
    pub(crate) fn watching(&self) -> ConfigWatching {
        ConfigWatching {
            look_interval: NEVER,
            first_wait: NEVER,
            allow_debug_panic: true,
            ..ConfigWatching::new(
                self.path("etc/conf.json").display().to_string(),
                self.path("state"),
            )
        }
    }

    pub(crate) fn start(&self) -> ConfigWatcherSystem {
        start(self.watching()).unwrap()
    }

    /// One whose streams are in a file and loaded.
    pub(crate) fn running(names: &'static [&'static str]) -> (Place, ConfigWatcherSystem) {
        let place = Place::new();
        place.configure(&place.streams_url(), "");
        place.replace("etc/streams.json", &streams(names));
        let system = place.start();
        until(system.watcher(), "loaded", has(names));
        (place, system)
    }
}

pub(crate) fn streams(names: &[&str]) -> String {
    let streams: Vec<String> = names
        .iter()
        .map(|name| format!("{name:?}: {{\"ManifestUrl\": \"dir:///x\"}}"))
        .collect();
    format!("{{\"Streams\": {{{}}}}}", streams.join(", "))
}

/// Waits until what is in force is as wanted.
pub(crate) fn until(watcher: &ConfigWatcher, what: &str, is_so: impl Fn(&Current) -> bool) -> Arc<Current> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let current = watcher.current();
        if is_so(&current) {
            return current;
        }
        assert!(Instant::now() < deadline, "never {what}: {current:?}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

pub(crate) fn has(names: &'static [&'static str]) -> impl Fn(&Current) -> bool {
    move |current| {
        current.is_streams_loaded
            && current
                .streams
                .iter()
                .map(|(name, _)| name)
                .eq(names.iter().copied())
    }
}

pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(future)
}

/// A server that answers every request with a text, or refuses it.
pub(crate) struct Server {
    address: std::net::SocketAddr,
    answer: Arc<Mutex<Option<String>>>,
}

impl Server {
    pub(crate) fn start() -> Server {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let answer = Arc::new(Mutex::new(None::<String>));
        let server = Server {
            address: listener.local_addr().unwrap(),
            answer: answer.clone(),
        };
        // Ends with the process.
        std::thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let _ = Server::serve(connection, answer.lock().clone());
            }
        });
        server
    }

    /// One that has these streams.
    pub(crate) fn of(names: &[&str]) -> Server {
        let server = Server::start();
        server.answer(Some(streams(names)));
        server
    }

    fn serve(mut connection: std::net::TcpStream, answer: Option<String>) -> std::io::Result<()> {
        let mut request = Vec::new();
        let mut chunk = [0; 1024];
        while !request.windows(4).any(|end| end == b"\r\n\r\n") {
            let length = connection.read(&mut chunk)?;
            if length == 0 {
                return Ok(());
            }
            request.extend_from_slice(&chunk[..length]);
        }
        let (status, body) = match answer {
            Some(body) => ("200 OK", body),
            None => ("503 Service Unavailable", String::new()),
        };
        let head = format!(
            "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            body.len()
        );
        connection.write_all(head.as_bytes())?;
        connection.write_all(body.as_bytes())
    }

    pub(crate) fn answer(&self, text: Option<String>) {
        *self.answer.lock() = text;
    }

    pub(crate) fn url(&self) -> String {
        format!("http://user:hunter22@{}/image-streams.json", self.address)
    }
}
