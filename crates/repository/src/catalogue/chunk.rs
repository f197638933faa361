//! Neighbours in the order of lists.

use crate::catalogue::Entry;
use crate::catalogue::fingerprint::{Mask, of_text};
use crate::dates::Published;
use crate::uuid::Uuid;
use std::sync::Arc;

/// Images in a chunk, at most: a change copies one chunk, some 25 kB.
pub(crate) const MAXIMUM_ROWS: usize = 512;

/// Place of an image in a list.
pub(crate) type Key = (Published, Uuid);

/// What filters look at first.
#[derive(Clone)]
pub(crate) struct Row {
    pub(crate) published: Published,
    pub(crate) name: u32,
    pub(crate) version: u32,
    /// Pairs of letters of name and version.
    pub(crate) pairs: Mask,
    /// Owner, tags and their keys, billing tags, channels, accounts it is shared with.
    pub(crate) labels: Mask,
    pub(crate) entry: Arc<Entry>,
    pub(crate) kind: Option<u8>,
    pub(crate) system: Option<u8>,
    pub(crate) is_activated: bool,
    pub(crate) is_disabled: bool,
    pub(crate) is_public: bool,
}

/// What is asked of the labels of a row, each kind apart.
pub(crate) mod label {
    use crate::uuid::Uuid;

    pub(crate) fn owner(owner: Uuid) -> (u8, u128) {
        (0, owner.as_u128())
    }

    pub(crate) fn shared(account: Uuid) -> (u8, u128) {
        (1, account.as_u128())
    }

    pub(crate) fn tag(entry: &str) -> (u8, &str) {
        (2, entry)
    }

    pub(crate) fn tag_key(key: &str) -> (u8, &str) {
        (3, key)
    }

    pub(crate) fn billing_tag(tag: &str) -> (u8, &str) {
        (4, tag)
    }

    pub(crate) fn channel(channel: &str) -> (u8, &str) {
        (5, channel)
    }
}

impl Row {
    pub(crate) fn new(entry: Arc<Entry>) -> Self {
        let mut pairs = Mask::default();
        pairs.add_pairs(&entry.name);
        pairs.add_pairs(&entry.version);
        Self {
            published: entry.published,
            name: of_text(&entry.name),
            version: of_text(&entry.version),
            pairs,
            labels: labels(&entry),
            kind: entry.kind,
            system: entry.system,
            is_activated: entry.is_activated,
            is_disabled: entry.is_disabled,
            is_public: entry.is_public,
            entry,
        }
    }

    pub(crate) fn key(&self) -> Key {
        (self.published, self.entry.uuid)
    }
}

fn labels(entry: &Entry) -> Mask {
    let mut mask = Mask::default();
    mask.add(label::owner(entry.owner));
    for account in &entry.acl {
        mask.add(label::shared(*account));
    }
    for tag in &entry.tags {
        mask.add(label::tag(tag));
        let key = tag.find('=').map_or(&tag[..], |end| &tag[..=end]);
        mask.add(label::tag_key(key));
    }
    for tag in &entry.billing_tags {
        mask.add(label::billing_tag(tag));
    }
    for channel in entry.channels() {
        mask.add(label::channel(channel));
    }
    mask
}

/// Rows in order; at least one, at most [`MAXIMUM_ROWS`].
pub(crate) struct Chunk {
    pub(crate) rows: Vec<Row>,
}

impl Chunk {
    pub(crate) fn entries(&self) -> impl Iterator<Item = &Arc<Entry>> {
        self.rows.iter().map(|row| &row.entry)
    }

    /// Key of the last row.
    pub(crate) fn last(&self) -> Key {
        self.rows.last().map(Row::key).unwrap_or_default()
    }
}
