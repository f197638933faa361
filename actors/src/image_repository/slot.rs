//! Which file of an image.

use repository::{Uuid, layout};
use std::fmt;

/// A place of an image that bytes go to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Slot {
    /// One of its files; the first one is 0.
    File(usize),
    /// Its icon.
    Icon,
}

impl Slot {
    /// The name of that file below the base directory.
    pub(crate) fn name(self, uuid: Uuid) -> String {
        match self {
            Slot::File(index) => layout::file(uuid, index),
            Slot::Icon => layout::icon(uuid),
        }
    }
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Slot::File(index) => write!(f, "file{index}"),
            Slot::Icon => f.write_str("icon"),
        }
    }
}
