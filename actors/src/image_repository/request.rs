//! What the actor is asked.

use super::upload::WaitingFiles;
use super::{Result, Revision, Shared, Stored, Upload};
use crate::handle::Request;
use parking_lot::Mutex;
use repository::Uuid;
use repository::manifest::Record;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::sync::oneshot;

/// Holds an upload while it is decided what becomes of it: who asked takes it back from here if nothing did.
pub(super) type UploadCell = Arc<Mutex<Option<Upload>>>;

/// A change.
#[derive(Debug)]
pub(super) enum Change {
    /// Adds an image, with files that wait under temporary names.
    Create { record: Record, files: WaitingFiles },
    /// Another record.
    Replace {
        record: Record,
        of: Revision,
        /// A file that comes with it.
        upload: Option<UploadCell>,
        /// Whether the icon goes.
        drops_icon: bool,
    },
    /// Another record and another name.
    Rename { old: Uuid, record: Record, of: Revision },
    /// The end.
    Delete { uuid: Uuid, of: Revision },
}

impl Change {
    /// The images it touches.
    pub(super) fn images(&self) -> [Uuid; 2] {
        match self {
            Change::Create { record, .. } | Change::Replace { record, .. } => [record.uuid(); 2],
            Change::Rename { old, record, .. } => [*old, record.uuid()],
            Change::Delete { uuid, .. } => [*uuid; 2],
        }
    }
}

impl Request for Change {
    /// Nothing after a deletion.
    type Reply = Result<Option<Stored>>;
}

/// A change that waits.
pub(super) struct Waiting {
    pub(super) change: Change,
    pub(super) reply: oneshot::Sender<Result<Option<Stored>>>,
    /// Of the answer, for stopping in an orderly way.
    pub(super) in_hand: InHand,
}

/// Counts a change until it is answered, or lost with its actor.
pub(super) struct InHand(Arc<Shared>);

impl InHand {
    pub(super) fn new(shared: &Arc<Shared>) -> Self {
        shared.in_hand.fetch_add(1, Ordering::AcqRel);
        Self(shared.clone())
    }
}

impl Drop for InHand {
    fn drop(&mut self) {
        self.0.in_hand.fetch_sub(1, Ordering::AcqRel);
    }
}
