//! What is known of jobs beside the table: who waits, who is at work, what is not on the disk.

use super::progress::Progress;
use repository::Uuid;
use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use tokio::sync::watch;

#[derive(Default)]
pub(super) struct State {
    /// Who waits, in order.
    pub(super) queue: VecDeque<Uuid>,
    pub(super) running: HashMap<Uuid, Running>,
    /// Who was cancelled between the mark that it runs and its work: it is not begun any more.
    pub(super) stopped: HashSet<Uuid>,
    /// How often each that is not over was begun.
    pub(super) starts: HashMap<Uuid, u64>,
    /// Whose newest state is not on the disk, since that failed.
    pub(super) unsaved: HashSet<Uuid>,
}

/// A job at work.
pub(super) struct Running {
    pub(super) progress: Arc<Progress>,
    pub(super) cancel: watch::Sender<bool>,
}
