//! `/ui`: what is here, what is newest, what is being done, how the server is.

use actix_web::HttpResponse;
use front::page::{Page, Table, escape};
use front::status_tables;

use super::image_cells::{columns, row};
use super::viewer::Viewer;
use super::{channels, jobs, publisher};

/// Images shown as the newest.
const NEWEST_SHOWN: usize = 10;
/// Jobs shown.
const JOBS_SHOWN: usize = 5;

/// The page.
pub(super) fn page(viewer: &Viewer<'_>) -> HttpResponse {
    match body(viewer) {
        Ok(body) => Page::new(viewer.site, "image repository")
            .body(body)
            .command(format!("imgapi-cli --url {} list", viewer.api()))
            .respond(),
        Err(error) => viewer.refuse(&error),
    }
}

fn body(viewer: &Viewer<'_>) -> repository::Result<String> {
    let listed = viewer.images("")?;
    let bytes: u64 = listed
        .iter()
        .flat_map(|entry| entry.files())
        .map(|file| file.size)
        .sum();
    let mode = match viewer.settings.mode {
        repository::manifest::Mode::Public => "public",
        repository::manifest::Mode::Private => "private",
        repository::manifest::Mode::Datacenter => "dc",
    };
    let name = viewer.settings.server_name.as_deref().unwrap_or("unnamed");
    let mut html = format!(
        "<p><strong>{}</strong> {} in {}, mode {mode}, server {}.</p>",
        listed.len(),
        if listed.len() == 1 { "image" } else { "images" },
        human::bytes(bytes),
        escape(name)
    );
    if !viewer.settings.channels.is_empty() {
        html += "<h2><a href=\"/ui/channels\">Channels</a></h2>";
        html += &channels::table(viewer)?.html();
    }
    html += "<h2><a href=\"/ui/images\">Newest images</a></h2>";
    let mut newest = Table::new(columns()).when_empty(super::images::nothing(viewer));
    for entry in listed.iter().take(NEWEST_SHOWN) {
        newest.push(row(entry));
    }
    html += &newest.html();
    if viewer.is_operator() {
        for problem in viewer.state.problems() {
            html += &format!("<p class=\"warning\" role=\"alert\">{}</p>", escape(&problem));
        }
        html += &format!(
            "<h2><a href=\"/ui/jobs\">Jobs</a></h2><p>{} not over.</p>{}",
            jobs::unfinished(viewer),
            jobs::table(viewer, 0, JOBS_SHOWN).html(),
        );
        if let Some(running) = viewer.state.publisher() {
            html += "<h2><a href=\"/ui/publisher\">Publisher</a></h2>";
            html += &publisher::summary(&running.status());
        }
        html += &format!(
            "<h2>Actors</h2>{}",
            status_tables::actors(&viewer.state.healths()).html()
        );
    }
    html += "<h2>Process</h2>";
    html += &status_tables::process(viewer.site).html();
    Ok(html)
}
