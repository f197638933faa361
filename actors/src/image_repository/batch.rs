//! One batch: which changes fit what is there, and carrying them out together.

use super::known::{Known, KnownRecord};
use super::plan::{self, Steps};
use super::request::{Change, UploadCell, Waiting};
use super::upload::WaitingFiles;
use super::{ChangeKind, RepositoryError, Result, Revision, Shared, Slot, Stored, agree};
use repository::catalogue::Entry;
use repository::manifest::Record;
use repository::{Uuid, layout};
use std::collections::{HashSet, VecDeque};
use storage::repository_dir::StagedFile;
use storage::{Stamp, StorageError};
use tokio::sync::oneshot;

/// Changes that are made together, at most.
pub(super) const BATCH_CHANGES: usize = 256;

/// The next batch: changes in their order, up to one that touches an image which another of them touches.
pub(super) fn next(waiting: &mut VecDeque<Waiting>) -> Vec<Waiting> {
    let mut touched: HashSet<Uuid> = HashSet::new();
    let mut batch = Vec::new();
    while batch.len() < BATCH_CHANGES
        && let Some(first) = waiting.front()
    {
        let images = first.change.images();
        if images.iter().any(|uuid| touched.contains(uuid)) {
            break;
        }
        touched.extend(images);
        batch.extend(waiting.pop_front());
    }
    batch
}

/// A change that fits.
struct Accepted {
    reply: oneshot::Sender<Result<Option<Stored>>>,
    steps: Steps,
    record: Option<(Record, String)>,
    gone: Option<Uuid>,
    /// What it does to the image of the record.
    kind: ChangeKind,
    upload: Option<UploadCell>,
    waiting: Option<WaitingFiles>,
    /// Whether anything of it may be on the disk.
    is_begun: bool,
    /// How it ended, as far as it has.
    outcome: Result<Option<Stamp>>,
}

impl Accepted {
    /// Whether it goes on and a kill could cut it in two.
    fn is_noted(&self) -> bool {
        self.outcome.is_ok() && self.steps.needs_journal()
    }

    fn record_name(&self) -> Option<String> {
        let (record, _) = self.record.as_ref()?;
        Some(layout::record(record.uuid()))
    }
}

/// Makes a batch of changes: what is answered as made is durable and published. Blocks.
pub(super) fn run(shared: &Shared, batch: Vec<Waiting>) {
    let mut known = shared.known.lock();
    if known.must_agree
        && let Err(error) = agree::with_disk(shared, &mut known)
    {
        shared.is_in_trouble(Some(error.to_string()));
        return refuse(batch, &error);
    }
    // Until the end is reached: a panic in between leaves it.
    known.must_agree = true;
    let mut accepted: Vec<Accepted> = Vec::new();
    let mut in_hand = Vec::new();
    for waiting in batch {
        let Waiting { change, reply, .. } = waiting;
        in_hand.push(waiting.in_hand);
        match accept(shared, &mut known, change) {
            Ok((steps, details)) => accepted.push(details.into_accepted(steps, reply)),
            Err(error) => drop(reply.send(Err(error))),
        }
    }
    known.must_agree = !carry_out(shared, &mut accepted);
    finish(shared, &mut known, accepted);
}

fn refuse(batch: Vec<Waiting>, error: &RepositoryError) {
    for waiting in batch {
        let _ = waiting.reply.send(Err(error.clone()));
    }
}

/// What of a change is not steps.
struct Details {
    record: Option<(Record, String)>,
    gone: Option<Uuid>,
    kind: ChangeKind,
    upload: Option<UploadCell>,
    waiting: Option<WaitingFiles>,
}

impl Details {
    fn into_accepted(self, steps: Steps, reply: oneshot::Sender<Result<Option<Stored>>>) -> Accepted {
        Accepted {
            reply,
            steps,
            record: self.record,
            gone: self.gone,
            kind: self.kind,
            upload: self.upload,
            waiting: self.waiting,
            is_begun: false,
            outcome: Ok(None),
        }
    }
}

