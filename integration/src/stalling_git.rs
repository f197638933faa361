//! A git server that wants to know who asks, and says nothing more to who told it: what fetches from it hangs with its password in hand.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

/// What it answers to who does not say who he is.
const REFUSAL: &str =
    "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"git\"\r\nContent-Length: 0\r\n\r\n";
/// How long [`StallingGit::wait_for`] waits.
const PATIENCE: Duration = Duration::from_secs(60);

/// See the module's text. Its threads end with the process.
pub struct StallingGit {
    pub port: u16,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    /// The last of what was told, as it was sent.
    login: Mutex<String>,
    told: AtomicUsize,
    is_gone: AtomicBool,
}

impl StallingGit {
    pub fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let port = listener.local_addr()?.port();
        let shared = Arc::new(Shared::default());
        let of_thread = Arc::clone(&shared);
        std::thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let shared = Arc::clone(&of_thread);
                std::thread::spawn(move || shared.serve(&connection));
            }
        });
        Ok(Self { port, shared })
    }

    /// How many have told who they are, since the start.
    pub fn told(&self) -> usize {
        self.shared.told.load(Ordering::SeqCst)
    }

    /// Waits until so many have told who they are; what the last of them said, as HTTP has it.
    pub fn wait_for(&self, told: usize) -> Result<String> {
        let began = Instant::now();
        while self.told() < told {
            ensure!(
                began.elapsed() < PATIENCE,
                "only {} of {told} told who they are",
                self.told()
            );
            std::thread::sleep(Duration::from_millis(10));
        }
        let login = self.shared.login.lock();
        Ok(login.unwrap_or_else(PoisonError::into_inner).clone())
    }

    /// From now on it hangs up on everybody.
    pub fn hang_up(&self) {
        self.shared.is_gone.store(true, Ordering::SeqCst);
    }
}

impl Shared {
    fn serve(&self, mut connection: &TcpStream) {
        if self.is_gone.load(Ordering::SeqCst) {
            return;
        }
        let mut login = None;
        // To the other side's end.
        for line in BufReader::new(connection).lines().map_while(Result::ok) {
            if let Some(is) = line.strip_prefix("Authorization: Basic ") {
                login = Some(is.to_owned());
            }
            if !line.is_empty() {
                continue;
            }
            match login.take() {
                Some(login) => {
                    *self.login.lock().unwrap_or_else(PoisonError::into_inner) = login;
                    self.told.fetch_add(1, Ordering::SeqCst);
                }
                None if connection.write_all(REFUSAL.as_bytes()).is_err() => return,
                None => {}
            }
        }
    }
}
