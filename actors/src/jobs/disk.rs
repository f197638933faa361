//! The files.

use repository::Uuid;
use repository::job::Job;
use repository::json::{self, Value};
use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

/// Bytes of a file, at most: parameters are bounded by what a request may hold, results by the number of steps.
const FILE_BYTES: u64 = 1 << 20;

/// Where the files lie, below the base directory.
pub(super) const DIRECTORY: &str = "run/jobs";

/// A job as it lies on the disk.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Stored {
    pub(super) job: Job,
    /// How often it was begun.
    pub(super) starts: u64,
}

/// Every job in a directory, and what is wrong with the others. The directory is made if it is not there.
pub(super) fn load(directory: &Path) -> std::io::Result<(Vec<Stored>, Vec<String>)> {
    std::fs::create_dir_all(directory)?;
    let (mut jobs, mut problems) = (Vec::new(), Vec::new());
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        if name.starts_with('.') {
            // A write that never ended.
            let _ = std::fs::remove_file(&path);
            continue;
        }
        match read(&path) {
            Ok(stored) if file_name(stored.job.uuid) == name => jobs.push(stored),
            Ok(stored) => problems.push(format!("{}: holds job {}", path.display(), stored.job.uuid)),
            Err(cause) => problems.push(format!("{}: {cause}", path.display())),
        }
    }
    Ok((jobs, problems))
}

fn read(path: &Path) -> Result<Stored, String> {
    let mut text = Vec::new();
    let file = File::open(path).map_err(|error| error.to_string())?;
    file.take(FILE_BYTES)
        .read_to_end(&mut text)
        .map_err(|error| error.to_string())?;
    let value = json::parse(&text)?;
    let job = Job::from_value(&value).ok_or("is no job")?;
    let starts = value.get("starts").and_then(Value::as_u64).unwrap_or_default();
    Ok(Stored { job, starts })
}

/// Writes a job, durably. Blocks.
pub(super) fn write(directory: &Path, stored: &Stored) -> std::io::Result<()> {
    let mut value = stored.job.to_value();
    if let Some(object) = value.as_object_mut() {
        object.insert("starts".to_owned(), stored.starts.into());
    }
    let mut file = tempfile::Builder::new().prefix(".job-").tempfile_in(directory)?;
    file.write_all(json::pretty(&value, 2).as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(path(directory, stored.job.uuid))?;
    File::open(directory)?.sync_all()
}

/// Forgets a job. Not flushed: one that comes back is forgotten again.
pub(super) fn remove(directory: &Path, uuid: Uuid) -> std::io::Result<()> {
    match std::fs::remove_file(path(directory, uuid)) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

fn path(directory: &Path, uuid: Uuid) -> PathBuf {
    directory.join(file_name(uuid))
}

fn file_name(uuid: Uuid) -> String {
    format!("{uuid}.json")
}
