//! The directory: loading, storing, removing. A build is there whole or not at all: it is written beside and renamed.

use super::entry::ArchivedBuild;
use super::{ArchiveError, info};
use crate::build_runner::BuildLog;
use std::fs::{self, File};
use std::io::Write;
use std::ops::Range;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

const LOG: &str = "buildLog";
const INFO: &str = "buildInfo";

/// Directories of ours in the archive begin so; what is in them is not in the archive (yet, or any more).
const UNFINISHED: &str = ".unfinished-";

/// Names of streams have fewer parts.
const DEPTH: usize = 64;

/// Bytes of a `buildInfo` that are read.
const INFO_BYTES: u64 = 1 << 20;

/// Bytes of the log that are copied at a time.
const COPY_BYTES: usize = 256 << 10;

/// Bytes in an allocation unit, if the file system does not tell.
const UNIT_BYTES: u64 = 4096;

/// Where the log of a build lies; nothing if its name would lead out of the directory.
pub(super) fn log_path(dir: &Path, name: &str) -> Option<PathBuf> {
    Some(place(dir, name)?.join(LOG))
}

fn place(dir: &Path, name: &str) -> Option<PathBuf> {
    let is_good = |part: &str| !matches!(part, "" | "." | "..") && !part.contains('\0');
    let is_ours = name.starts_with(UNFINISHED);
    (name.contains('/') && name.split('/').all(is_good) && !is_ours).then(|| dir.join(name))
}

/// Makes the directory, removes what was not finished, and lists what there is, oldest first.
pub(super) fn load(dir: &Path) -> Result<Vec<Arc<ArchivedBuild>>, ArchiveError> {
    make_directory(dir)?;
    let mut found = Vec::new();
    walk(dir, "", 0, &mut found)?;
    found.sort_by(|left: &Arc<ArchivedBuild>, right| {
        (left.finished_at, &left.name).cmp(&(right.finished_at, &right.name))
    });
    Ok(found)
}

fn walk(
    dir: &Path,
    name: &str,
    depth: usize,
    found: &mut Vec<Arc<ArchivedBuild>>,
) -> Result<(), ArchiveError> {
    let here = dir.join(name);
    for entry in fs::read_dir(&here).map_err(ArchiveError::file(&here))? {
        let entry = entry.map_err(ArchiveError::file(&here))?;
        let path = entry.path();
        // A link is neither: what it leads to is not ours.
        if !entry.file_type().is_ok_and(|kind| kind.is_dir()) || depth >= DEPTH {
            continue;
        }
        let Ok(leaf) = entry.file_name().into_string() else {
            tracing::warn!(
                "Build log archive: {}: not a name of ours, left alone",
                path.display()
            );
            continue;
        };
        if depth == 0 && leaf.starts_with(UNFINISHED) {
            remove_all(&path);
            continue;
        }
        let name = if name.is_empty() {
            leaf
        } else {
            format!("{name}/{leaf}")
        };
        match read_entry(&path, &name) {
            Ok(Some(build)) => found.push(Arc::new(build)),
            Ok(None) => walk(dir, &name, depth + 1, found)?,
            Err(error) => tracing::warn!("{error}"),
        }
    }
    Ok(())
}

/// A directory with a log is a build. Whatever is wrong with the rest of it does not matter.
fn read_entry(path: &Path, name: &str) -> Result<Option<ArchivedBuild>, ArchiveError> {
    let log = path.join(LOG);
    let metadata = match fs::symlink_metadata(&log) {
        Ok(metadata) if metadata.is_file() => metadata,
        Ok(_) => return Ok(None),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(ArchiveError::file(log)(error)),
    };
    let finished_at = metadata.modified().map_err(ArchiveError::file(&log))?;
    let text = read_info(&path.join(INFO));
    let decode = |text| info::decode(text, name.to_owned(), finished_at, metadata.len());
    match decode(text.as_deref()) {
        Ok(build) => Ok(Some(build)),
        Err(error) => {
            tracing::warn!("Build log archive: {}: {INFO}: {error}", path.display());
            Ok(decode(None).ok())
        }
    }
}

