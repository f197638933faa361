//! What is said about an image: its rules, its stored form, its public form, its life.
//!
//! A [`Record`] is the stored form (imgapi.md §5.7): it exists only if it keeps the rules of §5.4. Everything that makes
//! or changes one gives a new one or the error the client sees; nothing here stores or sends.

mod clone;
mod create;
mod fields;
mod import;
mod normalise;
mod placeholder;
mod record;
mod requirements;
mod search_tags;
mod serialise;
mod structures;
mod texts;
mod transition;
mod update;
mod upgrade;
mod validate;

pub use clone::clone_of;
pub use create::{Known, create};
pub(crate) use fields::{SYSTEMS, TYPES};
pub use import::{Import, ImportRequest, import};
pub(crate) use normalise::set_tags;
pub use placeholder::placeholder;
pub use record::{Compression, FileEntry, IconEntry, NotARecord, Record};
pub use search_tags::search_tag;
pub use serialise::{View, entity_tag, public_form};
pub(crate) use transition::channel_of;
pub use update::{Updated, update};
pub use validate::validate;

/// What kind of repository this is (imgapi.md §2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mode {
    /// Open to all: every image is public.
    Public,
    /// Every image is private.
    Private,
    /// The service of one datacenter: callers are trusted, accounts have images.
    Datacenter,
}

/// What the rules of manifests depend on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Mode of the repository.
    pub mode: Mode,
    /// Whether it has channels.
    pub has_channels: bool,
}

/// Bytes of an image's file, at most: 20 GiB.
pub const MAXIMUM_FILE_BYTES: u64 = 20 << 30;

/// Bytes of an icon, at most: 128 KiB.
pub const MAXIMUM_ICON_BYTES: u64 = 128 << 10;

/// Bytes of a manifest as compact JSON, at most, when it is made or changed: a list of 100,000 accounts has room. Stored
/// ones are loaded whatever their length.
pub const MAXIMUM_MANIFEST_BYTES: usize = 4 << 20;

/// Images in a chain of origins, at most.
pub const MAXIMUM_ORIGIN_DEPTH: usize = 100;

/// Bytes of a body that is a manifest or a part of one, at most. The original has no limit; what is refused for its length
/// field by field (a description of 10 MB) is still told which field it is.
pub const MAXIMUM_BODY_BYTES: usize = 16 << 20;
