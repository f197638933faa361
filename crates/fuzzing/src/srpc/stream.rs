//! A stream in memory whose reading side gives given pieces.

use std::cell::RefCell;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::input::Pieces;

/// Bytes that are kept of what was written.
const KEPT_BYTES: usize = 8 << 20;

/// Gives its bytes, then the end. Keeps what is written to it.
pub(super) struct MemoryStream {
    bytes: Vec<u8>,
    at: usize,
    pieces: Option<Pieces>,
    pause: bool,
    written: Written,
}

/// What was written.
#[derive(Clone, Default)]
pub(super) struct Written(Arc<Mutex<Vec<u8>>>);

impl Written {
    pub(super) fn take(&self) -> Vec<u8> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl MemoryStream {
    /// All at once, or in pieces with a pause between them.
    pub(super) fn new(bytes: &[u8], pieces: Option<Pieces>) -> Self {
        Self {
            bytes: bytes.to_vec(),
            at: 0,
            pieces,
            pause: false,
            written: Written::default(),
        }
    }

    pub(super) fn written(&self) -> Written {
        self.written.clone()
    }
}

impl AsyncRead for MemoryStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        target: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.pause = !self.pause;
        if self.pause && self.pieces.is_some() {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        let length = self.pieces.as_mut().map_or(usize::MAX, Pieces::next);
        let rest = &self.bytes[self.at..];
        let length = length.min(rest.len()).min(target.remaining());
        target.put_slice(&rest[..length]);
        self.at += length;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for MemoryStream {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        let mut written = self.written.0.lock().unwrap_or_else(PoisonError::into_inner);
        if written.len() + data.len() > KEPT_BYTES {
            return Poll::Ready(Err(io::ErrorKind::StorageFull.into()));
        }
        written.extend_from_slice(data);
        Poll::Ready(Ok(data.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// Runs to its end what never waits for the outside.
pub(super) fn run<T>(work: impl Future<Output = T>) -> T {
    thread_local! {
        static RUNTIME: RefCell<Option<tokio::runtime::Runtime>> = const { RefCell::new(None) };
    }
    RUNTIME.with_borrow_mut(|runtime| {
        let runtime = runtime.get_or_insert_with(|| {
            let built = tokio::runtime::Builder::new_current_thread()
                .enable_time()
                .build();
            built.unwrap_or_else(|error| panic!("no runtime to run a target in: {error}"))
        });
        runtime.block_on(work)
    })
}