/// Compares a change with what is there, and says what is to be done.
fn accept(shared: &Shared, known: &mut Known, change: Change) -> Result<(Steps, Details)> {
    let mut steps = Steps::default();
    let mut waiting = None;
    let (record, gone, kind, upload) = match change {
        Change::Create { record, files } => {
            check_free(shared, known, record.uuid())?;
            steps.moves = files.moves.clone();
            waiting = Some(files);
            (Some(record), None, ChangeKind::Created, None)
        }
        Change::Replace {
            record,
            of,
            upload,
            drops_icon,
        } => {
            let uuid = record.uuid();
            check_revision(shared, known, uuid, of)?;
            if let Some(upload) = upload
                .as_ref()
                .and_then(|cell| cell.lock().as_ref().map(place_of))
            {
                if shared.files.stamp(&upload.0)?.is_none() {
                    let file = upload.0;
                    return Err(RepositoryError::NoFile { uuid, file });
                }
                steps.moves.push(upload);
            }
            if record.is_activated() && !shared.is_activated(uuid) {
                // It takes no files any more.
                steps.removals.extend(shared.kept_uploads_of(uuid)?);
            }
            if drops_icon {
                steps.removals.push(Slot::Icon.name(uuid));
                steps.directories.push(layout::image(uuid));
            }
            (Some(record), None, ChangeKind::Replaced, upload)
        }
        Change::Rename { old, record, of } => {
            check_revision(shared, known, old, of)?;
            check_free(shared, known, record.uuid())?;
            let (from, to) = (layout::image(old), layout::image(record.uuid()));
            if shared.files.stamp(&from)?.is_some() {
                if !shared.files.list(&to)?.is_empty() {
                    return Err(StorageError::NotEmpty { name: to }.into());
                }
                steps.moves.push((from, to));
            }
            steps.removals = shared.kept_uploads_of(old)?;
            (Some(record), Some(old), ChangeKind::Created, None)
        }
        Change::Delete { uuid, of } => {
            check_revision(shared, known, uuid, of)?;
            let directory = layout::image(uuid);
            let found = shared.files.list(&directory)?;
            // A directory is none of ours, and nothing of it goes: a step that can never be done would hold up all changes after it.
            for file in found.iter().filter(|found| !found.is_directory) {
                steps.removals.push(format!("{directory}/{}", file.name));
            }
            if !steps.removals.is_empty() {
                steps.directories.push(directory);
            }
            steps.removals.extend(shared.kept_uploads_of(uuid)?);
            (None, Some(uuid), ChangeKind::Deleted, None)
        }
    };
    let record = record.map(|record| {
        let text = record.to_stored();
        (record, text)
    });
    steps.record = record
        .as_ref()
        .map(|(record, text)| (record.uuid().to_string(), text.clone()));
    steps.gone = gone.map(|uuid| uuid.to_string());
    let details = Details {
        record,
        gone,
        kind,
        upload,
        waiting,
    };
    Ok((steps, details))
}

fn place_of(upload: &super::Upload) -> (String, String) {
    (upload.name.clone(), upload.slot.name(upload.uuid))
}

/// Makes sure that an image is not there yet. A record that somebody put there by hand is taken over.
fn check_free(shared: &Shared, known: &mut Known, uuid: Uuid) -> Result<()> {
    let is_taken = |known: &Known| known.records.contains_key(&uuid) || known.unreadable.contains(&uuid);
    if !is_taken(known) && shared.directory.stamp(&layout::record(uuid))?.is_some() {
        agree::with_record(shared, known, uuid)?;
    }
    match is_taken(known) {
        true => Err(RepositoryError::Exists(uuid)),
        false => Ok(()),
    }
}

