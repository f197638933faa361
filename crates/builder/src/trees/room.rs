//! How much of a tree is copied: what somebody put into a directory of the host may be more than the disk of the builds has.

use std::cell::Cell;
use std::io;
use std::path::{Path, PathBuf};

use crate::Watcher;
use crate::disk_use::full;

/// Bytes that a file, directory or link costs beside its content, about.
const ENTRY_BYTES: u64 = 4 << 10;
/// Bytes between two looks at the disk.
const LOOK_BYTES: u64 = 64 << 20;

/// What may still be copied to a place.
pub(super) struct Room {
    place: PathBuf,
    most_bytes: u64,
    left: Cell<u64>,
    until_look: Cell<u64>,
}

impl Room {
    pub(super) fn new(place: &Path, most_bytes: u64) -> Self {
        Self {
            place: place.to_owned(),
            most_bytes,
            left: Cell::new(most_bytes),
            // At once: the disk may be full already.
            until_look: Cell::new(0),
        }
    }

    /// Takes what one more file, directory or link costs without its content.
    pub(super) fn take_entry(&self) -> io::Result<()> {
        self.take(ENTRY_BYTES)
    }

    fn take(&self, bytes: u64) -> io::Result<()> {
        let Some(left) = self.left.get().checked_sub(bytes) else {
            let most = human::bytes(self.most_bytes);
            let text = format!("the tree takes more than {most} on the disk, which is the limit");
            return Err(io::Error::other(text));
        };
        self.left.set(left);
        if let Some(until_look) = self.until_look.get().checked_sub(bytes) {
            self.until_look.set(until_look);
            return Ok(());
        }
        self.until_look.set(LOOK_BYTES);
        full(&self.place).map_or(Ok(()), |reason| Err(io::Error::other(reason)))
    }
}

/// A file that takes from the room as it is read: holes take it, too, and what is written to it meanwhile.
pub(super) struct Metered<'a, R> {
    pub(super) content: R,
    pub(super) room: &'a Room,
    pub(super) watcher: &'a dyn Watcher,
}

impl<R: io::Read> io::Read for Metered<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.watcher.is_cancelled() {
            return Err(io::Error::other("cancelled"));
        }
        let length = self.content.read(buffer)?;
        self.room.take(length as u64)?;
        Ok(length)
    }
}
