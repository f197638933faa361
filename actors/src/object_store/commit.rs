//! Committing a group of staged objects, on the writer's thread.

use super::table::fingerprint;
use super::{Lease, ObjectError, Shared};
use crate::handle::Request;
use std::collections::VecDeque;
use storage::{Committed, Staged, StorageError};
use tokio::sync::oneshot;

/// Objects flushed together at most: bounds how long the first of them waits for the last (about 0.5 s), while the cost
/// of a flush per object hardly falls beyond 1,000.
const GROUP_OBJECTS: usize = 4096;

/// The backend answers every object; an answer that is missing would be its defect.
const MISSING_ANSWER: StorageError = StorageError::UnknownObject {
    hash: hash::Hash::ZERO,
};

/// Make these durable and present.
pub(crate) struct Commit {
    pub(super) staged: Vec<Staged>,
    pub(super) lease: Lease,
}

pub(crate) type Outcomes = Vec<Result<Committed, ObjectError>>;

impl Request for Commit {
    type Reply = Outcomes;
}

/// A request and who waits for it. Travels to the writer whole, so that its answer does not depend on the actor's
/// further life.
pub(super) struct Waiting {
    pub(super) commit: Commit,
    pub(super) reply: oneshot::Sender<Outcomes>,
}

/// The requests for the next flush.
pub(super) fn next_group(waiting: &mut VecDeque<Waiting>) -> Vec<Waiting> {
    let mut group = Vec::new();
    let mut objects = 0;
    while let Some(next) = waiting.front() {
        objects += next.commit.staged.len();
        if objects > GROUP_OBJECTS && !group.is_empty() {
            break;
        }
        group.extend(waiting.pop_front());
    }
    group
}

/// Commits, enters what came of it into the table, answers. Blocks.
pub(super) fn run(shared: &Shared, group: Vec<Waiting>) {
    let mut batch = Vec::new();
    // What was known to be there is answered without being looked at again.
    let mut known: Vec<Vec<Option<Committed>>> = Vec::with_capacity(group.len());
    let mut callers = Vec::with_capacity(group.len());
    for waiting in group {
        let Commit { staged, lease } = waiting.commit;
        let mut answers = Vec::with_capacity(staged.len());
        for object in staged {
            let present = present(shared, &object);
            if present.is_none() {
                batch.push(object);
            }
            answers.push(present);
        }
        known.push(answers);
        callers.push((lease, waiting.reply));
    }
    let objects = batch.len();
    let mut results = shared.backend.commit(batch).into_iter();
    metrics::histogram!("imageserver_commit_group_objects").record(objects as f64);
    for ((lease, reply), known) in callers.into_iter().zip(known) {
        let outcomes = known
            .into_iter()
            .map(|known| {
                let committed = match known {
                    Some(committed) => committed,
                    None => results.next().unwrap_or(Err(MISSING_ANSWER))?,
                };
                shared
                    .table
                    .insert_committed(committed.hash, committed.stamp, Some(&lease));
                Ok(committed)
            })
            .collect();
        // Before the answer: when the caller then ends its own lease, nothing holds the objects any more.
        drop(lease);
        // A caller that went away has no use for the answer; its objects are there all the same.
        let _ = reply.send(outcomes);
    }
}

/// An object that is in the table, was found right since the start, and has not been touched.
fn present(shared: &Shared, staged: &Staged) -> Option<Committed> {
    let found = shared
        .table
        .find(&staged.hash())
        .filter(|found| found.verified != 0 && !found.damaged)?;
    let stored = shared.backend.open(&staged.hash()).ok()?;
    (found.verified == fingerprint(&stored.stamp)).then(|| Committed {
        hash: staged.hash(),
        size: stored.size,
        newly_added: false,
        repaired: false,
        stamp: stored.stamp,
    })
}