/// Makes sure that a change was made of what is on the disk. What somebody changed there by hand is taken over.
fn check_revision(shared: &Shared, known: &mut Known, uuid: Uuid, of: Revision) -> Result<()> {
    let stamp = shared.directory.stamp(&layout::record(uuid))?;
    let is_as_known = |known: &Known| {
        known
            .records
            .get(&uuid)
            .map(|known| (known.stamp, known.revision))
    };
    if stamp != is_as_known(known).map(|(stamp, _)| stamp) {
        agree::with_record(shared, known, uuid)?;
    }
    match is_as_known(known) {
        None => Err(RepositoryError::Missing(uuid)),
        Some((_, revision)) if revision != of => {
            agree::with_record(shared, known, uuid)?;
            Err(RepositoryError::Changed)
        }
        Some(_) => Ok(()),
    }
}

/// Does everything on the disk. False if it ended where the directory must be read again.
fn carry_out(shared: &Shared, accepted: &mut [Accepted]) -> bool {
    // All that takes room comes first, so that a full disk fails a change before anything of it is done.
    let names: Vec<Option<String>> = accepted.iter().map(Accepted::record_name).collect();
    let texts: Vec<Option<String>> = accepted.iter().map(text_of).collect();
    let files = names.iter().zip(&texts);
    let files: Vec<(&str, &[u8])> = files
        .filter_map(|(name, text)| Some((name.as_deref()?, text.as_deref()?.as_bytes())))
        .collect();
    let mut all_staged = shared.directory.stage_all(&files).into_iter();
    let mut staged = Vec::new();
    for change in accepted.iter_mut() {
        let of_this = change.record.as_ref().and_then(|_| all_staged.next());
        if let Some(Err(error)) = &of_this {
            change.outcome = Err(error.clone().into());
        }
        staged.push(of_this.and_then(std::result::Result::ok));
    }
    if !write_journal(shared, accepted) {
        return false;
    }
    let is_noted = accepted.iter().any(Accepted::is_noted);
    place(shared, accepted, staged);
    remove(shared, accepted);
    if accepted
        .iter()
        .any(|change| change.is_begun && change.outcome.is_err())
    {
        // The journal stays: it is carried out before the next change.
        return false;
    }
    if is_noted && shared.directory.clear_journal().is_err() {
        // It is all done, and will be done again before the next change.
        return false;
    }
    shared.leave_journal_names();
    true
}

fn text_of(change: &Accepted) -> Option<String> {
    change.record.as_ref().map(|(_, text)| text.clone())
}

/// Gives files and records their places.
fn place(shared: &Shared, accepted: &mut [Accepted], staged: Vec<Option<StagedFile<'_>>>) {
    let mut to_place = Vec::new();
    for (change, staged) in accepted.iter_mut().zip(staged) {
        if change.outcome.is_err() {
            continue;
        }
        change.is_begun = true;
        change.outcome = change.steps.place_files(shared).map(|()| None);
        if change.outcome.is_ok() {
            to_place.extend(staged.map(Ok));
        }
    }
    let mut placed = shared.directory.place_all(to_place).into_iter();
    let with_record = |change: &&mut Accepted| change.outcome.is_ok() && change.record.is_some();
    for change in accepted.iter_mut().filter(with_record) {
        change.outcome = match placed.next() {
            Some(placed) => placed.map(Some).map_err(RepositoryError::from),
            None => Err(RepositoryError::Internal("a record was not written".to_owned())),
        };
    }
}

/// Notes changes that a kill could cut in two. If that fails they fail, and the others go on. False: nobody knows what was noted.
fn write_journal(shared: &Shared, accepted: &mut [Accepted]) -> bool {
    let noted = accepted.iter().filter(|change| change.is_noted());
    let noted: Vec<&Steps> = noted.map(|change| &change.steps).collect();
    if noted.is_empty() {
        return true;
    }
    let entry = plan::to_journal(&noted);
    // From here on the files belong to the journal.
    give_to_journal(shared, accepted);
    let Err(error) = shared.directory.write_journal(&entry) else {
        return true;
    };
    let is_cleared = shared.directory.clear_journal().is_ok();
    if is_cleared {
        take_from_journal(shared, accepted);
    }
    for change in accepted.iter_mut().filter(|change| change.outcome.is_ok()) {
        if change.steps.needs_journal() || !is_cleared {
            // If nobody knows what was noted it may be done yet: nobody else may do something with its files.
            change.is_begun = !is_cleared;
            change.outcome = Err(error.clone().into());
        }
    }
    is_cleared
}

