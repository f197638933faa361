//! The log of a build while it grows: written by one, followed by many from wherever they like.
//!
//! The first [`LOG_MEMORY_BYTES`] are in memory. What comes after goes to a file without a name in the spool directory, up to
//! [`LOG_BYTES`] in all; beyond that, or if the file cannot be written, the rest is left out and a notice says so. Readers get
//! pieces that share the memory, or read the file where they are: none copies the whole.

use bytes::Bytes;
use parking_lot::Mutex;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::watch;

/// Bytes of a log kept in memory.
pub const LOG_MEMORY_BYTES: u64 = 256 << 10;

/// Bytes of a log kept at all. A build that says more says the same again.
pub const LOG_BYTES: u64 = 64 << 20;

/// Bytes of a piece in memory: small writes are put together up to this.
const PIECE_BYTES: usize = 8 << 10;

/// How far a log has got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LogState {
    /// Bytes there are.
    pub bytes: u64,
    /// Nothing will be added.
    pub is_complete: bool,
}

/// What a log holds here, and not in the archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Held {
    /// Bytes in memory and in its file without a name.
    pub(crate) bytes: u64,
    /// It has such a file.
    pub(crate) has_file: bool,
}

/// A build's log.
pub struct BuildLog {
    inner: Mutex<Inner>,
    state: watch::Sender<LogState>,
    spool_dir: PathBuf,
}

struct Inner {
    /// Pieces from byte 0, with the offset of each; the last grows.
    pieces: Vec<(u64, Bytes)>,
    last: Vec<u8>,
    /// Where `last` begins.
    last_at: u64,
    in_memory: u64,
    /// What comes after the memory.
    spool: Option<Arc<File>>,
    is_cut: bool,
    /// The whole log, once it is in a file with a name; then nothing else is kept.
    archived: Option<PathBuf>,
    bytes: u64,
}

impl BuildLog {
    /// An empty log that spools to files without a name in this directory.
    pub fn new(spool_dir: &Path) -> BuildLog {
        BuildLog {
            inner: Mutex::new(Inner {
                pieces: Vec::new(),
                last: Vec::new(),
                last_at: 0,
                in_memory: 0,
                spool: None,
                is_cut: false,
                archived: None,
                bytes: 0,
            }),
            state: watch::Sender::new(LogState::default()),
            spool_dir: spool_dir.to_owned(),
        }
    }

    /// A complete log that lies in a file.
    pub fn archived(path: PathBuf, bytes: u64) -> BuildLog {
        let log = BuildLog::new(Path::new(""));
        {
            let mut inner = log.inner.lock();
            inner.archived = Some(path);
            inner.bytes = bytes;
        }
        log.state.send_replace(LogState {
            bytes,
            is_complete: true,
        });
        log
    }

    /// How far it has got.
    pub fn state(&self) -> LogState {
        *self.state.borrow()
    }

    /// Tells of growth.
    pub fn subscribe(&self) -> watch::Receiver<LogState> {
        self.state.subscribe()
    }

    /// Adds to the end, which followers are told.
    pub fn append(&self, bytes: &[u8]) {
        if bytes.is_empty() || self.state.borrow().is_complete {
            return;
        }
        let mut inner = self.inner.lock();
        inner.append(bytes, &self.spool_dir);
        let bytes = inner.bytes;
        drop(inner);
        self.state.send_modify(|state| state.bytes = bytes);
    }

    /// Nothing more will come.
    pub fn complete(&self) {
        self.state.send_modify(|state| state.is_complete = true);
    }

    /// The whole log lies in this file now: what is here is let go.
    pub fn is_in_file(&self, path: PathBuf) {
        let mut inner = self.inner.lock();
        inner.archived = Some(path);
        inner.pieces = Vec::new();
        inner.last = Vec::new();
        inner.spool = None;
    }

    /// What letting it go would set free.
    pub(crate) fn held(&self) -> Held {
        let inner = self.inner.lock();
        Held {
            bytes: if inner.archived.is_some() { 0 } else { inner.bytes },
            has_file: inner.spool.is_some(),
        }
    }

    /// Bytes from this offset on, at most `max_bytes` and at least one, unless there are none (yet). Blocks, briefly, where they
    /// lie in a file. A log whose archived file was removed meanwhile is read as a notice.
    pub fn read(&self, offset: u64, max_bytes: usize) -> Bytes {
        let inner = self.inner.lock();
        if offset >= inner.bytes || max_bytes == 0 {
            return Bytes::new();
        }
        let wanted = usize::try_from(inner.bytes - offset).map_or(max_bytes, |left| left.min(max_bytes));
        if let Some(path) = inner.archived.clone() {
            drop(inner);
            return read_archived(&path, offset, wanted);
        }
        if offset < inner.in_memory {
            return inner.read_memory(offset, wanted);
        }
        let (spool, at) = (inner.spool.clone(), offset - inner.in_memory);
        drop(inner);
        let read = spool.map(|file| read_at(&file, at, wanted));
        match read {
            Some(Ok(bytes)) if !bytes.is_empty() => bytes,
            // Lost with the disk under it; readers must get on.
            _ => Bytes::from(vec![b'?'; wanted]),
        }
    }

