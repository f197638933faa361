//! Files and icons of images.

use super::request::Change;
use super::upload::{Claim, KEPT, WaitingFiles};
use super::{CommitError, ImageRepository, RepositoryError, Result, Revision, Slot, Stored, Upload};
use crate::CallError;
use parking_lot::Mutex;
use repository::catalogue::Entry;
use repository::manifest::{FileEntry, IconEntry, Record};
use repository::{Uuid, layout};
use std::fs::File;
use std::sync::Arc;
use std::sync::atomic::Ordering;

impl ImageRepository {
    /// Begins to receive a file. With `resume` it goes on where an earlier one was [kept](Upload::keep), and there is one at a
    /// time for each place; without, each is one of its own, and the last one committed stays.
    ///
    /// # Errors
    /// `Missing`, `Busy`, `NoSpace`, `Storage`.
    pub async fn begin_upload(&self, uuid: Uuid, slot: Slot, resume: bool) -> Result<Upload> {
        self.entry(uuid)?;
        let name = match resume {
            true => upload_name(uuid, slot, KEPT),
            false => upload_name(uuid, slot, &format!("n{}", self.next_number())),
        };
        let claim = Claim::take(&self.shared.claims, &name)?;
        let files = self.shared.files.clone();
        let begin = move || -> Result<Upload> {
            let kept = if resume { files.resume(&name)? } else { None };
            let incoming = match kept {
                Some(mut incoming) => {
                    // Till somebody has it: who asked may have gone away, and what came on other days stays.
                    incoming.hold(true);
                    incoming
                }
                None => files.begin(&name)?,
            };
            Ok(Upload {
                uuid,
                slot,
                name,
                incoming,
                is_resumable: resume,
                is_secured: false,
                claim: Arc::new(claim),
            })
        };
        let mut upload = self.shared.readers.run(begin).await??;
        upload.incoming.hold(false);
        Ok(upload)
    }

    /// How many bytes of an upload were kept for another day; `None` if none was.
    ///
    /// # Errors
    /// `Busy`: somebody goes on with it now; `Storage`.
    pub async fn kept_upload(&self, uuid: Uuid, slot: Slot) -> Result<Option<u64>> {
        let name = upload_name(uuid, slot, KEPT);
        let (files, claims) = (self.shared.files.clone(), self.shared.claims.clone());
        // No claim of its own: a question must not keep anybody from going on.
        let look = move || {
            let stamp = files.stamp(&name)?;
            match claims.lock().contains(&name) {
                true => Err(RepositoryError::Busy),
                false => Ok(stamp),
            }
        };
        let stamp = self.shared.readers.run(look).await??;
        Ok(stamp.map(|stamp| stamp.size))
    }

    /// Forgets what was kept of an upload; false if nothing was.
    ///
    /// # Errors
    /// `Busy`: somebody goes on with it now; `Storage`.
    pub async fn discard_upload(&self, uuid: Uuid, slot: Slot) -> Result<bool> {
        let name = upload_name(uuid, slot, KEPT);
        let claim = Claim::take(&self.shared.claims, &name)?;
        let files = self.shared.files.clone();
        // Till it is done, also if who asked goes away: the name may be somebody's again then.
        let remove = move || {
            let removed = files.remove(&name);
            drop(claim);
            removed
        };
        Ok(self.shared.readers.run(remove).await??)
    }

    async fn secured(&self, mut upload: Upload) -> std::result::Result<Upload, CommitError> {
        let secure = move || (upload.secure(), upload);
        match self.shared.readers.run(secure).await {
            Ok((Ok(()), upload)) => Ok(upload),
            Ok((Err(error), upload)) => Err(CommitError::new(error, Some(upload))),
            Err(error) => Err(CommitError::new(error.into(), None)),
        }
    }

    /// Puts a file or icon in its place and gives the image the record that says so, both or neither. If it fails before anything was
    /// done, as with `Changed`, the upload comes back: make the change again of the image as it is now. One that was begun with `resume`
    /// is [secured](Upload::secure) first.
    ///
    /// # Errors
    /// `Changed`, `Missing`, `NoFile`: it was activated or deleted meanwhile; `NoSpace`, `Storage`, `Call`.
    pub async fn commit(
        &self,
        upload: Upload,
        record: Record,
        of: Revision,
    ) -> std::result::Result<Stored, CommitError> {
        if upload.uuid != record.uuid() {
            let error = RepositoryError::Internal("an upload for another image".to_owned());
            return Err(CommitError::new(error, Some(upload)));
        }
        // Here and not by the writer, who has other changes waiting: many bytes may not be on the disk yet.
        let upload = self.secured(upload).await?;
        let cell = Arc::new(Mutex::new(Some(upload)));
        let change = Change::Replace {
            record,
            of,
            upload: Some(cell.clone()),
            drops_icon: false,
        };
        let stored = self.change_record(change).await;
        stored.map_err(|error| {
            // Where the change may still be at work the file is its own: taken from it now, it would be removed under it.
            let upload = match error {
                RepositoryError::Call(CallError::Restarted { .. } | CallError::Stopped { .. }) => None,
                _ => cell.lock().take(),
            };
            CommitError::new(error, upload)
        })
    }

