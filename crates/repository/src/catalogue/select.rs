//! Filtered pages.

use crate::catalogue::chunk::{Key, Row};
use crate::catalogue::matcher::Matcher;
use crate::catalogue::{Catalogue, Entry};
use crate::dates::Published;
use crate::error::{ApiError, Result};
use crate::list::{ListQuery, Marker, Order};
use crate::uuid::Uuid;
use std::sync::Arc;

impl Catalogue {
    /// The images that are asked for: in order, from the marker on, as many as the limit. The order is total
    /// (`published_at`, `uuid`) and a marker that is an image begins with that image, so that pages of any length show
    /// each image once.
    ///
    /// # Errors
    /// The marker is an image there is not.
    pub fn select(&self, query: &ListQuery) -> Result<Vec<Arc<Entry>>> {
        let from = self.from(query)?;
        let matcher = Matcher::new(query);
        if matcher.is_nothing() {
            return Ok(Vec::new());
        }
        let found: Vec<Arc<Entry>> = match query.order {
            Order::Ascending => self.page(self.rows_from(from), &matcher, query.limit),
            Order::Descending => self.page(self.rows_back_from(from), &matcher, query.limit),
        };
        Ok(found)
    }

    fn page<'a>(
        &self,
        rows: impl Iterator<Item = &'a Row>,
        matcher: &Matcher<'_>,
        limit: usize,
    ) -> Vec<Arc<Entry>> {
        let found = rows.filter(|row| matcher.matches(row)).take(limit);
        found.map(|row| Arc::clone(&row.entry)).collect()
    }

    /// The key to begin with; for dates the first or last there can be.
    fn from(&self, query: &ListQuery) -> Result<Option<Key>> {
        let last_uuid = Uuid::LAST;
        match query.marker {
            None => Ok(None),
            Some(Marker::Date(date)) => match query.order {
                Order::Ascending => Ok(Some((date, Uuid::NIL))),
                Order::Descending => Ok(Some((date, last_uuid))),
            },
            Some(Marker::Image(uuid)) => {
                let entry = self.get(uuid).ok_or_else(|| ApiError::image_not_found(uuid))?;
                // Without a date of publication it has no effect.
                Ok((entry.published > Published::NEVER).then_some((entry.published, uuid)))
            }
        }
    }

    fn rows_from(&self, from: Option<Key>) -> impl Iterator<Item = &Row> {
        let key = from.unwrap_or_default();
        let index = self.chunks.partition_point(|chunk| chunk.last() < key);
        let skipped = self
            .chunks
            .get(index)
            .map_or(0, |chunk| chunk.rows.partition_point(|row| row.key() < key));
        self.chunks[index..]
            .iter()
            .flat_map(|chunk| chunk.rows.iter())
            .skip(skipped)
    }

    fn rows_back_from(&self, from: Option<Key>) -> impl Iterator<Item = &Row> {
        let end = match from {
            None => self.chunks.len(),
            Some(key) => {
                let index = self.chunks.partition_point(|chunk| chunk.last() <= key);
                (index + 1).min(self.chunks.len())
            }
        };
        let rows = self.chunks[..end]
            .iter()
            .rev()
            .flat_map(|chunk| chunk.rows.iter().rev());
        rows.skip_while(move |row| from.is_some_and(|key| row.key() > key))
    }
}
