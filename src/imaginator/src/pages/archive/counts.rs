//! `/showBuildLogArchive`: how many builds of each stream, and of each requester, went well and badly.

use std::sync::Arc;

use super::shown_requester;
use crate::pages::context::Context;
use crate::pages::links;
use actix_web::HttpResponse;
use actors::log_archive::{ArchiveListing, ArchivedBuild};
use front::page::{Cell, Column, Output, Page, Query, Table, empty, escape};

/// The page; `table=requestors` with another form gives the second table.
pub(in crate::pages) fn page(context: &Context<'_>) -> HttpResponse {
    let Some(archive) = &context.shared.archive else {
        return off(context);
    };
    let listing = archive.listing();
    let page = Page::new(context.site, "build log archive")
        .crumb("/showBuildLogArchive", "archive")
        .command("curl 'http://HOST:PORT/showAllBuilds?output=text'");
    let query = Query::new(context.query);
    if query.output() != Output::Html {
        let table = match query.is("table", "requestors") {
            true => by_requester(&listing),
            false => by_stream(&listing),
        };
        return table.respond(context.query, page);
    }
    let body = format!(
        "{}{}<h2>Streams</h2>{}{}<h2>Who asked</h2>{}{}",
        super::search::form("", "", false),
        room(&listing),
        by_stream(&listing).html(),
        Table::alternatives("table=streams"),
        by_requester(&listing).html(),
        Table::alternatives("table=requestors"),
    );
    page.body(body).respond()
}

/// The answer where no logs are kept (`imaginator-web.md §3`).
pub(super) fn off(context: &Context<'_>) -> HttpResponse {
    context.not_found(
        "no build logs are kept",
        "The archive of build logs is off.",
        "Turn it on: <code>-buildLogDir</code> and <code>-buildLogQuota</code> of more than 1 MiB.",
    )
}

fn room(listing: &ArchiveListing) -> String {
    let problem = listing.last_error.as_ref().map(|error| {
        format!(
            "<section class=\"problem\"><p><strong>{}</strong></p></section>",
            escape(error)
        )
    });
    format!(
        "{}<p>{} builds, {} of {}: when that is full, the oldest go.</p>",
        problem.unwrap_or_default(),
        listing.builds.len(),
        front::page::size(listing.bytes),
        front::page::size(listing.quota_bytes)
    )
}

struct Counted<'a> {
    name: &'a str,
    shown: &'a str,
    all: usize,
    good: usize,
}

fn counted<'a>(name: &'a str, shown: &'a str, builds: &[Arc<ArchivedBuild>]) -> Counted<'a> {
    Counted {
        name,
        shown,
        all: builds.len(),
        good: builds.iter().filter(|build| build.is_good()).count(),
    }
}

fn by_stream(listing: &ArchiveListing) -> Table {
    let rows = listing.by_stream.iter();
    let rows = rows
        .map(|(stream, builds)| counted(stream, stream, builds))
        .collect();
    let mut table = table("Image Stream", rows, |row, which| {
        links::of_name(&format!("showStream{which}Builds"), row.name)
    });
    if !table.is_empty() {
        let total = counted("", "TOTAL", &listing.builds);
        push(&mut table, &total, Cell::text("TOTAL"), |_, which| {
            format!("/show{which}Builds")
        });
    }
    table
}

fn by_requester(listing: &ArchiveListing) -> Table {
    let rows = listing.by_requester.iter();
    let rows = rows
        .map(|(requester, builds)| counted(requester, shown_requester(requester), builds))
        .collect();
    table("Username", rows, |row, which| {
        links::of_name(&format!("showRequestor{which}Builds"), row.shown)
    })
}

/// Most builds first, then by name.
fn table(heading: &str, mut rows: Vec<Counted<'_>>, link: impl Fn(&Counted<'_>, &str) -> String) -> Table {
    let mut table = Table::new([
        Column::text(heading),
        Column::number("Num Builds"),
        Column::number("Num Good"),
        Column::number("Num Bad"),
    ])
    .when_empty(empty("No build has ended yet.", ""));
    rows.sort_by(|left, right| right.all.cmp(&left.all).then_with(|| left.name.cmp(right.name)));
    for row in rows {
        let first = match heading {
            "Image Stream" => Cell::link(links::stream(row.name), row.shown),
            _ => Cell::text(row.shown),
        };
        push(&mut table, &row, first, &link);
    }
    table
}

fn push(table: &mut Table, row: &Counted<'_>, first: Cell, link: impl Fn(&Counted<'_>, &str) -> String) {
    let count = |count: usize, which: &str| match count {
        0 => Cell::count(0),
        count => {
            let html = format!("<a href=\"{}\">{count}</a>", escape(&link(row, which)));
            Cell::html(html, count.to_string()).ordered_by(count)
        }
    };
    table.push([
        first,
        count(row.all, "All"),
        count(row.good, "Good"),
        count(row.all - row.good, "Error"),
    ]);
}
