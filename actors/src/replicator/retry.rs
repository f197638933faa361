//! What failed and is tried again within the session, each after a pause of its own.

use crate::backoff::Backoff;
use image::Directory;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// Pause before the first new try, for what comes in the wrong order: an image before its directory.
const FIRST_PAUSE: Duration = Duration::from_millis(500);

/// Tries in one round. Between rounds it is the upstream's turn: what it says may be what makes the next try succeed.
const ROUND: usize = 16;

/// Longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// Something the upstream wants us to do.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Task {
    /// Have this image, as the upstream has it.
    Bring(Arc<str>),
    /// Have it no more.
    Delete(Arc<str>),
    /// Ask whether the upstream has it, and if not, have it no more.
    Confirm(Arc<str>),
    /// Have this directory.
    Put(Directory),
    /// Have it no more.
    Remove(Arc<str>),
}

/// A name among images, or among directories.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Subject {
    is_image: bool,
    name: Arc<str>,
}

impl Task {
    fn subject(&self) -> Subject {
        let (is_image, name) = match self {
            Task::Bring(name) | Task::Delete(name) | Task::Confirm(name) => (true, name.clone()),
            Task::Put(directory) => (false, directory.name.as_str().into()),
            Task::Remove(name) => (false, name.clone()),
        };
        Subject { is_image, name }
    }
}

struct Waiting {
    task: Task,
    at: Instant,
    backoff: Backoff,
    error: String,
}

/// At most one task for each name: a later wish replaces an earlier one.
#[derive(Default)]
pub(super) struct Retry {
    waiting: HashMap<Subject, Waiting>,
}

impl Retry {
    /// It failed; true if with another error than the last time, so that the log has each once.
    pub(super) fn failed(&mut self, task: Task, error: String) -> bool {
        let entry = self.waiting.entry(task.subject()).or_insert_with(|| Waiting {
            task: task.clone(),
            at: Instant::now(),
            backoff: Backoff::new(FIRST_PAUSE, LONGEST_PAUSE),
            error: String::new(),
        });
        entry.task = task;
        entry.at = Instant::now() + entry.backoff.pause();
        let is_new = entry.error != error;
        entry.error = error;
        is_new
    }

    /// It went well, or another wish for the same name is about to be tried.
    pub(super) fn done(&mut self, task: &Task) {
        self.waiting.remove(&task.subject());
    }

    /// When the next one is due.
    pub(super) fn next_at(&self) -> Option<Instant> {
        self.waiting.values().map(|waiting| waiting.at).min()
    }

    /// Those that are due, the ones that wait longest, a round of them. They stay until they are done.
    pub(super) fn due(&self, now: Instant) -> Vec<Task> {
        let due = self.waiting.values().filter(|waiting| waiting.at <= now);
        let mut due: Vec<&Waiting> = due.collect();
        due.sort_by_key(|waiting| waiting.at);
        let round = due.into_iter().take(ROUND);
        round.map(|waiting| waiting.task.clone()).collect()
    }

    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_later_wish_for_a_name_replaces_the_one_that_failed() {
        let mut retry = Retry::default();
        let (bring, delete) = (Task::Bring("a".into()), Task::Delete("a".into()));
        assert!(retry.failed(bring.clone(), "no".to_owned()));
        assert!(!retry.failed(bring, "no".to_owned()));
        assert_eq!(retry.due(Instant::now()), []);
        retry.failed(delete.clone(), "no".to_owned());
        retry.failed(Task::Remove("a".into()), "not empty".to_owned());
        assert_eq!(retry.len(), 2);
        tokio::time::advance(LONGEST_PAUSE).await;
        assert!(retry.due(Instant::now()).contains(&delete));
        retry.done(&delete);
        assert_eq!(retry.due(Instant::now()), [Task::Remove("a".into())]);
    }
}
