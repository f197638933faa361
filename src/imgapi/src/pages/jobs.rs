//! `/ui/jobs`: imports, copies and builds, newest first. For operators: a job's parameters are not everybody's.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use front::page::{Cell, Column, Page, Pager, Table, empty, problem};
use repository::json::to_text;

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
            Cell::link(format!("/jobs/{}", job.uuid), job.uuid.to_string()),
            Cell::text(job.kind.name()),
            Cell::link(format!("/ui/images/{}", job.image), job.image.to_string()),
            Cell::text(job.execution.word()),
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

/// How many are not over.
pub(super) fn unfinished(viewer: &Viewer<'_>) -> usize {
    let jobs = viewer.state.jobs().list();
    jobs.iter().filter(|job| !job.execution.is_over()).count()
}
