//! The part of the status page that says when everything was read again, and what came of it.

use std::time::SystemTime;

use actors::{ScrubPass, ScrubStatus};
use front::page::{Cell, Column, Table, escape};

/// The pass under way and the last one; nothing before the first.
pub(super) fn table(status: &ScrubStatus) -> Option<Table> {
    if status.running.is_none() && status.last.is_none() {
        return None;
    }
    let mut table = Table::new([
        Column::text("State"),
        Column::text("Began"),
        Column::text("Ended"),
        Column::text("Read"),
        Column::number("Images damaged"),
        Column::number("repaired"),
        Column::number("left"),
        Column::number("Objects damaged"),
        Column::number("repaired"),
        Column::number("left"),
        Column::number("Not read"),
    ]);
    for pass in [&status.running, &status.last].into_iter().flatten() {
        table.push([
            Cell::text(state(pass)),
            Cell::time(crate::time::moment(pass.started_at)),
            Cell::time(crate::time::moment(pass.finished_at)),
            Cell::text(read(pass)),
            Cell::count(pass.damaged_images),
            Cell::count(pass.repaired_images),
            Cell::count(pass.unrepaired_images),
            Cell::count(pass.damaged_objects),
            Cell::count(pass.repaired_objects),
            Cell::count(pass.unrepaired_objects),
            Cell::count(pass.unchecked),
        ]);
    }
    Some(table)
}

/// When it was done last and is done next, and where repairs come from, as HTML.
pub(super) fn line(status: &ScrubStatus) -> String {
    let at = |at: Option<SystemTime>| crate::time::moment(at).map_or("never".to_owned(), front::page::time);
    let sources = if status.sources.is_empty() {
        "Repairs come from nowhere: see <code>-repairFrom</code>.".to_owned()
    } else {
        format!("Repairs come from {}.", escape(&status.sources.join(", ")))
    };
    format!(
        "Everything that is stored is read again from time to time, and compared with its name. Last done: {}, next: {}. {sources}",
        at(status.last_finished_at),
        at(status.next_at),
    )
}

fn state(pass: &ScrubPass) -> String {
    match (&pass.failure, pass.finished_at) {
        (Some(cause), _) => format!("broken off: {cause}"),
        (None, None) => format!("{:.0}% done", pass.progress() * 100.0),
        (None, Some(_)) if pass.is_clean() => "in order".to_owned(),
        (None, Some(_)) => "damage is left".to_owned(),
    }
}

fn read(pass: &ScrubPass) -> String {
    format!(
        "{} of {} images, {} of {} objects ({})",
        pass.images_checked,
        pass.images_total,
        pass.objects_checked,
        pass.objects_total,
        human::bytes(pass.bytes_checked),
    )
}