    /// Adds an image with the files of another one: a clone. Local files are not copied, they get a second name.
    ///
    /// # Errors
    /// `Exists`, `Missing`: the other; `NoFile`: it lacks one; `NoSpace`, `Storage`, `Call`.
    pub async fn create_with_files_of(&self, record: Record, other: Uuid) -> Result<Stored> {
        let uuid = record.uuid();
        let count = self.entry(other)?.files().len();
        let number = self.next_number();
        let names = (0..count).map(|index| {
            let waiting = layout::upload(uuid, index, &format!("n{number}"));
            (layout::file(other, index), waiting, layout::file(uuid, index))
        });
        let names: Vec<(String, String, String)> = names.collect();
        let moves = names
            .iter()
            .map(|(_, waiting, place)| (waiting.clone(), place.clone()));
        let files = self.shared.files.clone();
        // They go with this wherever it ends: when something fails, and when who asked goes away.
        let made = WaitingFiles::new(files.clone(), moves.collect());
        let duplicate = move || -> Result<WaitingFiles> {
            for (from, waiting, _) in &names {
                if !files.duplicate(from, waiting)? {
                    let file = from.clone();
                    return Err(RepositoryError::NoFile { uuid: other, file });
                }
            }
            let waiting: Vec<&str> = names.iter().map(|(_, waiting, _)| waiting.as_str()).collect();
            files.flush(&waiting)?;
            Ok(made)
        };
        let files = self.shared.readers.run(duplicate).await??;
        self.change_record(Change::Create { record, files }).await
    }

    /// Opens a file. Its length may be more than the entry says, if somebody put it there by hand: the entry's counts.
    ///
    /// # Errors
    /// `Missing`, `NoFile`, `Storage`.
    pub async fn open_file(&self, uuid: Uuid, index: usize) -> Result<(File, FileEntry)> {
        let entry = move |entry: &Entry| entry.files().get(index).cloned();
        self.open(uuid, Slot::File(index), entry).await
    }

    /// Opens an icon.
    ///
    /// # Errors
    /// `Missing`, `NoFile`, `Storage`.
    pub async fn open_icon(&self, uuid: Uuid) -> Result<(File, IconEntry)> {
        self.open(uuid, Slot::Icon, |entry| entry.icon().cloned()).await
    }

    /// What lies in a place of an image, and what `told` finds about it in the entry of the same moment.
    async fn open<T: Send + 'static>(
        &self,
        uuid: Uuid,
        slot: Slot,
        told: impl Fn(&Entry) -> Option<T> + Send + 'static,
    ) -> Result<(File, T)> {
        let shared = self.shared.clone();
        let open = move || {
            let is_final = matches!(slot, Slot::File(_)) && shared.is_activated(uuid);
            // Who changes images holds it from before the first rename till the catalogue tells of it. Files of activated images
            // are never replaced, and nobody waits for them.
            let _known = (!is_final).then(|| shared.known.lock());
            let entry = shared.catalogue.load().get(uuid).cloned();
            let entry = entry.ok_or(RepositoryError::Missing(uuid))?;
            let told = told(&entry).ok_or_else(|| no_file(uuid, slot))?;
            let opened = shared.files.open(&slot.name(uuid))?;
            let (file, _) = opened.ok_or_else(|| no_file(uuid, slot))?;
            Ok((file, told))
        };
        self.shared.readers.run(open).await?
    }

    fn entry(&self, uuid: Uuid) -> Result<Arc<Entry>> {
        let entry = self.catalogue().get(uuid).cloned();
        entry.ok_or(RepositoryError::Missing(uuid))
    }

    fn next_number(&self) -> u64 {
        self.shared.upload_number.fetch_add(1, Ordering::Relaxed)
    }
}

fn no_file(uuid: Uuid, slot: Slot) -> RepositoryError {
    RepositoryError::NoFile {
        uuid,
        file: slot.to_string(),
    }
}

fn upload_name(uuid: Uuid, slot: Slot, upload: &str) -> String {
    match slot {
        Slot::File(index) => layout::upload(uuid, index, upload),
        Slot::Icon => layout::icon_upload(uuid, upload),
    }
}
