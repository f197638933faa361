//! Changes of several names as the journal holds them, and how they are carried out: now, or at the next start.

use super::{Result, Shared};
use repository::{Uuid, layout};
use serde::{Deserialize, Serialize};
use storage::StorageError;

/// What one change does, in this order. Each step may be done again: what is done already changes nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Steps {
    /// Files and directories that get their places.
    pub(super) moves: Vec<(String, String)>,
    /// The record that is written: image and text.
    pub(super) record: Option<(String, String)>,
    /// The image whose record goes.
    pub(super) gone: Option<String>,
    /// Files that go.
    pub(super) removals: Vec<String>,
    /// Directories that go if they are empty.
    pub(super) directories: Vec<String>,
}

impl Steps {
    /// Whether a kill in the middle would leave half of it.
    pub(super) fn needs_journal(&self) -> bool {
        let records = usize::from(self.record.is_some()) + usize::from(self.gone.is_some());
        !self.moves.is_empty() || !self.removals.is_empty() || records > 1
    }

    /// Everything but writing the record. What is moved, and the record that goes, is on stable storage then.
    pub(super) fn place_files(&self, shared: &Shared) -> Result<()> {
        let mut names: Vec<&str> = Vec::new();
        for (from, to) in &self.moves {
            if shared.files.rename(from, to)? {
                names.extend([from.as_str(), to.as_str()]);
            }
        }
        Ok(shared.files.flush(&names)?)
    }

    /// The record that goes, and then the files that nobody refers to any more. Not flushed: gives the names to flush.
    pub(super) fn remove<'a>(
        &'a self,
        shared: &Shared,
        records: &mut Vec<String>,
        files: &mut Vec<&'a str>,
    ) -> Result<()> {
        self.remove_record(shared, records)?;
        for name in &self.removals {
            if shared.files.remove(name)? {
                files.push(name);
            }
        }
        for name in &self.directories {
            if shared.files.remove_empty_directory(name)? {
                files.push(name);
            }
        }
        Ok(())
    }

    fn remove_record(&self, shared: &Shared, records: &mut Vec<String>) -> Result<()> {
        if let Some(uuid) = self.gone.as_deref().and_then(Uuid::parse) {
            let name = layout::record(uuid);
            shared.directory.remove_unflushed(&name)?;
            records.push(name);
        }
        Ok(())
    }

    /// The same for a change that was begun: what the system does not let go stays, and is told. No record refers to it, and all
    /// other changes, and the next start, would wait for it for ever.
    fn remove_what_goes<'a>(
        &'a self,
        shared: &Shared,
        records: &mut Vec<String>,
        files: &mut Vec<&'a str>,
    ) -> Result<()> {
        self.remove_record(shared, records)?;
        let files_gone = self.removals.iter().map(|name| (name, shared.files.remove(name)));
        let directories = self.directories.iter();
        let emptied = directories.map(|name| (name, shared.files.remove_empty_directory(name)));
        for (name, outcome) in files_gone.chain(emptied) {
            match outcome {
                Ok(true) => files.push(name),
                Ok(false) => {}
                Err(error) => tracing::error!("{name} is left, remove it by hand: {error}"),
            }
        }
        Ok(())
    }

    /// Whether everything that is to be moved is either still there or in its place.
    fn is_possible(&self, shared: &Shared) -> Result<bool> {
        for (from, to) in &self.moves {
            if shared.files.stamp(from)?.is_none() && shared.files.stamp(to)?.is_none() {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// Text of the journal.
pub(super) fn to_journal(changes: &[&Steps]) -> Vec<u8> {
    // Texts and lists of texts always have a form in JSON.
    serde_json::to_vec(changes).unwrap_or_default()
}

/// Carries out what the journal holds, if it holds something. Gives how many changes.
///
/// # Errors
/// It cannot be read or carried out; it is still there.
pub(super) fn recover(shared: &Shared) -> Result<usize> {
    let Some(entry) = shared.directory.read_journal()? else {
        // It may be empty in memory alone: a note that was taken back, and whose taking back did not reach the disk, would be found
        // again after a loss of power, behind changes that were made since.
        shared.directory.clear_journal()?;
        shared.leave_journal_names();
        return Ok(0);
    };
    let changes: Vec<Steps> = serde_json::from_slice(&entry).map_err(|error| StorageError::Io {
        action: "read",
        what: "the journal".to_owned(),
        source: std::sync::Arc::new(error.into()),
    })?;
    let (mut records, mut files) = (Vec::new(), Vec::new());
    for steps in &changes {
        if !steps.is_possible(shared)? {
            tracing::error!(
                "a change that was begun is given up, its files are gone: {:?}",
                steps.moves
            );
            continue;
        }
        steps.place_files(shared)?;
        if let Some((uuid, text)) = &steps.record
            && let Some(uuid) = Uuid::parse(uuid)
        {
            let name = layout::record(uuid);
            for result in shared.directory.write_all(&[(&name, text.as_bytes())]) {
                result?;
            }
        }
        steps.remove_what_goes(shared, &mut records, &mut files)?;
    }
    flush(shared, &records, &files)?;
    shared.directory.clear_journal()?;
    shared.leave_journal_names();
    Ok(changes.len())
}

/// Flushes the directories of records and files that were removed.
pub(super) fn flush(shared: &Shared, records: &[String], files: &[&str]) -> Result<()> {
    let records: Vec<&str> = records.iter().map(String::as_str).collect();
    shared.directory.flush_directories_of(&records)?;
    Ok(shared.files.flush(files)?)
}
