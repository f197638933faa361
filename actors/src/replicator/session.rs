//! One connection to the upstream: its list, then its changes (`imageserver.md §7.2`).

use super::Connections;
use super::bring::{self, Brought};
use super::clean_up;
use super::error::ReplicationError;
use super::feed::Feed;
use super::retry::{Retry, Task};
use super::shared::Shared;
use super::status::LinkState;
use crate::image_index::{EntryState, IndexError, Requester};
use futures_util::{StreamExt, stream};
use image::Directory;
use image_client::updates::Update;
use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;
use std::time::Instant;

/// Images being fetched at a time. Making a small one durable takes longer than fetching it, and they share that.
const PARALLEL_IMAGES: usize = 8;

/// Names in the upstream's list, some 150 bytes each. More than that is not a list but an attack or a defect.
const LIST_MAX_NAMES: usize = 10_000_000;

/// Why a session ended.
pub(super) struct Ended {
    pub(super) error: ReplicationError,
    /// It got as far as having worked off the list.
    pub(super) had_list: bool,
}

/// What the upstream said it has.
#[derive(Default)]
pub(super) struct List {
    pub(super) directories: BTreeSet<Arc<str>>,
    /// Without those the filters leave out: they count as absent (`imageserver.md §7.2`).
    pub(super) images: BTreeSet<Arc<str>>,
}

struct Session {
    shared: Arc<Shared>,
    connections: Connections,
    feed: Feed,
    retry: Retry,
    /// The last step was a round of new tries: now it is the feed's turn, if there is anything.
    tried_again: bool,
}

/// Follows the upstream until the connection ends.
pub(super) async fn run(shared: Arc<Shared>) -> Ended {
    let mut had_list = false;
    let error = match follow(shared, &mut had_list).await {
        Ok(never) => match never {},
        Err(error) => error,
    };
    Ended { error, had_list }
}

async fn follow(
    shared: Arc<Shared>,
    had_list: &mut bool,
) -> Result<std::convert::Infallible, ReplicationError> {
    let start = Instant::now();
    let connections = Connections::new(shared.config.connect.clone());
    let server = connections.connect().await?;
    tracing::info!("Image replicator: connected to: {}", shared.config.upstream);
    shared.status.connected();
    shared.status.set_state(LinkState::Listing);
    // Taken before the upstream makes its list: what is added here later is not in that list and no reason to delete it.
    let before = shared.images.snapshot();
    let feed = Feed::start(server, shared.config.archive.skips_expiring(), shared.clone()).await?;
    let mut session = Session {
        shared: shared.clone(),
        connections,
        feed,
        retry: Retry::default(),
        tried_again: false,
    };
    let list = session.receive_list().await?;
    shared.status.set_state(LinkState::CatchingUp);
    let (work, dropped) = session.announce(&list);
    session.bring(work).await?;
    if !shared.config.archive.keeps() {
        for (task, error) in clean_up::run(&shared, &session.connections, &before, &list, dropped).await {
            session.failed(task, &error);
        }
    }
    match session.retry.len() {
        0 => tracing::info!(
            "Replicated all current images in {}",
            crate::image_index::took(start)
        ),
        _ => tracing::warn!(
            "Partially replicated images in {}",
            crate::image_index::took(start)
        ),
    }
    *had_list = true;
    shared.first_round.send_replace(true);
    shared.status.set_state(LinkState::Following);
    loop {
        session.step().await?;
    }
}

impl Session {
    /// Directories are made as they are named; images are collected.
    async fn receive_list(&mut self) -> Result<List, ReplicationError> {
        let mut list = List::default();
        loop {
            match self.feed.next().await? {
                Update::InitialListEnds => return Ok(list),
                Update::Directory(directory) => {
                    list.directories.insert(directory.name.as_str().into());
                    self.run(Task::Put(directory)).await;
                }
                Update::Image(name) if self.shared.config.wants(&name) => {
                    list.images.insert(name.into());
                }
                Update::Image(name) => tracing::debug!("Not replicating {name}: filtered"),
                // Not to be expected before the end of the list; the last word counts.
                Update::ImageDeleted(name) => {
                    list.images.remove(name.as_str());
                }
                Update::DirectoryDeleted(name) => {
                    list.directories.remove(name.as_str());
                }
                Update::Unknown(operation) => tracing::warn!("Replicator: unknown operation: {operation}"),
            }
            if list.images.len() + list.directories.len() > LIST_MAX_NAMES {
                return Err(ReplicationError::ListTooLong(LIST_MAX_NAMES));
            }
        }
    }