fn read_info(path: &Path) -> Option<Vec<u8>> {
    let metadata = fs::symlink_metadata(path).ok()?;
    let is_readable = metadata.is_file() && metadata.len() <= INFO_BYTES;
    is_readable.then(|| fs::read(path).ok()).flatten()
}

/// Bytes in an allocation unit: what a file of one byte takes.
pub(super) fn unit_bytes(dir: &Path) -> u64 {
    let measure = || -> std::io::Result<u64> {
        let mut file = tempfile::tempfile_in(dir)?;
        file.write_all(b"1")?;
        file.sync_all()?;
        Ok(file.metadata()?.blocks() * 512)
    };
    measure().ok().filter(|bytes| *bytes > 0).unwrap_or(UNIT_BYTES)
}

/// Stores part of a log under the name of a build; the path of the log. Durable when it returns.
pub(super) fn store(
    dir: &Path,
    build: &ArchivedBuild,
    log: &BuildLog,
    range: Range<u64>,
) -> Result<PathBuf, ArchiveError> {
    let target = place(dir, &build.name).ok_or_else(|| ArchiveError::Unknown(build.name.clone()))?;
    make_directory(dir)?;
    let unfinished = dir.join(format!("{UNFINISHED}{}", build.name.replace('/', "_")));
    remove_all(&unfinished);
    make_directory(&unfinished)?;
    let stored = write_all(&unfinished, build, log, range).and_then(|()| {
        let parent = target.parent().unwrap_or(dir);
        make_directory(parent)?;
        fs::rename(&unfinished, &target).map_err(ArchiveError::file(&target))?;
        sync_directory(parent)
    });
    if stored.is_err() {
        remove_all(&unfinished);
    }
    stored.map(|()| target.join(LOG))
}

fn write_all(
    unfinished: &Path,
    build: &ArchivedBuild,
    log: &BuildLog,
    range: Range<u64>,
) -> Result<(), ArchiveError> {
    write_file(&unfinished.join(INFO), |file| {
        file.write_all(&info::encode(build)?)
    })?;
    write_file(&unfinished.join(LOG), |file| {
        let mut at = range.start;
        while at < range.end {
            let left = usize::try_from(range.end - at).unwrap_or(COPY_BYTES);
            let piece = log.read(at, left.min(COPY_BYTES));
            if piece.is_empty() {
                break;
            }
            file.write_all(&piece)?;
            at += piece.len() as u64;
        }
        file.set_modified(build.finished_at)
    })?;
    sync_directory(unfinished)
}

fn write_file(path: &Path, write: impl FnOnce(&mut File) -> std::io::Result<()>) -> Result<(), ArchiveError> {
    let mut options = File::options();
    let mut file = options
        .write(true)
        .create_new(true)
        .mode(0o644)
        .open(path)
        .map_err(ArchiveError::file(path))?;
    write(&mut file)
        .and_then(|()| file.sync_all())
        .map_err(ArchiveError::file(path))
}

/// Removes a build, and the directories above it that are empty then.
pub(super) fn remove(dir: &Path, name: &str) -> Result<(), ArchiveError> {
    let Some(path) = place(dir, name) else {
        return Ok(());
    };
    let unfinished = dir.join(format!("{UNFINISHED}{}", name.replace('/', "_")));
    remove_all(&unfinished);
    match fs::rename(&path, &unfinished) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(ArchiveError::file(path)(error));
        }
        _ => remove_all(&unfinished),
    }
    let mut above = path.parent();
    while let Some(parent) = above.filter(|parent| *parent != dir) {
        if fs::remove_dir(parent).is_err() {
            break;
        }
        above = parent.parent();
    }
    Ok(())
}

fn make_directory(path: &Path) -> Result<(), ArchiveError> {
    let mut builder = fs::DirBuilder::new();
    builder
        .recursive(true)
        .mode(0o755)
        .create(path)
        .map_err(ArchiveError::file(path))
}

fn sync_directory(path: &Path) -> Result<(), ArchiveError> {
    File::open(path)
        .and_then(|directory| directory.sync_all())
        .map_err(ArchiveError::file(path))
}

fn remove_all(path: &Path) {
    if let Err(error) = fs::remove_dir_all(path)
        && error.kind() != std::io::ErrorKind::NotFound
    {
        tracing::warn!("Build log archive: cannot remove {}: {error}", path.display());
    }
}
