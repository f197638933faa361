//! Directories of images (`imageserver.md §3.5, §3.6, §3.20`). One change at a time: they are rare and quick.

use super::actor::{ImageIndexActor, Reply};
use super::codec::encode_metadata;
use super::entry::{DirectoryEntry, EntryState};
use super::{IndexError, IndexEvent, IndexSnapshot, Requester, Shared, groups};
use crate::handle::{Envelope, Request};
use actix::{Context, Handler};
use image::Directory;
use std::sync::Arc;
use storage::StorageError;

/// Names arrive cleaned.
pub(crate) struct Make {
    pub(super) name: String,
    pub(super) make_all: bool,
    pub(super) requester: Requester,
}

pub(crate) struct Put(pub(super) Directory);

pub(crate) struct Chown {
    pub(super) name: String,
    pub(super) owner_group: String,
    pub(super) requester: Requester,
}

pub(crate) struct Remove {
    pub(super) name: Arc<str>,
    pub(super) requester: Requester,
}

macro_rules! handled_alone {
    ($($message:ty => $work:expr;)*) => {$(
        impl Request for $message {
            type Reply = Result<(), IndexError>;
        }

        impl Handler<Envelope<$message>> for ImageIndexActor {
            type Result = ();

            fn handle(&mut self, envelope: Envelope<$message>, context: &mut Context<Self>) {
                let (message, reply) = envelope.open();
                self.change_directories(context, reply, move |shared| $work(shared, message));
            }
        }
    )*};
}

handled_alone! {
    Make => make;
    Put => put;
    Chown => chown;
    Remove => remove;
}

/// What came of it on disk, to be published.
enum Changed {
    Made(DirectoryEntry),
    Removed(Arc<str>),
}

impl ImageIndexActor {
    fn change_directories(
        &mut self,
        context: &mut Context<Self>,
        reply: Reply<()>,
        work: impl FnOnce(&Shared) -> (Vec<Changed>, Result<(), IndexError>) + Send + 'static,
    ) {
        self.run_alone(
            context,
            move |shared| Ok(work(shared)),
            move |actor, context, outcome| {
                let result = outcome.and_then(|(changes, result)| {
                    // Also when making the last of several directories failed: the others are there.
                    for change in changes {
                        actor.publish_change(change);
                    }
                    result
                });
                actor.reconcile_after(context, &result);
                let _ = reply.send(result);
            },
        );
    }

    fn publish_change(&mut self, change: Changed) {
        match change {
            Changed::Made(entry) => {
                let directory = entry.to_directory();
                self.shared.publish_directory(entry);
                self.shared.tell(IndexEvent::MakeDirectory(directory));
            }
            Changed::Removed(name) => {
                self.shared.publish(|snapshot| {
                    snapshot.directories.remove(&name);
                });
                self.shared.tell(IndexEvent::DeleteDirectory(name));
            }
        }
    }
}

type Outcome = (Vec<Changed>, Result<(), IndexError>);

/// One change or an error.
fn single(result: Result<Option<Changed>, IndexError>) -> Outcome {
    match result {
        Ok(change) => (change.into_iter().collect(), Ok(())),
        Err(error) => (Vec::new(), Err(error)),
    }
}

fn check_name(name: &str) -> Result<(), IndexError> {
    image::name::check_directory(name).map_err(|source| IndexError::Name {
        name: name.to_owned(),
        source,
    })
}

fn make(shared: &Shared, make: Make) -> Outcome {
    let snapshot = shared.snapshot.load();
    let Make {
        name,
        make_all,
        requester,
    } = make;
    if let Err(error) = check_name(&name) {
        return (Vec::new(), Err(error));
    }
    if !make_all {
        if snapshot.directories.contains_key(name.as_str()) {
            return (Vec::new(), Err(IndexError::DirectoryExists(name)));
        }
        let parent = image::name::parent(&name);
        return single(owner_of(&snapshot, parent).and_then(|group| {
            make_one(shared, &name, &group, &requester).map(|entry| Some(Changed::Made(entry)))
        }));
    }
    if name == "." {
        return (Vec::new(), Err(IndexError::CannotCreateRoot));
    }
    let mut changes = Vec::new();
    let mut group = match owner_of(&snapshot, ".") {
        Ok(group) => group,
        Err(error) => return (changes, Err(error)),
    };
    let ends = name.match_indices('/').map(|(at, _)| at).chain([name.len()]);
    for end in ends {
        let ancestor = &name[..end];
        if let Some(entry) = snapshot.directories.get(ancestor) {
            group = entry.owner_group.clone();
            continue;
        }
        match make_one(shared, ancestor, &group, &requester) {
            Ok(entry) => changes.push(Changed::Made(entry)),
            Err(error) => return (changes, Err(error)),
        }
    }
    (changes, Ok(()))
}

