//! `/ui/jobs`: imports, copies and builds, newest first. For operators: a job's parameters are not everybody's.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use front::page::{Cell, Column, Page, Pager, Table, empty, escape, problem};
use repository::job::{Execution, Job};
use repository::json::to_text;

use super::image_cells;
use super::viewer::Viewer;

/// Rows on one page.
const ROWS_SHOWN: usize = 200;

/// The page.
pub(super) fn page(viewer: &Viewer<'_>) -> HttpResponse {
    if !viewer.is_operator() {
        return problem(
            viewer.site,
            StatusCode::FORBIDDEN,
            "jobs are not shown here",
            "This page does not know who asks, and jobs are their users' business.",
            "With a signature: <code>imgapi-cli jobs UUID</code>",
        );
    }
    let jobs = viewer.state.jobs().list();
    let pager = Pager::new(viewer.query, jobs.len(), ROWS_SHOWN);
    let shown = pager.shown();
    let table = table(viewer, shown.start, shown.len());
    let page = Page::new(viewer.site, "jobs")
        .crumb("/ui/jobs", "jobs")
        .command(format!("imgapi-cli --url {} jobs UUID", viewer.api()));
    table.respond_with(viewer.query, page, "", &pager.html())
}

/// Some of the jobs, newest first.
pub(super) fn table(viewer: &Viewer<'_>, from: usize, rows_most: usize) -> Table {
    let mut table = Table::new([
        Column::text("Job"),
        Column::text("What"),
        Column::text("Image"),
        Column::text("State"),
        Column::text("Asked for"),
        Column::number("Done"),
        Column::text("Outcome"),
    ])
    .when_empty(empty(
        "There have been no jobs.",
        "Imports and copies become jobs.",
    ));
    let jobs = viewer.state.jobs().list();
    for job in jobs.iter().rev().skip(from).take(rows_most) {
        let last = job.results.last();
        let error = last.and_then(|result| result.error.as_ref());
        let outcome = match error {
            Some(error) => error.get("message").map(to_text).unwrap_or_default(),
            None => last.map(|result| result.result.clone()).unwrap_or_default(),
        };
        let done = viewer.state.jobs().progress(job.uuid);
        table.push([
            name(job),
            Cell::word(job.kind.task()),
            image(viewer, job),
            state(job.execution),
            Cell::time(job.created_at.parse().ok()),
            done.map_or_else(Cell::empty, |done| match done.total_bytes {
                Some(total) if total > 0 => {
                    Cell::text(format!("{} %", done.done_bytes.saturating_mul(100) / total))
                }
                _ => Cell::bytes(done.done_bytes),
            }),
            Cell::text(outcome),
        ]);
    }
    table
}

/// Its name, shortened; programs get the whole.
fn name(job: &Job) -> Cell {
    let uuid = job.uuid.to_string();
    let short = uuid.split('-').next().unwrap_or_default();
    let html = format!("<a href=\"/jobs/{uuid}\" title=\"{uuid}\"><code class=\"word\">{short}…</code></a>");
    Cell::html(html, uuid)
}

/// The image by its name, as long as it is there; for programs always by its UUID.
fn image(viewer: &Viewer<'_>, job: &Job) -> Cell {
    let uuid = job.image.to_string();
    let html = match viewer.catalogue.get(job.image) {
        Some(entry) => format!(
            "<a href=\"{}\" title=\"{uuid}\">{} {}</a>",
            image_cells::path(entry),
            escape(image_cells::name(entry)),
            escape(entry.version())
        ),
        None => format!("<code>{uuid}</code>"),
    };
    Cell::html(html, uuid)
}

/// How it is, by word and shape.
fn state(execution: Execution) -> Cell {
    let (class, shape) = match execution {
        Execution::Queued => ("queued", "◷"),
        Execution::Running => ("building", "◌"),
        Execution::Succeeded => ("good", "●"),
        Execution::Failed => ("failed", "■"),
        Execution::Canceled => ("unknown", "○"),
    };
    image_cells::sign(class, shape, execution.word())
}

/// How many are not over.
pub(super) fn unfinished(viewer: &Viewer<'_>) -> usize {
    let jobs = viewer.state.jobs().list();
    jobs.iter().filter(|job| !job.execution.is_over()).count()
}
