//! Making sure that what is stored is what its name says, once since the start and again when the file was touched.

use super::ledger::Missing;
use super::table::fingerprint;
use super::{ObjectError, Shared};
use hash::{Hash, Hasher};
use std::collections::HashSet;
use std::io::{self, Read};
use std::sync::atomic::Ordering;
use storage::{OpenObject, Stamp, StorageError};

/// Causes of damage.
pub(super) const FILE_IS_GONE: &str = "the file is gone";
pub(super) const OTHER_LENGTH: &str = "the file has another length";
const OTHER_CONTENT: &str = "its content does not match its name";

/// Read at a time while hashing.
const BUFFER_BYTES: usize = 256 * 1024;

/// An open object, and whether its bytes are known to be right.
pub(super) struct Opened {
    pub(super) object: OpenObject,
    pub(super) verified: bool,
    /// What comes later than the opening changes the stamp. Not asked of what is verified.
    pub(super) settled: bool,
}

/// How a file was when its content was read: what its stamp is good for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen {
    pub(super) stamp: Stamp,
    pub(super) settled: bool,
}

impl Opened {
    pub(super) fn seen(&self) -> Seen {
        Seen {
            stamp: self.object.stamp,
            settled: self.settled,
        }
    }
}

/// Blocks.
pub(super) fn open(shared: &Shared, hash: &Hash) -> Result<Opened, ObjectError> {
    let found = shared.table.find(hash).ok_or(ObjectError::Unknown(*hash))?;
    if found.damaged {
        return Err(ObjectError::Corrupt(*hash));
    }
    let object = match shared.backend.open(hash) {
        Ok(object) => object,
        Err(StorageError::UnknownObject { .. }) => return Err(damaged(shared, hash, FILE_IS_GONE)),
        Err(error) if error.is_damage() => {
            return Err(damaged(shared, hash, &format!("cannot open it: {error}")));
        }
        Err(error) => return Err(error.into()),
    };
    if object.size != found.size {
        return Err(damaged(shared, hash, OTHER_LENGTH));
    }
    let verified = found.verified == fingerprint(&object.stamp);
    let settled = verified || object.stamp.is_settled(shared.file_clock_ns());
    Ok(Opened {
        object,
        verified,
        settled,
    })
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
    let seen = opened.seen();
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
    conclude(shared, hash, &seen, hasher.finish())
}

/// Compares and remembers. The stamp is the one the file was opened with: had it been changed since, the next reader
/// would see another, if the clock had ticked before it was opened. Else nothing is remembered.
pub(super) fn conclude(shared: &Shared, hash: &Hash, seen: &Seen, computed: Hash) -> Result<(), ObjectError> {
    if computed == *hash {
        if shared.table.set_verified(hash, &seen.stamp, seen.settled) {
            tracing::info!("object {hash} is in order again");
        }
        return Ok(());
    }
    match shared.backend.open(hash) {
        // Replaced by a good one while this one was read: not served, and no damage.
        Ok(now) if now.stamp != seen.stamp => Err(ObjectError::Corrupt(*hash)),
        _ => Err(damaged(shared, hash, OTHER_CONTENT)),
    }
}

/// A read that failed. Bad sectors are damage; a process out of memory is not.
pub(super) fn unreadable(shared: &Shared, hash: &Hash, error: &io::Error) -> ObjectError {
    if error.kind() == io::ErrorKind::OutOfMemory {
        return ObjectError::Internal(format!("cannot read object {hash}: {error}"));
    }
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

#[cfg(test)]
mod tests {
    use crate::Config;
    use std::time::{Duration, Instant};

    #[tokio::test]
    async fn what_was_read_in_the_tick_in_which_it_was_changed_is_read_again() {
        let directory = tempfile::tempdir().unwrap();
        let config = Config {
            image_dir: directory.path().join("images"),
            object_dir: directory.path().join("objects"),
            ..Config::default()
        };
        std::fs::create_dir(&config.image_dir).unwrap();
        std::fs::create_dir(&config.object_dir).unwrap();
        let objects = config.object_dir.clone();
        let system = crate::start(config).unwrap();
        let lease = system.objects.lease();
        let hash = system.objects.add("content".into(), &lease).await.unwrap().hash;
        let path = objects.join(storage::object_place(&hash));
        // The same content, by somebody who may not have ended yet.
        std::fs::write(&path, "content").unwrap();
        let is_remembered = || {
            system.objects.verify(&hash).unwrap();
            system.objects.shared.table.find(&hash).unwrap().verified != 0
        };
        assert!(!is_remembered());
        let start = Instant::now();
        while !is_remembered() {
            assert!(start.elapsed() < Duration::from_secs(60), "it never settles");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}
