//! Reading records: one, or very many by several threads.

use super::problem::RecordProblem;
use super::{Result, Revision, Shared};
use repository::catalogue::Entry;
use repository::manifest::Record;
use repository::{Uuid, layout};
use rustix::io::Errno;
use storage::{Stamp, StorageError};

/// Longest record that is read, bytes: what the original wrote may be longer than what this program takes from clients.
const RECORD_BYTES: u64 = 64 << 20;

/// Threads that read at a start: with a cold cache they wait for the disk.
const THREADS: usize = 8;

/// A record as it was read.
pub(super) struct Loaded {
    pub(super) record: Record,
    pub(super) revision: Revision,
    /// Taken before it was read.
    pub(super) stamp: Stamp,
}

/// What a file is.
pub(super) enum Found {
    Record(Box<Loaded>),
    /// It is there, and no record.
    Problem(RecordProblem),
    Nothing,
}

/// The text of an image's record, and its stamp from before; `None` if there is none.
pub(super) fn text(
    shared: &Shared,
    uuid: Uuid,
) -> std::result::Result<Option<(Vec<u8>, Stamp)>, StorageError> {
    shared.directory.read(&layout::record(uuid), RECORD_BYTES)
}

/// Reads the record of an image.
///
/// # Errors
/// The system is short of files or memory. A file that cannot be opened or is too long is a problem of that file.
pub(super) fn record(shared: &Shared, uuid: Uuid) -> Result<Found> {
    let file = layout::record(uuid);
    let problem = |file: String, reason: String| Ok(Found::Problem(RecordProblem { file, reason }));
    let (text, stamp) = match text(shared, uuid) {
        Ok(Some(read)) => read,
        Ok(None) => return Ok(Found::Nothing),
        // These say nothing about the file, which may be good.
        Err(error) if is_shortage(&error) => return Err(error.into()),
        Err(error) => return problem(file, error.to_string()),
    };
    match Record::load(&text, uuid, &shared.rules) {
        Ok(record) => Ok(Found::Record(Box::new(Loaded {
            record,
            revision: Revision::of(&text),
            stamp,
        }))),
        Err(reason) => problem(file, reason.to_string()),
    }
}

fn is_shortage(error: &StorageError) -> bool {
    let StorageError::Io { source, .. } = error else {
        return false;
    };
    let number = source.raw_os_error().map(Errno::from_raw_os_error);
    matches!(number, Some(Errno::MFILE | Errno::NFILE | Errno::NOMEM))
}

/// An image as a start needs it.
pub(super) struct Read {
    pub(super) entry: Entry,
    pub(super) revision: Revision,
    pub(super) stamp: Stamp,
}

/// What was read of many, and what was no record.
type ReadMany = (Vec<Read>, Vec<(Uuid, RecordProblem)>);

/// Reads the records of many images; what is gone meanwhile is left out.
///
/// # Errors
/// The system is short of files or memory.
pub(super) fn records(shared: &Shared, images: &[Uuid]) -> Result<ReadMany> {
    let share = images.len().div_ceil(THREADS).max(1);
    let read_share = |images: &[Uuid]| -> Result<ReadMany> {
        let (mut good, mut bad) = (Vec::new(), Vec::new());
        for &uuid in images {
            match record(shared, uuid)? {
                Found::Record(loaded) => good.push(Read {
                    entry: Entry::new(&loaded.record, shared.rules.mode),
                    revision: loaded.revision,
                    stamp: loaded.stamp,
                }),
                Found::Problem(problem) => bad.push((uuid, problem)),
                Found::Nothing => {}
            }
        }
        Ok((good, bad))
    };
    let shares: Vec<_> = std::thread::scope(|scope| {
        let read_share = &read_share;
        let threads: Vec<_> = images
            .chunks(share)
            .map(|images| scope.spawn(move || read_share(images)))
            .collect();
        threads.into_iter().map(|thread| thread.join()).collect()
    });
    let (mut good, mut bad) = (Vec::new(), Vec::new());
    for share in shares {
        let (read, problems) =
            share.map_err(|panic| super::RepositoryError::Internal(crate::pool::text_of(&*panic)))??;
        good.extend(read);
        bad.extend(problems);
    }
    Ok((good, bad))
}
