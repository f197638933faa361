//! What others are told about changes.

use repository::Uuid;

/// What happened to an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    /// It is new.
    Created,
    /// Its record is another.
    Replaced,
    /// It is gone.
    Deleted,
}

/// An image that changed. It is durable, and in the catalogue, by the time this is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RepositoryChange {
    /// Which image.
    pub uuid: Uuid,
    /// What happened to it.
    pub kind: ChangeKind,
}
