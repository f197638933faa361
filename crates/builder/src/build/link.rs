//! The image server, as one build talks to it.

use std::sync::Arc;
use std::time::Duration;

use image_client::{Connect, Connections, Error, ImageServer};
use parking_lot::Mutex;
use srpc::ConnectError;
use tokio::runtime::Runtime;
use tokio::time::Instant;
use tree_io::Cancel;

use super::failure::Failure;
use super::overseer::Overseer;
use crate::Watcher;

/// How soon an ended build stops waiting for the server.
const CANCEL_PERIOD: Duration = Duration::from_millis(100);

/// How long an image server that cannot be reached is tried again: it restarts in less, and a build may be hours of work.
const DIAL_PATIENCE: Duration = Duration::from_secs(60);

/// First pause between two such attempts.
const FIRST_PAUSE: Duration = Duration::from_millis(250);

/// Longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Connections of a build, and the runtime they live in: one thread's, the build's own.
pub(crate) struct Link {
    runtime: Runtime,
    connections: Connections,
    /// The one of the last call.
    kept: Mutex<Option<ImageServer>>,
    overseer: Arc<Overseer>,
    cancel: Cancel,
    _withdrawn_at_the_end: Box<dyn std::any::Any + Send>,
}

impl Link {
    pub(crate) fn new(connect: Connect, overseer: Arc<Overseer>) -> std::io::Result<Link> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let cancel = Cancel::default();
        let asked = cancel.clone();
        let withdrawn = overseer.on_cancel(Box::new(move || asked.cancel()));
        Ok(Link {
            runtime,
            connections: Connections::new(connect),
            kept: Mutex::default(),
            overseer,
            cancel,
            _withdrawn_at_the_end: withdrawn,
        })
    }

    /// Set when the build is to end; for trees and object streams.
    pub(crate) fn cancel(&self) -> &Cancel {
        &self.cancel
    }

    /// One or several calls over one connection, which may be made twice. Ends soon when the build does.
    pub(crate) fn call<T>(
        &self,
        work: impl AsyncFn(&mut ImageServer) -> Result<T, Error>,
    ) -> Result<T, Failure> {
        self.run(async {
            let kept = self.kept.lock().take();
            if let Some(mut server) = kept
                && let Ok(answer) = work(&mut server).await
            {
                *self.kept.lock() = Some(server);
                return Ok(answer);
            }
            // Scripts may take an hour: whatever was wrong, the connection may have been it.
            let mut server = self.dial().await?;
            let answer = work(&mut server).await?;
            *self.kept.lock() = Some(server);
            Ok(answer)
        })
    }

    /// As [`call`](Self::call) over a connection of its own, and never left in the middle: for what changes the server.
    pub(crate) fn commit<T>(
        &self,
        work: impl AsyncFnOnce(&mut ImageServer) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.runtime.block_on(async {
            let mut server = self.dial().await?;
            work(&mut server).await
        })
    }

    /// A connection to be used up.
    pub(crate) fn connect(&self) -> Result<ImageServer, Failure> {
        self.run(self.dial())
    }

    /// Waits for something that has its own way of ending early.
    pub(crate) fn wait<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    /// A new connection. Trying again is safe, since nothing has been asked yet. Stops trying when the build is to end.
    async fn dial(&self) -> Result<ImageServer, Error> {
        let deadline = Instant::now() + DIAL_PATIENCE;
        let mut pause = FIRST_PAUSE;
        loop {
            let error = match self.connections.connect().await {
                Ok(server) => return Ok(server),
                Err(error) => error,
            };
            let is_over = self.overseer.check().is_err() || Instant::now() + pause > deadline;
            if is_over || !may_pass(&error) {
                return Err(error);
            }
            if pause == FIRST_PAUSE {
                self.overseer
                    .say(format!("Cannot reach the image server, trying again: {error}"));
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    fn run<T>(&self, work: impl Future<Output = Result<T, Error>>) -> Result<T, Failure> {
        self.overseer.check()?;
        self.runtime.block_on(async {
            let mut work = std::pin::pin!(work);
            loop {
                if let Ok(done) = tokio::time::timeout(CANCEL_PERIOD, &mut work).await {
                    return done.or_else(|error| {
                        // Dialling ends early for this reason too, and with the error of the last attempt.
                        self.overseer.check()?;
                        Err(error.into())
                    });
                }
                self.overseer.check()?;
            }
        })
    }
}

/// Whether there may be a connection in a moment: not if it is our address or our certificate that is wrong.
fn may_pass(error: &Error) -> bool {
    let Error::Connect { source, .. } = error else {
        return false;
    };
    !matches!(
        source,
        ConnectError::BadAddress(_)
            | ConnectError::Credentials(_)
            | ConnectError::MissingCertificate
            | ConnectError::BadCertificate
    )
}

/// Whether it is the server that is not there, and neither our settings nor what was asked. Who answers, and is no image server or does
/// not let us in, is there: builds that wait for another answer would wait for ever.
pub(super) fn is_away(error: &Error) -> bool {
    let Error::Connect { source, .. } = error else {
        return false;
    };
    matches!(
        source,
        ConnectError::ConnectionRefused
            | ConnectError::NoRouteToHost
            | ConnectError::DnsServerMisbehaving
            | ConnectError::Dial(_)
            | ConnectError::Timeout
            | ConnectError::Conn(_)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Phase;
    use srpc::server::listener;
    use srpc::{ConnectOptions, Policy, Registry, Server, UnixSocket};
    use std::any::Any;
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

    /// Somebody who may cancel, and keeps the log.
    #[derive(Default)]
    struct Somebody {
        is_cancelled: AtomicBool,
        log: Mutex<Vec<u8>>,
    }

    impl Watcher for Somebody {
        fn log(&self, bytes: &[u8]) {
            self.log.lock().extend_from_slice(bytes);
        }
        fn phase(&self, _: Phase) {}
        fn log_so_far(&self) -> Vec<u8> {
            self.log.lock().clone()
        }
        fn is_cancelled(&self) -> bool {
            self.is_cancelled.load(Ordering::SeqCst)
        }
        fn on_cancel(&self, _: Box<dyn Fn() + Send + Sync>) -> Box<dyn Any + Send> {
            Box::new(())
        }
    }

    /// An address at which nobody listens, and a link to it that calls this before each attempt to connect.
    fn link(
        somebody: &Arc<Somebody>,
        before: impl Fn(usize, &str) + Send + Sync + 'static,
    ) -> (Link, Arc<AtomicUsize>) {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap().to_string();
        drop(free);
        let attempts = Arc::new(AtomicUsize::new(0));
        let counted = attempts.clone();
        let connect: Connect = Arc::new(move || {
            before(counted.fetch_add(1, Ordering::SeqCst), &address);
            ConnectOptions::new(address.clone())
        });
        let watcher: Arc<dyn Watcher> = somebody.clone();
        (Link::new(connect, Overseer::new(watcher)).unwrap(), attempts)
    }

    #[test]
    fn a_server_that_is_away_for_a_moment_costs_no_build() {
        let somebody = Arc::new(Somebody::default());
        let (link, attempts) = link(&somebody, |attempt, address| {
            // It comes back after the second attempt has failed.
            if attempt == 2 {
                let policy = Policy {
                    unix_socket: UnixSocket::Off,
                    ..Policy::default()
                };
                let listener = std::net::TcpListener::bind(address).unwrap();
                let server = Server::new(Registry::builder().build(), None, policy);
                listener::spawn_thread(server, listener).unwrap();
            }
        });
        assert!(link.connect().is_ok());
        assert_eq!(attempts.load(Ordering::SeqCst), 3);
        let log = String::from_utf8(somebody.log_so_far()).unwrap();
        assert_eq!(log.matches("Cannot reach the image server").count(), 1, "{log}");
    }

    #[test]
    fn a_cancelled_build_waits_for_no_server() {
        let somebody = Arc::new(Somebody::default());
        let asked = somebody.clone();
        let (link, _) = link(&somebody, move |attempt, _| {
            asked.is_cancelled.store(attempt > 0, Ordering::SeqCst);
        });
        let failure = link.connect().map(drop).unwrap_err();
        assert_eq!(failure.text(), Failure::cancelled().text());
        // Also where what is being done must not be left in the middle: nothing is being done yet.
        let committed = link.commit(async |_| Ok(()));
        assert!(matches!(committed, Err(Error::Connect { .. })));
    }

    #[test]
    fn that_the_server_is_away_is_told_from_what_is_wrong_with_us() {
        let away = |source| {
            let address = "images:6971".to_owned();
            Failure::from(Error::Connect { address, source })
        };
        let refused = away(ConnectError::ConnectionRefused);
        assert!(refused.is_server_away());
        assert!(
            refused
                .text()
                .starts_with("the image server is away: images:6971: "),
            "{}",
            refused.text()
        );
        assert!(!away(ConnectError::MissingCertificate).is_server_away());
        let web_server = ConnectError::Http("400 Bad Request".to_owned());
        assert!(!away(web_server).is_server_away());
        assert!(!Failure::from(Error::Refused("no".to_owned())).is_server_away());
    }
}