/// The files stay, whatever becomes of who sent them, and nobody else writes under their names.
fn give_to_journal(shared: &Shared, accepted: &mut [Accepted]) {
    for change in accepted.iter_mut().filter(|change| change.is_noted()) {
        if let Some(waiting) = &mut change.waiting {
            waiting.is_noted = true;
        }
        if let Some(cell) = &change.upload
            && let Some(upload) = cell.lock().as_mut()
        {
            upload.set_noted(true);
            shared.hold_journal_name(&upload.claim);
        }
    }
}

fn take_from_journal(shared: &Shared, accepted: &mut [Accepted]) {
    for change in accepted.iter_mut().filter(|change| change.is_noted()) {
        if let Some(waiting) = &mut change.waiting {
            waiting.is_noted = false;
        }
        if let Some(cell) = &change.upload
            && let Some(upload) = cell.lock().as_mut()
        {
            upload.set_noted(false);
        }
    }
    shared.leave_journal_names();
}

/// Removes what changes leave behind, flushed together.
fn remove(shared: &Shared, accepted: &mut [Accepted]) {
    let (mut records, mut files) = (Vec::new(), Vec::new());
    let mut failed = Vec::new();
    for (index, change) in accepted.iter().enumerate() {
        if change.outcome.is_ok()
            && let Err(error) = change.steps.remove(shared, &mut records, &mut files)
        {
            failed.push((index, error));
        }
    }
    let flushed = plan::flush(shared, &records, &files);
    for (index, error) in failed {
        accepted[index].outcome = Err(error);
    }
    if let Err(error) = flushed {
        for change in accepted
            .iter_mut()
            .filter(|change| change.outcome.is_ok() && change.gone.is_some())
        {
            change.outcome = Err(error.clone());
        }
    }
}

/// Publishes what was made, and answers.
fn finish(shared: &Shared, known: &mut Known, accepted: Vec<Accepted>) {
    let mut catalogue = (**shared.catalogue.load()).clone();
    let mut events = Vec::new();
    let mut replies = Vec::new();
    let mut changed = Vec::new();
    for change in accepted {
        let stamp = match change.outcome {
            Ok(stamp) => stamp,
            Err(error) => {
                shared.is_in_trouble(Some(error.to_string()));
                // What was begun is carried on by the journal; the rest goes back to who asked.
                if let Some(cell) = change.upload.filter(|_| change.is_begun) {
                    cell.lock().take();
                }
                replies.push((change.reply, Err(error)));
                continue;
            }
        };
        if let Some(cell) = change.upload {
            // It has its place: what is dropped is the claim on its name.
            cell.lock().take();
        }
        if let Some(uuid) = change.gone {
            known.records.remove(&uuid);
            known.unarchived.remove(&uuid);
            catalogue = catalogue.without(uuid);
            events.push((uuid, ChangeKind::Deleted));
        }
        let stored = change.record.zip(stamp).map(|((record, text), stamp)| {
            let revision = Revision::of(text.as_bytes());
            let uuid = record.uuid();
            let fresh = KnownRecord {
                stamp,
                revision,
                is_settled: false,
            };
            known.records.insert(uuid, fresh);
            catalogue = catalogue.with(Entry::new(&record, shared.rules.mode));
            events.push((uuid, change.kind));
            changed.push(uuid);
            Stored { record, revision }
        });
        replies.push((change.reply, Ok(stored)));
    }
    if !events.is_empty() {
        shared.publish(known, catalogue, events);
        shared.archive(known, &changed);
        if !known.must_agree {
            shared.is_in_trouble(None);
        }
    }
    for (reply, outcome) in replies {
        let _ = reply.send(outcome);
    }
}
