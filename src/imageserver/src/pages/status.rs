//! `/`: is it healthy, what does it hold, what is it doing.

use std::sync::Arc;
use std::time::Duration;

use super::directories::created;
use super::image_cells::{ImageRow, columns};
use super::replication::Replication;
use super::scrub;
use crate::figures_over_time;
use crate::state::{GET_OBJECTS_SLOTS, Shared};
use actix_web::{HttpResponse, web};
use actors::image_index::ImageEntry;
use actors::object_store::ObjectStatistics;
use actors::{IndexSnapshot, StartReport};
use askama::Template;
use front::page::{Page, Table, empty};
use front::site::Site;
use front::status_tables;
use srpc::Server;
use srpc::server::statistics::ServerStatistics;

/// Images that are shown as the newest.
const NEWEST_SHOWN: usize = 5;
/// Log lines that are shown; all that are in memory are a link away.
const LOG_LINES_SHOWN: usize = 100;

#[derive(Template)]
#[template(path = "status.html")]
struct Body {
    images: usize,
    directories: usize,
    /// What is damaged, in words; empty if nothing is.
    damaged: String,
    replication_clients: usize,
    /// The images made last, as a table.
    newest: String,
    /// Bytes stored, bytes they stand for, and how many times that is.
    stored: String,
    represented: String,
    factor: String,
    /// When the file system will be full.
    forecast: String,
    replication: Option<Replication>,
    scrub: String,
    scrub_line: String,
    archive_mode: bool,
    objects: ObjectStatistics,
    objects_line: String,
    referenced_line: String,
    unreferenced_line: String,
    full_percent: u64,
    free: String,
    start_line: String,
    slots: usize,
    slots_max: usize,
    transport: ServerStatistics,
    calls: String,
    actors: String,
    process: String,
    log: Vec<String>,
}

/// The page.
pub(super) async fn get(
    shared: web::Data<Shared>,
    site: web::Data<Site>,
    server: web::Data<Server>,
) -> HttpResponse {
    match body(&shared, &site, &server).render() {
        Ok(body) => Page::new(&site, "imageserver status page")
            .command("imagetool list")
            .body(body)
            .respond(),
        Err(error) => HttpResponse::InternalServerError().body(format!("cannot make the page: {error}\n")),
    }
}

fn body(shared: &Shared, site: &Site, server: &Server) -> Body {
    let snapshot = shared.images.snapshot();
    let (damaged_images, damaged_objects) = shared.damage_counts();
    let objects = shared.objects.statistics();
    let scrubbing = shared.scrubber.status();
    let transport = server.statistics();
    let lines = site.logs().recent();
    let first = lines.len().saturating_sub(LOG_LINES_SHOWN);
    Body {
        images: snapshot.images.len(),
        directories: snapshot.directories.len(),
        damaged: damaged(damaged_images, damaged_objects),
        replication_clients: shared.followers.count(),
        newest: newest(&snapshot),
        stored: human::bytes(objects.bytes),
        represented: human::bytes(objects.references_bytes),
        factor: format!("{:.2}", objects.duplicate_factor()),
        forecast: site
            .history()
            .map(|history| figures_over_time::forecast(history, objects.space.free_bytes))
            .unwrap_or_default(),
        scrub: scrub::table(&scrubbing)
            .map(|table| table.html())
            .unwrap_or_default(),
        scrub_line: scrub::line(&scrubbing),
        replication: shared
            .replicator
            .as_ref()
            .map(|replicator| Replication::of(&replicator.status())),
        archive_mode: shared.options.archive_mode,
        objects_line: objects_line(&objects),
        referenced_line: referenced_line(&objects),
        unreferenced_line: unreferenced_line(&objects),
        full_percent: objects.space.utilisation_percent(),
        free: human::bytes(objects.space.free_bytes),
        objects,
        start_line: start_line(&shared.start),
        slots: shared.get_objects_running(),
        slots_max: GET_OBJECTS_SLOTS,
        calls: status_tables::calls(&transport).html(),
        transport,
        process: status_tables::process(site).html(),
        actors: status_tables::actors(&shared.healths()).html(),
        log: lines
            .iter()
            .skip(first)
            .map(|line| line.full().to_owned())
            .collect(),
    }
}

/// The images made last. One pass over all of them, without sorting.
fn newest(snapshot: &IndexSnapshot) -> String {
    let mut newest: Vec<&Arc<ImageEntry>> = Vec::with_capacity(NEWEST_SHOWN + 1);
    for entry in snapshot.images.values() {
        let place = newest.partition_point(|known| created(known) >= created(entry));
        if place < NEWEST_SHOWN {
            newest.insert(place, entry);
            newest.truncate(NEWEST_SHOWN);
        }
    }
    let mut table = Table::new(columns(false)).when_empty(empty(
        "There are no images yet.",
        "Add one: <code>imagetool mkdir base</code>, <code>imagetool add base/1 IMAGEFILE FILTERFILE TRIGGERFILE</code>",
    ));
    for entry in newest {
        table.push(ImageRow { entry, before: None }.cells());
    }
    table.html()
}

fn damaged(images: usize, objects: usize) -> String {
    let count = |count: usize, what: &str| match count {
        1 => format!("1 {what}"),
        count => format!("{count} {what}s"),
    };
    match (images, objects) {
        (0, 0) => String::new(),
        (1, 0) => "1 image is damaged".to_owned(),
        (images, 0) => format!("{} are damaged", count(images, "image")),
        (0, 1) => "1 object is damaged".to_owned(),
        (0, objects) => format!("{} are damaged", count(objects, "object")),
        (images, objects) => format!(
            "{} and {} are damaged",
            count(images, "image"),
            count(objects, "object")
        ),
    }
}

fn objects_line(objects: &ObjectStatistics) -> String {
    format!(
        "Number of objects: {}, consuming {} ({}% of {} FS which is {}% full)",
        objects.objects,
        human::bytes(objects.bytes),
        percent(objects.bytes, objects.space.capacity_bytes),
        human::bytes(objects.space.capacity_bytes),
        objects.space.utilisation_percent(),
    )
}

fn referenced_line(objects: &ObjectStatistics) -> String {
    format!(
        "Number of referenced objects: {} ({} references, {:.2}* de-duplication), consuming {} ({}% of FS); {} without sharing",
        objects.referenced_objects,
        objects.references,
        objects.duplicate_factor(),
        human::bytes(objects.referenced_bytes),
        percent(objects.referenced_bytes, objects.space.capacity_bytes),
        human::bytes(objects.references_bytes),
    )
}

fn unreferenced_line(objects: &ObjectStatistics) -> String {
    format!(
        "Number of unreferenced objects: {} ({}%), consuming {} ({}% of FS)",
        objects.unreferenced_objects,
        percent(objects.unreferenced_objects, objects.objects),
        human::bytes(objects.unreferenced_bytes),
        percent(objects.unreferenced_bytes, objects.space.capacity_bytes),
    )
}

fn start_line(start: &StartReport) -> String {
    format!(
        "Loaded in {}: {} images from the index and {} from their files, {} objects from the index and {} from their directories",
        human::go_duration(Duration::from_millis(
            u64::try_from(start.took.as_millis()).unwrap_or(u64::MAX)
        )),
        start.images_from_index,
        start.images_decoded,
        start.objects_from_index,
        start.objects_scanned,
    )
}

/// One decimal; nothing of nothing is nothing.
fn percent(part: u64, whole: u64) -> String {
    let share = if whole == 0 {
        0.0
    } else {
        part as f64 * 100.0 / whole as f64
    };
    format!("{share:.1}")
}