fn owner_of(snapshot: &IndexSnapshot, parent: &str) -> Result<Arc<str>, IndexError> {
    let entry = snapshot
        .directories
        .get(parent)
        .ok_or_else(|| IndexError::NoParent(parent.to_owned()))?;
    Ok(entry.owner_group.clone())
}

/// Makes a directory on disk; it inherits the owner group of its parent.
fn make_one(
    shared: &Shared,
    name: &str,
    group: &Arc<str>,
    requester: &Requester,
) -> Result<DirectoryEntry, IndexError> {
    if !requester.method_access && (group.is_empty() || !requester.is_member(group)) {
        return Err(IndexError::NoAccess);
    }
    match shared.directory.make_directory(name) {
        Ok(_) => {}
        Err(StorageError::NoDirectory { .. }) => {
            return Err(IndexError::NoParent(image::name::parent(name).to_owned()));
        }
        Err(error) => return Err(error.into()),
    }
    write_owner(shared, name, group)?;
    Ok(DirectoryEntry::new(name, group))
}

/// Empty metadata is no file.
fn write_owner(shared: &Shared, name: &str, group: &str) -> Result<(), IndexError> {
    if group.is_empty() {
        return Ok(shared.directory.remove_metadata(name)?);
    }
    Ok(shared.directory.write_metadata(name, &encode_metadata(group))?)
}

fn put(shared: &Shared, Put(directory): Put) -> Outcome {
    let work = || {
        check_name(&directory.name)?;
        let entry = DirectoryEntry::new(&directory.name, &directory.metadata.owner_group);
        if shared
            .snapshot
            .load()
            .directories
            .get(&entry.name)
            .is_some_and(|known| **known == entry)
        {
            return Ok(None);
        }
        match shared.directory.make_directory(&entry.name) {
            Ok(_) => {}
            Err(StorageError::NoDirectory { .. }) => {
                return Err(IndexError::NoParent(image::name::parent(&entry.name).to_owned()));
            }
            Err(error) => return Err(error.into()),
        }
        write_owner(shared, &entry.name, &entry.owner_group)?;
        Ok(Some(Changed::Made(entry)))
    };
    single(work())
}

fn chown(shared: &Shared, chown: Chown) -> Outcome {
    let Chown {
        name,
        owner_group,
        requester,
    } = chown;
    let work = || {
        if requester.username.is_empty() {
            return Err(IndexError::NoUsername);
        }
        if !owner_group.is_empty() && !groups::exists(&owner_group)? {
            return Err(IndexError::UnknownGroup(owner_group));
        }
        let snapshot = shared.snapshot.load();
        let entry = snapshot
            .directories
            .get(name.as_str())
            .ok_or_else(|| IndexError::NoMetadata(name.clone()))?;
        check_chown(&snapshot, entry, &owner_group, &requester)?;
        if *entry.owner_group == *owner_group && entry.state == EntryState::Present {
            return Ok(None);
        }
        write_owner(shared, &name, &owner_group)?;
        Ok(Some(Changed::Made(DirectoryEntry::new(&name, &owner_group))))
    };
    single(work())
}

fn check_chown(
    snapshot: &IndexSnapshot,
    entry: &DirectoryEntry,
    owner_group: &str,
    requester: &Requester,
) -> Result<(), IndexError> {
    if requester.method_access {
        return Ok(());
    }
    let is_member_of = |group: &str| !group.is_empty() && requester.is_member(group);
    if &*entry.name != "."
        && let Some(parent) = snapshot.directories.get(image::name::parent(&entry.name))
        && is_member_of(&parent.owner_group)
    {
        return Ok(());
    }
    if !is_member_of(owner_group) {
        return Err(IndexError::NoMembership(owner_group.to_owned()));
    }
    if !is_member_of(&entry.owner_group) {
        return Err(IndexError::NoAccess);
    }
    Ok(())
}

fn remove(shared: &Shared, remove: Remove) -> Outcome {
    let Remove { name, requester } = remove;
    let work = || {
        if !requester.method_access {
            return Err(IndexError::NoAccess);
        }
        if !shared.snapshot.load().directories.contains_key(&name) {
            return Err(IndexError::DirectoryDoesNotExist(name.to_string()));
        }
        if &*name == "." {
            return Err(IndexError::CannotRemoveRoot);
        }
        match shared.remove_directory(&name) {
            // Somebody removed it behind our back: then the index follows.
            Ok(()) | Err(StorageError::NotFound { .. }) => Ok(Some(Changed::Removed(name))),
            Err(error) => Err(error.into()),
        }
    };
    single(work())
}
