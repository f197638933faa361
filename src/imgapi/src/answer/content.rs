//! Bodies of answers: nothing, bytes, or a part of a file that is read while it is sent.

use std::fs::File;
use std::future::Future as _;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use actix_web::body::{BodySize, MessageBody};
use bytes::Bytes;
use tokio::task::JoinHandle;

use crate::answer::direct::Direct;
use crate::limits::{DIRECT_LEAST_BYTES, FILE_CHUNK_BYTES};
use crate::listener::Wire;

/// A body.
pub(crate) enum Content {
    /// None.
    None,
    /// These bytes.
    Bytes(Bytes),
    /// A part of a file, read while it is sent.
    File(FilePart),
    /// What writes to the connection by itself.
    Direct(Direct),
}

impl Content {
    /// The length that must be stated where the library does not know it.
    pub(crate) fn own_length(&self) -> Option<u64> {
        match self {
            Self::Direct(direct) => Some(direct.length()),
            _ => None,
        }
    }

    /// A part of a file: sent by the kernel where the connection is plain.
    pub(crate) fn of_file(wire: Option<&Wire>, file: File, start: u64, length: u64) -> Self {
        match wire {
            Some(wire) => Self::Direct(Direct::file(wire.clone(), file, start, length)),
            None => Self::File(FilePart::new(file, start, length)),
        }
    }

    /// Long bytes are written past the HTTP library, which would copy them.
    pub(crate) fn past_library(self, wire: Option<&Wire>) -> Self {
        match (self, wire) {
            (Self::Bytes(bytes), Some(wire)) if bytes.len() >= DIRECT_LEAST_BYTES => {
                Self::Direct(Direct::bytes(wire.clone(), bytes))
            }
            (content, _) => content,
        }
    }
}

impl MessageBody for Content {
    type Error = io::Error;

    fn size(&self) -> BodySize {
        match self {
            Self::None => BodySize::Sized(0),
            Self::Bytes(bytes) => BodySize::Sized(bytes.len() as u64),
            Self::File(part) => BodySize::Sized(part.length),
            Self::Direct(_) => BodySize::Stream,
        }
    }

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        match self.get_mut() {
            Self::None => Poll::Ready(None),
            Self::Bytes(bytes) if bytes.is_empty() => Poll::Ready(None),
            Self::Bytes(bytes) => Poll::Ready(Some(Ok(std::mem::take(bytes)))),
            Self::File(part) => part.poll_next(cx),
            Self::Direct(direct) => direct.poll(cx).map(|()| None),
        }
    }
}

/// A part of a file that is read while it is sent.
pub(crate) struct FilePart {
    file: Arc<File>,
    at: u64,
    length: u64,
    left: u64,
    reading: Option<JoinHandle<io::Result<Vec<u8>>>>,
}

impl FilePart {
    /// `length` bytes from `start` on.
    fn new(file: File, start: u64, length: u64) -> Self {
        Self {
            file: Arc::new(file),
            at: start,
            length,
            left: length,
            reading: None,
        }
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        let reading = self.reading.get_or_insert_with(|| {
            let (file, at) = (Arc::clone(&self.file), self.at);
            let length = self.left.min(FILE_CHUNK_BYTES as u64) as usize;
            tokio::task::spawn_blocking(move || {
                let mut bytes = vec![0; length];
                file.read_exact_at(&mut bytes, at)?;
                Ok(bytes)
            })
        });
        let read = ready!(Pin::new(reading).poll(cx));
        self.reading = None;
        let bytes = read.map_err(io::Error::other).and_then(|read| read)?;
        self.at += bytes.len() as u64;
        self.left -= bytes.len() as u64;
        Poll::Ready(Some(Ok(bytes.into())))
    }
}
