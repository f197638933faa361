//! What the upstream says, read ahead of the work it makes.

use super::error::ReplicationError;
use super::shared::Shared;
use crate::task::AbortOnDrop;
use image_client::ImageServer;
use image_client::updates::{Update, Updates};
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};

/// Announcements read ahead. While images are fetched the upstream goes on talking, and it hangs up on those who do not
/// listen; beyond this we let it wait.
const READ_AHEAD: usize = 65_536;

/// The stream of updates. Ends with the connection; dropping it closes that.
pub(super) struct Feed {
    updates: mpsc::Receiver<Update>,
    ended: oneshot::Receiver<image_client::Error>,
    _reader: AbortOnDrop<()>,
}

impl Feed {
    /// Subscribes.
    pub(super) async fn start(
        mut server: ImageServer,
        lasting_only: bool,
        shared: Arc<Shared>,
    ) -> Result<Feed, ReplicationError> {
        let (sender, updates) = mpsc::channel(READ_AHEAD);
        let (tell_end, ended) = oneshot::channel();
        let (tell_start, started) = oneshot::channel();
        let reader = AbortOnDrop::spawn(async move {
            let subscribed = if lasting_only {
                server.lasting_updates().await
            } else {
                server.updates().await
            };
            match subscribed {
                Ok(stream) => {
                    let _ = tell_start.send(Ok(()));
                    if let Some(error) = read(stream, sender, &shared).await {
                        let _ = tell_end.send(error);
                    }
                }
                Err(error) => {
                    let _ = tell_start.send(Err(error));
                }
            }
        });
        started.await.unwrap_or(Err(image_client::Error::TaskDied))?;
        Ok(Feed {
            updates,
            ended,
            _reader: reader,
        })
    }

    /// The next update. May be dropped and called again.
    pub(super) async fn next(&mut self) -> Result<Update, ReplicationError> {
        match self.updates.recv().await {
            Some(update) => Ok(update),
            None => Err(self.end().await),
        }
    }

    /// The next update if it is here already.
    pub(super) fn try_next(&mut self) -> Option<Update> {
        self.updates.try_recv().ok()
    }

    /// Updates waiting.
    pub(super) fn len(&self) -> usize {
        self.updates.len()
    }

    /// Returns when the connection has ended, whatever still waits to be worked off. May be dropped and called again, but
    /// not after it has returned.
    pub(super) async fn end(&mut self) -> ReplicationError {
        (&mut self.ended)
            .await
            .unwrap_or(image_client::Error::TaskDied)
            .into()
    }
}

/// Returns why the stream ended; nothing if nobody listens any more.
async fn read(
    mut stream: Updates<'_>,
    sender: mpsc::Sender<Update>,
    shared: &Shared,
) -> Option<image_client::Error> {
    loop {
        match stream.next().await {
            Ok(update) => {
                shared.status.event();
                sender.send(update).await.ok()?;
            }
            Err(error) => return Some(error),
        }
    }
}