    /// From now on we announce what the list has and we lack. Returns the names there is something to do about: an image that
    /// is here, whole and lasting cannot be behind. Beside them those that were announced so far and are not in the list.
    fn announce(&self, list: &List) -> (Vec<Arc<str>>, Vec<Arc<str>>) {
        let snapshot = self.shared.images.snapshot();
        let keeps = self.shared.config.archive.keeps();
        let (mut work, mut dropped) = (Vec::new(), Vec::new());
        for name in self.shared.unfetched.names() {
            if snapshot.images.contains_key(&name) {
                self.shared.unfetched.remove(&name);
            } else if !list.images.contains(&name) {
                if keeps {
                    // Asked for once more: an upstream that has it no more says so, and then it is settled.
                    work.push(name);
                } else {
                    dropped.push(name);
                }
            }
        }
        for name in &list.images {
            match snapshot.images.get(name) {
                None => self.shared.unfetched.insert(name),
                Some(entry) if entry.state == EntryState::Present && entry.expires_at().is_zero() => continue,
                Some(_) => {}
            }
            work.push(name.clone());
        }
        (work, dropped)
    }

    /// Works off what has come, or waits for something to come.
    async fn step(&mut self) -> Result<(), ReplicationError> {
        self.shared.status.behind(self.retry.len(), self.feed.len());
        let update = match self.next().await? {
            Some(update) => update,
            None => return self.try_again().await,
        };
        let mut names = Vec::new();
        let mut next = Some(update);
        // Announcements that follow each other are worked off together.
        while let Some(update) = next {
            match update {
                Update::Image(name) => {
                    if self.shared.config.wants(&name) {
                        names.push(name.into());
                    }
                }
                other => {
                    self.bring(std::mem::take(&mut names)).await?;
                    self.change(other).await;
                    break;
                }
            }
            next = self.feed.try_next();
        }
        self.bring(names).await
    }

    /// What the upstream says next; nothing when it is time to try again what failed. Both have their turns: neither an upstream
    /// that never pauses nor failures that never end keep the other waiting.
    async fn next(&mut self) -> Result<Option<Update>, ReplicationError> {
        if std::mem::take(&mut self.tried_again)
            && let Some(update) = self.feed.try_next()
        {
            return Ok(Some(update));
        }
        let Some(at) = self.retry.next_at() else {
            return Ok(Some(self.feed.next().await?));
        };
        tokio::select! {
            biased;
            () = tokio::time::sleep_until(at) => Ok(None),
            update = self.feed.next() => Ok(Some(update?)),
        }
    }

    async fn try_again(&mut self) -> Result<(), ReplicationError> {
        self.tried_again = true;
        let mut names = Vec::new();
        for task in self.retry.due(tokio::time::Instant::now()) {
            match task {
                Task::Bring(name) => names.push(name),
                other => self.run(other).await,
            }
        }
        self.bring(names).await
    }

    /// Anything but an image that is there.
    async fn change(&mut self, update: Update) {
        let keeps = self.shared.config.archive.keeps();
        match update {
            Update::Directory(directory) => self.run(Task::Put(directory)).await,
            Update::ImageDeleted(_) | Update::DirectoryDeleted(_) if keeps => {}
            Update::ImageDeleted(name) => {
                tracing::info!("Replicator({name}): delete image");
                self.run(Task::Delete(name.into())).await;
            }
            Update::DirectoryDeleted(name) => {
                tracing::info!("Replicator({name}): delete directory");
                self.run(Task::Remove(name.into())).await;
            }
            Update::Unknown(operation) => tracing::warn!("Replicator: unknown operation: {operation}"),
            // Images are gathered by the caller, and a second end of the list says nothing.
            Update::Image(_) | Update::InitialListEnds => {}
        }
    }

