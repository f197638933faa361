//! All images of a repository as an immutable snapshot that answers at once.
//!
//! A [`Catalogue`] holds one [`Entry`] an image: what filters and access need, and the public form as text, so that an
//! answer is copied, not made. Entries lie in chunks of up to 512 in order of (`published_at`, `uuid`); a chunk has a row
//! of 48 bytes an image with fingerprints of what filters ask for, and only rows whose fingerprints fit are looked at. A
//! change copies one chunk and the list of chunks; readers keep the snapshot they have.

mod change;
mod chunk;
mod codec;
mod entry;
mod fingerprint;
mod form;
mod matcher;
mod select;

pub use codec::ENTRY_VERSION;
pub use entry::{Entry, State};
pub use form::{Form, write_list, write_one};

use crate::catalogue::chunk::Chunk;
use crate::uuid::Uuid;
use std::sync::Arc;

/// A snapshot. Cloning it is cheap.
#[derive(Clone, Default)]
pub struct Catalogue {
    /// In order; none is empty.
    chunks: Vec<Arc<Chunk>>,
    by_uuid: imbl::HashMap<Uuid, Arc<Entry>>,
    /// Pairs of an origin and an image based on it.
    dependents: imbl::OrdSet<(Uuid, Uuid)>,
}

impl Catalogue {
    /// How many images there are.
    pub fn len(&self) -> usize {
        self.by_uuid.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.by_uuid.is_empty()
    }

    /// An image by its name.
    pub fn get(&self, uuid: Uuid) -> Option<&Arc<Entry>> {
        self.by_uuid.get(&uuid)
    }

    /// All images, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Entry>> {
        self.chunks.iter().flat_map(|chunk| chunk.entries())
    }

    /// Images based on one, in the order of their names; those in a channel, where one is given (imgapi.md §8).
    pub fn dependents(&self, origin: Uuid, channel: Option<&str>) -> Vec<Uuid> {
        let all = self.dependents.range((origin, Uuid::NIL)..);
        let of_origin = all.take_while(|(of, _)| *of == origin).map(|(_, uuid)| *uuid);
        let is_in = |uuid: &Uuid| {
            let Some(channel) = channel else { return true };
            self.get(*uuid)
                .is_some_and(|entry| entry.channels().any(|name| name == channel))
        };
        of_origin.filter(is_in).collect()
    }
}
