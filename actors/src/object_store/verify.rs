//! Making sure that what is stored is what its name says, once since the start and again when the file was touched.

use super::ledger::Missing;
use super::table::fingerprint;
use super::{ObjectError, Shared};
use hash::{Hash, Hasher};
use std::collections::HashSet;
use std::io::{self, Read};
use std::sync::atomic::Ordering;
use storage::{OpenObject, Stamp, StorageError};

/// Read at a time while hashing.
const BUFFER_BYTES: usize = 256 * 1024;

/// An open object, and whether its bytes are known to be right.
pub(super) struct Opened {
    pub(super) object: OpenObject,
    pub(super) verified: bool,
}

/// Blocks.
pub(super) fn open(shared: &Shared, hash: &Hash) -> Result<Opened, ObjectError> {
    let found = shared.table.find(hash).ok_or(ObjectError::Unknown(*hash))?;
    if found.damaged {
        return Err(ObjectError::Corrupt(*hash));
    }
    let object = match shared.backend.open(hash) {
        Ok(object) => object,
        Err(StorageError::UnknownObject { .. }) => return Err(damaged(shared, hash, "the file is gone")),
        Err(error) => return Err(error.into()),
    };
    if object.size != found.size {
        return Err(damaged(shared, hash, "the file has another length"));
    }
    let verified = found.verified == fingerprint(&object.stamp);
    Ok(Opened { object, verified })
}

impl Shared {
    /// Blocks. Those of `hashes` whose files are gone or have another length. Only files that nobody has read since the start are
    /// looked at, one `open` each: what an index of objects says may have been overtaken by a repair of the file system.
    pub(crate) fn lost(&self, hashes: &[Hash]) -> Result<Missing, ObjectError> {
        let mut seen = HashSet::with_capacity(hashes.len());
        let mut lost = Vec::new();
        for hash in hashes {
            let is_known = || self.table.find(hash).is_some_and(|found| found.verified != 0);
            if !seen.insert(*hash) || is_known() {
                continue;
            }
            match open(self, hash) {
                Ok(_) => {}
                Err(ObjectError::Corrupt(_) | ObjectError::Unknown(_)) => lost.push(*hash),
                Err(error) => return Err(error),
            }
        }
        Ok(Missing(lost))
    }
}

/// Blocks.
pub(super) fn verify(shared: &Shared, hash: &Hash) -> Result<(), ObjectError> {
    let mut opened = open(shared, hash)?;
    if opened.verified {
        return Ok(());
    }
    let mut hasher = Hasher::new();
    let mut buffer = vec![0; BUFFER_BYTES.min(usize::try_from(opened.object.size).unwrap_or(BUFFER_BYTES))];
    loop {
        match opened.object.file.read(&mut buffer) {
            Ok(0) => break,
            Ok(length) => hasher.update(&buffer[..length]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(unreadable(shared, hash, &error)),
        }
    }
    conclude(shared, hash, &opened.object.stamp, hasher.finish())
}

/// Compares and remembers. The stamp is the one the file was opened with: had it been changed since, the next reader
/// would see another.
pub(super) fn conclude(
    shared: &Shared,
    hash: &Hash,
    stamp: &Stamp,
    computed: Hash,
) -> Result<(), ObjectError> {
    if computed != *hash {
        return Err(damaged(shared, hash, "its content does not match its name"));
    }
    shared.table.set_verified(hash, stamp);
    Ok(())
}

/// A read that failed. Bad sectors are damage; a process out of memory is not.
pub(super) fn unreadable(shared: &Shared, hash: &Hash, error: &io::Error) -> ObjectError {
    damaged(shared, hash, &format!("cannot read it: {error}"))
}

/// Notes the damage: the object is not served any more, and clients are told it is absent, so that they send it again.
pub(super) fn damaged(shared: &Shared, hash: &Hash, why: &str) -> ObjectError {
    if shared.table.set_damaged(hash) {
        shared.damages.note(hash, why);
        shared.corrupt_found.fetch_add(1, Ordering::Relaxed);
        metrics::counter!("imageserver_damaged_objects_found_total").increment(1);
        tracing::error!("object {hash} is damaged: {why}; it is not served until somebody adds it again");
    }
    ObjectError::Corrupt(*hash)
}