    /// Has all of these images brought, several at a time. Fails only when the link has ended; images that failed are tried
    /// again later.
    async fn bring(&mut self, names: Vec<Arc<str>>) -> Result<(), ReplicationError> {
        let mut seen = HashSet::new();
        let names: Vec<Arc<str>> = names
            .into_iter()
            .filter(|name| seen.insert(name.clone()))
            .collect();
        if names.is_empty() {
            return Ok(());
        }
        let total = names.len();
        let Session {
            shared,
            connections,
            feed,
            ..
        } = self;
        shared.status.behind(total, feed.len());
        let mut outcomes = Vec::new();
        {
            let mut work = stream::iter(names)
                .map(|name| {
                    let (shared, connections) = (&*shared, &*connections);
                    async move {
                        let brought = bring::image(shared, connections, &name).await;
                        (name, brought)
                    }
                })
                .buffer_unordered(PARALLEL_IMAGES);
            loop {
                let (name, brought) = tokio::select! {
                    biased;
                    // Everything else would fail too, each after its own time.
                    error = feed.end() => return Err(error),
                    brought = work.next() => match brought {
                        Some(brought) => brought,
                        None => break,
                    },
                };
                shared.status.one_done(feed.len());
                settle(shared, &name, &brought);
                outcomes.push((name, brought));
            }
        }
        for (name, brought) in outcomes {
            self.brought(name, brought);
        }
        Ok(())
    }

    fn brought(&mut self, name: Arc<str>, brought: Result<Brought, ReplicationError>) {
        let task = Task::Bring(name.clone());
        match brought {
            Ok(_) => self.retry.done(&task),
            Err(error) if error.is_final() => {
                tracing::error!("error adding image: {name}: {error}");
                self.retry.done(&task);
            }
            Err(error) => self.failed(task, &error),
        }
    }

    /// Anything but bringing an image.
    async fn run(&mut self, task: Task) {
        let Session {
            shared, connections, ..
        } = &*self;
        let done: Result<(), ReplicationError> = match &task {
            Task::Put(directory) => put_directory(shared, directory).await.map_err(Into::into),
            Task::Delete(name) => clean_up::delete_image(shared, name).await.map_err(Into::into),
            Task::Confirm(name) => clean_up::confirm(shared, connections, name).await,
            Task::Remove(name) => clean_up::remove_directory(shared, name).await.map_err(Into::into),
            Task::Bring(_) => Ok(()),
        };
        match done {
            Ok(()) => self.retry.done(&task),
            Err(error) => self.failed(task, &error),
        }
    }

    fn failed(&mut self, task: Task, error: &ReplicationError) {
        let text = match &task {
            Task::Bring(name) => format!("error adding image: {name}: {error}"),
            Task::Delete(name) | Task::Confirm(name) => format!("error deleting image: {name}: {error}"),
            Task::Put(directory) => format!("error making directory: {}: {error}", directory.name),
            Task::Remove(name) => format!("error deleting directory: {name}: {error}"),
        };
        self.shared.status.failed(text.clone());
        if self.retry.failed(task, error.to_string()) {
            tracing::error!("{text}");
        } else {
            tracing::debug!("{text}");
        }
    }
}

/// What is announced to our followers, now that an image was brought or not.
fn settle(shared: &Shared, name: &Arc<str>, brought: &Result<Brought, ReplicationError>) {
    match brought {
        Ok(Brought::Gone) => {
            shared.give_up(name);
        }
        Ok(_) => {
            shared.unfetched.remove(name);
        }
        Err(error) if error.is_final() => {
            shared.unfetched.remove(name);
        }
        Err(error) => {
            if !shared.images.snapshot().images.contains_key(name) {
                shared.unfetched.failed(name, error.to_string());
            }
        }
    }
}

async fn put_directory(shared: &Shared, directory: &Directory) -> Result<(), IndexError> {
    match shared.images.put_directory(directory.clone()).await {
        // Their parents may come later, or have been left out.
        Err(IndexError::NoParent(_)) => {
            let requester = Requester::internal();
            shared
                .images
                .make_directory(&directory.name, true, requester)
                .await?;
            shared.images.put_directory(directory.clone()).await
        }
        other => other,
    }
}
