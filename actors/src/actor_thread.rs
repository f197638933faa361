//! The thread that a system of actors runs in.

use std::future::Future;
use std::io;
use std::thread::JoinHandle;

/// A thread with an actix system. Each actor has an arbiter, and so a thread, of its own.
pub(crate) struct ActorThread {
    system: actix_rt::System,
    thread: JoinHandle<()>,
}

impl ActorThread {
    /// Starts the thread, runs `prepare` in it, which starts the actors and gives their arbiters, and waits for that. Blocks.
    ///
    /// # Errors
    /// Those of `prepare`, and that the system has no thread for us.
    pub(crate) fn start<P, F, E>(name: &str, prepare: P) -> Result<Self, E>
    where
        P: FnOnce() -> F + Send + 'static,
        F: Future<Output = Result<Vec<actix_rt::Arbiter>, E>>,
        E: From<io::Error> + Send + 'static,
    {
        // Not tokio's: this may be called from inside a runtime, which must not be blocked by its own means.
        let (sender, started) = std::sync::mpsc::sync_channel(1);
        let name = name.to_owned();
        let thread = std::thread::Builder::new().name(name.clone()).spawn(move || {
            let runner = actix_rt::System::new();
            let prepared = runner.block_on(async { (prepare().await, actix_rt::System::current()) });
            let arbiters = match prepared {
                (Ok(arbiters), system) => {
                    let _ = sender.send(Ok(system));
                    arbiters
                }
                (Err(error), _) => {
                    let _ = sender.send(Err(error));
                    return;
                }
            };
            if let Err(error) = runner.run() {
                tracing::error!("{name}: {error}");
            }
            // Ended threads are what stopping promises: they hold the directories and their locks.
            for arbiter in arbiters {
                arbiter.stop();
                let _ = arbiter.join();
            }
        })?;
        match started.recv() {
            Ok(system) => system.map(|system| Self { system, thread }),
            Err(_) => Err(io::Error::other("the actors' thread ended at once").into()),
        }
    }

    /// Ends the arbiters and the thread. Actors whose addresses are still held elsewhere end with them. Blocks.
    pub(crate) fn stop(self) {
        self.system.stop();
        let _ = self.thread.join();
    }
}
