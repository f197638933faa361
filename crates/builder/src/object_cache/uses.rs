//! When objects were used last, kept over a restart: a file that is replaced from time to time. Losing it costs nothing but the wrong
//! objects being removed first.

use std::fs;
use std::path::Path;

use hash::Hash;

use super::{ObjectCache, Table, now};

/// The file.
const NAME: &str = ".uses";

/// First bytes of the file.
const MAGIC: &[u8; 8] = b"IWuses1\n";

/// A name and seconds since 1970.
const RECORD_BYTES: usize = Hash::LENGTH + 4;

/// Seconds between two writings. A million objects make 68 MB.
const PERIOD_SECONDS: u32 = 60;

/// Fills in what the file says; it ends with the hash of all before, and is passed over if that is wrong.
pub(super) fn read(directory: &Path, table: &mut Table) {
    let Ok(text) = fs::read(directory.join(NAME)) else {
        return;
    };
    let Some((body, check)) = text.split_last_chunk::<{ Hash::LENGTH }>() else {
        return;
    };
    let Some(records) = body.strip_prefix(MAGIC) else {
        return;
    };
    if hash::of(body).as_bytes() != check {
        return;
    }
    for record in records.chunks_exact(RECORD_BYTES) {
        if let Some((name, used)) = record.split_first_chunk::<{ Hash::LENGTH }>()
            && let Ok(used) = used.try_into()
            && let Some(entry) = table.entries.get_mut(&Hash(*name))
        {
            entry.used = u32::from_le_bytes(used);
        }
    }
}

impl ObjectCache {
    /// Writes the file, unless it was written just now. Best effort.
    pub(super) fn write_uses(&self) {
        let mut table = self.table.lock();
        let now = now();
        if now.saturating_sub(table.uses_written) < PERIOD_SECONDS {
            return;
        }
        table.uses_written = now;
        let mut text = Vec::with_capacity(MAGIC.len() + table.entries.len() * RECORD_BYTES + Hash::LENGTH);
        text.extend_from_slice(MAGIC);
        for (hash, entry) in &table.entries {
            text.extend_from_slice(hash.as_bytes());
            text.extend_from_slice(&entry.used.to_le_bytes());
        }
        drop(table);
        text.extend_from_slice(hash::of(&text).as_bytes());
        let temporary = self.path.join(format!("{NAME}~"));
        let written = fs::write(&temporary, &text).and_then(|()| fs::rename(temporary, self.path.join(NAME)));
        if let Err(error) = written {
            tracing::warn!("object cache {}: {NAME}: {error}", self.path.display());
        }
    }
}
