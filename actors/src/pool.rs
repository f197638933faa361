//! Threads for blocking work, a fixed number of them behind a bounded queue.
//!
//! Not `spawn_blocking`: its pool is shared with everybody and grows to 512 threads, where disks want a few. Not rayon:
//! a panic in its `spawn` aborts the process.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use tokio::sync::{Semaphore, oneshot};

type Job = Box<dyn FnOnce() + Send>;

/// A pool. Clones share it; the threads end with the last clone, after what is queued.
#[derive(Clone)]
pub(crate) struct Pool {
    sender: crossbeam_channel::Sender<Job>,
    room: Arc<Semaphore>,
    limit: usize,
}

/// Why work has no result.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum PoolError {
    /// The work panicked, with this text.
    #[error("internal error: {0}")]
    Panicked(String),
}

impl Pool {
    /// Starts `threads` threads; at most `limit` jobs run or wait at a time, further callers wait for their turn.
    pub(crate) fn new(name: &str, threads: usize, limit: usize) -> std::io::Result<Pool> {
        let (sender, receiver) = crossbeam_channel::bounded::<Job>(limit);
        for number in 0..threads {
            let receiver = receiver.clone();
            std::thread::Builder::new()
                .name(format!("{name}-{number}"))
                .spawn(move || {
                    for job in receiver {
                        job();
                    }
                })?;
        }
        Ok(Pool {
            sender,
            room: Arc::new(Semaphore::new(limit)),
            limit,
        })
    }

    /// Nothing runs or waits.
    pub(crate) fn is_idle(&self) -> bool {
        self.room.available_permits() == self.limit
    }

    /// Runs `work` on the pool. Once begun or queued it runs to its end, also if the caller goes away.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, PoolError> {
        let gone = || PoolError::Panicked("the pool is gone".to_owned());
        let room = self.room.clone().acquire_owned().await.map_err(|_| gone())?;
        let (reply, result) = oneshot::channel();
        let job: Job = Box::new(move || {
            let outcome =
                catch_unwind(AssertUnwindSafe(work)).map_err(|panic| PoolError::Panicked(text_of(&*panic)));
            // Free before the result is seen, so that who has seen it finds room.
            drop(room);
            let _ = reply.send(outcome);
        });
        // Never blocks: a permit is a place in the channel.
        self.sender.try_send(job).map_err(|_| gone())?;
        result.await.map_err(|_| gone())?
    }
}

/// What a panic said.
pub(crate) fn text_of(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "panic".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_fails_its_own_job_and_no_other() {
        let pool = Pool::new("test", 1, 1).unwrap();
        let failed = pool.run::<()>(|| panic!("on purpose")).await;
        assert_eq!(failed.unwrap_err().to_string(), "internal error: on purpose");
        assert_eq!(pool.run(|| 7).await.unwrap(), 7);
    }
}