    /// Everything there is now, from this offset on.
    pub fn read_from(&self, offset: u64) -> Vec<u8> {
        let mut all = Vec::new();
        loop {
            let piece = self.read(offset + all.len() as u64, 1 << 20);
            if piece.is_empty() {
                return all;
            }
            all.extend_from_slice(&piece);
        }
    }

    /// Follows it from this offset to its end.
    pub fn follow(self: &Arc<Self>, offset: u64) -> LogFollower {
        LogFollower {
            log: self.clone(),
            state: self.subscribe(),
            offset,
        }
    }
}

/// Reads a log as it grows.
pub struct LogFollower {
    log: Arc<BuildLog>,
    state: watch::Receiver<LogState>,
    offset: u64,
}

impl LogFollower {
    /// The offset of the next piece.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// The next bytes, at most `max_bytes`; waits for them. `None` when the log is complete and was read to its end. May be
    /// dropped while it waits, and called again.
    pub async fn next(&mut self, max_bytes: usize) -> Option<Bytes> {
        loop {
            let state = *self.state.borrow_and_update();
            let piece = self.log.read(self.offset, max_bytes);
            if !piece.is_empty() {
                self.offset += piece.len() as u64;
                return Some(piece);
            }
            if state.is_complete || self.state.changed().await.is_err() {
                return None;
            }
        }
    }
}

impl Inner {
    fn append(&mut self, mut bytes: &[u8], spool_dir: &Path) {
        if self.is_cut {
            return;
        }
        let room = usize::try_from(LOG_MEMORY_BYTES.saturating_sub(self.in_memory)).unwrap_or(0);
        let (first, rest) = bytes.split_at(room.min(bytes.len()));
        if self.spool.is_none() && !first.is_empty() {
            self.keep(first);
            bytes = rest;
        }
        if bytes.is_empty() {
            return;
        }
        let room = usize::try_from(LOG_BYTES - self.bytes).unwrap_or(0);
        let fits = bytes.len() <= room;
        let spooled = self.write_spool(&bytes[..room.min(bytes.len())], spool_dir);
        match spooled {
            Ok(()) if fits => {}
            Ok(()) => self.cut(&format!(
                "\n[the log is longer than {}: the rest is left out]\n",
                human::bytes(LOG_BYTES)
            )),
            Err(error) => self.cut(&format!(
                "\n[the rest of the log is left out: cannot spool it: {error}]\n"
            )),
        }
    }

    fn keep(&mut self, bytes: &[u8]) {
        for part in bytes.chunks(PIECE_BYTES) {
            if self.last.len() + part.len() > PIECE_BYTES {
                let full = std::mem::take(&mut self.last);
                let at = self.last_at;
                self.last_at += full.len() as u64;
                self.pieces.push((at, full.into()));
            }
            self.last.extend_from_slice(part);
        }
        self.in_memory += bytes.len() as u64;
        self.bytes += bytes.len() as u64;
    }

    fn write_spool(&mut self, bytes: &[u8], spool_dir: &Path) -> std::io::Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        let file = match &self.spool {
            Some(file) => file.clone(),
            None => {
                let file = Arc::new(tempfile::tempfile_in(spool_dir)?);
                self.spool = Some(file.clone());
                file
            }
        };
        file.write_all_at(bytes, self.bytes - self.in_memory)?;
        self.bytes += bytes.len() as u64;
        Ok(())
    }

    /// Says why nothing more is kept. In memory if no file is there, which is a few bytes above the bound.
    fn cut(&mut self, notice: &str) {
        self.is_cut = true;
        if self.spool.is_none() || self.bytes == self.in_memory {
            self.spool = None;
            self.keep(notice.as_bytes());
            return;
        }
        let at = self.bytes - self.in_memory;
        let written = self
            .spool
            .as_ref()
            .is_some_and(|file| file.write_all_at(notice.as_bytes(), at).is_ok());
        if written {
            self.bytes += notice.len() as u64;
        }
    }

    fn read_memory(&self, offset: u64, wanted: usize) -> Bytes {
        let slice = |at: u64, length: usize| {
            // In this piece, so less than its length.
            let start = usize::try_from(offset - at).unwrap_or(length);
            start..(start.saturating_add(wanted)).min(length)
        };
        if offset >= self.last_at {
            return Bytes::copy_from_slice(&self.last[slice(self.last_at, self.last.len())]);
        }
        let index = self.pieces.partition_point(|(at, _)| *at <= offset) - 1;
        let (at, piece) = &self.pieces[index];
        piece.slice(slice(*at, piece.len()))
    }
}

fn read_at(file: &File, offset: u64, wanted: usize) -> std::io::Result<Bytes> {
    let mut bytes = vec![0; wanted];
    let length = file.read_at(&mut bytes, offset)?;
    bytes.truncate(length);
    Ok(bytes.into())
}

fn read_archived(path: &Path, offset: u64, wanted: usize) -> Bytes {
    let read = File::open(path).and_then(|file| read_at(&file, offset, wanted));
    match read {
        Ok(bytes) if !bytes.is_empty() => bytes,
        _ if offset == 0 => Bytes::from_static(b"[the log is no longer in the archive]\n"),
        _ => Bytes::new(),
    }
}
