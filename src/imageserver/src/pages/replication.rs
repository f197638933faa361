//! The part of the status page that says how far behind its master a replica is.

use actors::ReplicationStatus;
use front::page::{Cell, Column, Table};

/// The link to the master.
pub(super) struct Replication {
    /// `HOST:PORT`.
    pub(super) master: String,
    /// State, lag, counts and the last error, as HTML.
    pub(super) table: String,
}

impl Replication {
    pub(super) fn of(status: &ReplicationStatus) -> Self {
        let mut table = Table::new([
            Column::text("State"),
            Column::text("Connected"),
            Column::text("Last event"),
            Column::number("Images behind"),
            Column::number("Bytes behind"),
            Column::number("Images announced and not here"),
            Column::number("Deletions held back"),
            Column::number("Reconnects"),
            Column::number("Images added"),
            Column::number("Images deleted"),
            Column::number("Objects fetched"),
            Column::text("Bytes fetched"),
            Column::text("Last error"),
        ]);
        table.push([
            Cell::text(status.state.text()),
            Cell::time(crate::time::moment(status.connected_at)),
            Cell::time(crate::time::moment(status.last_event_at)),
            Cell::count(status.images_behind),
            Cell::count(status.bytes_behind),
            Cell::count(status.unfetched_images),
            Cell::count(status.held_back),
            Cell::count(status.reconnects),
            Cell::count(status.images_added),
            Cell::count(status.images_deleted),
            Cell::count(status.objects_fetched),
            Cell::text(human::bytes(status.bytes_fetched)),
            Cell::text(status.last_error.clone().unwrap_or_default()),
        ]);
        Self {
            master: status.upstream.clone(),
            table: table.html(),
        }
    }
}
