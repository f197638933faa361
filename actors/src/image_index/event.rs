//! What subscribers are told, after it is durable and published.

use image::Directory;
use std::sync::Arc;

/// Events a subscriber may be behind before it loses some and is told so.
pub(crate) const EVENTS: usize = 4096;

/// A change of the index (`imageserver.md §7.1`). Expiry is none: every server has its own timers (`§2.3`).
#[derive(Debug, Clone, PartialEq)]
pub enum IndexEvent {
    /// An image was added, or its expiration was changed.
    AddImage(Arc<str>),
    /// An image was deleted.
    DeleteImage(Arc<str>),
    /// A directory was made, or its metadata was changed.
    MakeDirectory(Directory),
    /// A directory was removed.
    DeleteDirectory(Arc<str>),
}
