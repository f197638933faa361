//! What the records on the disk are known to be.

use super::Revision;
use repository::Uuid;
use std::collections::{BTreeSet, HashMap, HashSet};
use storage::Stamp;

/// One record, as it was read or written last.
#[derive(Clone, Copy, Debug)]
pub(super) struct KnownRecord {
    pub(super) stamp: Stamp,
    pub(super) revision: Revision,
    /// Whether the stamp vouches for the content: see [`Stamp::is_settled`].
    pub(super) is_settled: bool,
}

/// What is known. Who holds it is the one who changes records, and publishes.
#[derive(Debug, Default)]
pub(super) struct Known {
    pub(super) records: HashMap<Uuid, KnownRecord>,
    /// Files that are named for an image and are no record of it: their names are taken.
    pub(super) unreadable: HashSet<Uuid>,
    /// Images whose archived manifest may not be that of their record.
    pub(super) unarchived: BTreeSet<Uuid>,
    /// A change ended where it should not: the directory must be read before the next one.
    pub(super) must_agree: bool,
    /// Goes up with every change.
    pub(super) generation: u64,
}
