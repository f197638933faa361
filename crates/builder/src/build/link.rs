//! The image server, as one build talks to it.

use std::sync::Arc;
use std::time::Duration;

use image_client::{Connect, Connections, ImageServer};
use parking_lot::Mutex;
use tokio::runtime::Runtime;
use tree_io::Cancel;

use super::failure::Failure;
use super::overseer::Overseer;
use crate::Watcher;

/// How soon an ended build stops waiting for the server.
const CANCEL_PERIOD: Duration = Duration::from_millis(100);

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
        work: impl AsyncFn(&mut ImageServer) -> Result<T, image_client::Error>,
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
            let mut server = self.connections.connect().await?;
            let answer = work(&mut server).await?;
            *self.kept.lock() = Some(server);
            Ok(answer)
        })
    }

    /// As [`call`](Self::call) over a connection of its own, and never left in the middle: for what changes the server.
    pub(crate) fn commit<T>(
        &self,
        work: impl AsyncFnOnce(&mut ImageServer) -> Result<T, image_client::Error>,
    ) -> Result<T, image_client::Error> {
        self.runtime.block_on(async {
            let mut server = self.connections.connect().await?;
            work(&mut server).await
        })
    }

    /// A connection to be used up.
    pub(crate) fn connect(&self) -> Result<ImageServer, Failure> {
        self.run(self.connections.connect())
    }

    /// Waits for something that has its own way of ending early.
    pub(crate) fn wait<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    fn run<T>(&self, work: impl Future<Output = Result<T, image_client::Error>>) -> Result<T, Failure> {
        self.overseer.check()?;
        self.runtime.block_on(async {
            let mut work = std::pin::pin!(work);
            loop {
                if let Ok(done) = tokio::time::timeout(CANCEL_PERIOD, &mut work).await {
                    return done.map_err(Failure::from);
                }
                self.overseer.check()?;
            }
        })
    }
}
