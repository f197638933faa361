//! New snapshots of old ones.

use crate::catalogue::chunk::{Chunk, Key, MAXIMUM_ROWS, Row};
use crate::catalogue::{Catalogue, Entry};
use crate::uuid::Uuid;
use std::sync::Arc;

impl Catalogue {
    /// Of all images at once. Of two with one name the later one counts.
    pub fn of_entries(entries: impl IntoIterator<Item = Entry>) -> Self {
        let mut catalogue = Self::default();
        for entry in entries {
            catalogue.by_uuid.insert(entry.uuid, Arc::new(entry));
        }
        let mut rows: Vec<Row> = catalogue.by_uuid.values().cloned().map(Row::new).collect();
        rows.sort_unstable_by_key(Row::key);
        for row in &rows {
            let origin = row.entry.origin();
            catalogue
                .dependents
                .extend(origin.map(|origin| (origin, row.entry.uuid)));
        }
        // Half full, so that the next changes need not split.
        for rows in rows.chunks(MAXIMUM_ROWS / 2) {
            catalogue.chunks.push(Arc::new(Chunk { rows: rows.to_vec() }));
        }
        catalogue
    }

    /// The snapshot with an image added, or in place of the one of its name.
    #[must_use]
    pub fn with(&self, entry: Entry) -> Self {
        let entry = Arc::new(entry);
        let mut new = self.without(entry.uuid);
        if let Some(origin) = entry.origin() {
            new.dependents.insert((origin, entry.uuid));
        }
        new.by_uuid.insert(entry.uuid, Arc::clone(&entry));
        new.insert_row(Row::new(entry));
        new
    }

    /// The snapshot without an image; the same if there is none.
    #[must_use]
    pub fn without(&self, uuid: Uuid) -> Self {
        let mut new = self.clone();
        if let Some(entry) = new.by_uuid.remove(&uuid) {
            if let Some(origin) = entry.origin() {
                new.dependents.remove(&(origin, uuid));
            }
            new.remove_row((entry.published, uuid));
        }
        new
    }

    /// Index of the chunk a key belongs to; that of the last chunk for keys beyond it.
    fn chunk_of(&self, key: Key) -> usize {
        let index = self.chunks.partition_point(|chunk| chunk.last() < key);
        index.min(self.chunks.len().saturating_sub(1))
    }

    fn insert_row(&mut self, row: Row) {
        if self.chunks.is_empty() {
            self.chunks.push(Arc::new(Chunk { rows: vec![row] }));
            return;
        }
        let index = self.chunk_of(row.key());
        let mut rows = self.chunks[index].rows.clone();
        let at = rows.partition_point(|other| other.key() < row.key());
        rows.insert(at, row);
        if rows.len() > MAXIMUM_ROWS {
            // What is published is mostly the newest: then the full chunk stays full.
            let is_newest = index + 1 == self.chunks.len() && at + 1 == rows.len();
            let half = if is_newest { MAXIMUM_ROWS } else { MAXIMUM_ROWS / 2 };
            let rest = rows.split_off(half);
            self.chunks.insert(index + 1, Arc::new(Chunk { rows: rest }));
        }
        self.chunks[index] = Arc::new(Chunk { rows });
    }

    fn remove_row(&mut self, key: Key) {
        if self.chunks.is_empty() {
            return;
        }
        let index = self.chunk_of(key);
        let mut rows = self.chunks[index].rows.clone();
        rows.retain(|row| row.key() != key);
        if rows.is_empty() {
            self.chunks.remove(index);
        } else {
            self.chunks[index] = Arc::new(Chunk { rows });
        }
    }
}
