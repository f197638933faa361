//! `/showAllBuilds` and its relatives: builds of the archive, of all, of a stream, of a requester; all, good or bad ones.

use std::sync::Arc;

use super::{NOBODY, counts, shown_requester};
use crate::pages::context::{Context, timestamp};
use crate::pages::links;
use actix_web::HttpResponse;
use actors::log_archive::ArchivedBuild;
use front::page::{Cell, Column, Page, Pager, Query, Table, empty};

/// Builds on a page for people; the other forms have all of them.
const BUILDS_MOST: usize = 2_000;

/// Which builds.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Which {
    All,
    Good,
    Error,
}

impl Which {
    fn word(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Good => "good",
            Self::Error => "bad",
        }
    }

    fn includes(self, build: &ArchivedBuild) -> bool {
        match self {
            Self::All => true,
            Self::Good => build.is_good(),
            Self::Error => !build.is_good(),
        }
    }
}

pub(in crate::pages) fn all(context: &Context<'_>) -> HttpResponse {
    of_everything(context, Which::All)
}

pub(in crate::pages) fn good(context: &Context<'_>) -> HttpResponse {
    of_everything(context, Which::Good)
}

pub(in crate::pages) fn error(context: &Context<'_>) -> HttpResponse {
    of_everything(context, Which::Error)
}

pub(in crate::pages) fn stream_all(context: &Context<'_>) -> HttpResponse {
    of_stream(context, Which::All)
}

pub(in crate::pages) fn stream_good(context: &Context<'_>) -> HttpResponse {
    of_stream(context, Which::Good)
}

pub(in crate::pages) fn stream_error(context: &Context<'_>) -> HttpResponse {
    of_stream(context, Which::Error)
}

pub(in crate::pages) fn requestor_all(context: &Context<'_>) -> HttpResponse {
    of_requester(context, Which::All)
}

pub(in crate::pages) fn requestor_good(context: &Context<'_>) -> HttpResponse {
    of_requester(context, Which::Good)
}

pub(in crate::pages) fn requestor_error(context: &Context<'_>) -> HttpResponse {
    of_requester(context, Which::Error)
}

fn of_everything(context: &Context<'_>, which: Which) -> HttpResponse {
    let Some(archive) = &context.shared.archive else {
        return counts::off(context);
    };
    respond(context, which, "", &archive.listing().builds, context.query)
}

fn of_stream(context: &Context<'_>, which: Which) -> HttpResponse {
    let Some(archive) = &context.shared.archive else {
        return counts::off(context);
    };
    let listing = archive.listing();
    let stream = context.name(|name| listing.by_stream.contains_key(name));
    let Some(builds) = listing.by_stream.get(&stream) else {
        let why = format!("No build of {stream} is in the archive.");
        return context.not_found(
            "no such builds",
            &why,
            "<a href=\"/showBuildLogArchive\">the archive</a>",
        );
    };
    let mut builds = builds.clone();
    builds.sort_by(|left, right| left.name.cmp(&right.name));
    respond(context, which, &stream, &builds, &form_of(context.query, &stream))
}

fn of_requester(context: &Context<'_>, which: Which) -> HttpResponse {
    let Some(archive) = &context.shared.archive else {
        return counts::off(context);
    };
    let listing = archive.listing();
    let requester = context.name(|name| listing.by_requester.contains_key(name));
    let key = if requester == NOBODY { "" } else { &requester };
    // Somebody may have that very name.
    let builds = listing
        .by_requester
        .get(key)
        .or_else(|| listing.by_requester.get(&requester));
    let Some(builds) = builds else {
        let why = format!("No build that {requester} asked for is in the archive.");
        return context.not_found(
            "no such builds",
            &why,
            "<a href=\"/showBuildLogArchive\">the archive</a>",
        );
    };
    respond(
        context,
        which,
        &requester,
        builds,
        &form_of(context.query, &requester),
    )
}

/// The query of a page of a name, with the name as one word and what else is asked for behind it.
fn form_of(query: &str, name: &str) -> String {
    let parsed = Query::new(query);
    let mut form = front::page::encode(name);
    for parameter in ["output", "page"] {
        if let Some(value) = parsed.get(parameter) {
            form += &format!("&{parameter}={}", front::page::encode(value.as_bytes()));
        }
    }
    form
}

fn respond(
    context: &Context<'_>,
    which: Which,
    of: &str,
    builds: &[Arc<ArchivedBuild>],
    query: &str,
) -> HttpResponse {
    let chosen: Vec<&Arc<ArchivedBuild>> = builds.iter().filter(|build| which.includes(build)).collect();
    let mut columns = vec![
        Column::text("Image Name"),
        Column::text("Build log"),
        Column::number("Duration"),
    ];
    if which != Which::Good {
        columns.push(Column::text("Error"));
    }
    columns.extend([
        Column::text("Ended"),
        Column::text("Asked by"),
        Column::text("Why"),
    ]);
    let mut table = Table::new(columns).text_columns([0]).when_empty(empty(
        "There are no such builds.",
        "<a href=\"/showBuildLogArchive\">the archive</a>",
    ));
    let pager = Pager::new(query, chosen.len(), BUILDS_MOST);
    for build in chosen.get(pager.shown()).unwrap_or_default() {
        table.push(row(context, which, build));
    }
    let title = format!("build log archive ({})", which.word());
    let mut page = Page::new(context.site, title).crumb("/showBuildLogArchive", "archive");
    let mut before = String::new();
    if !of.is_empty() {
        page = page.crumb(format!("?{}", front::page::encode(of)), of);
        before = format!("<p>Of {}.</p>", front::page::escape(of));
    }
    table.respond_with(query, page, &before, &pager.html())
}

fn row(context: &Context<'_>, which: Which, build: &ArchivedBuild) -> Vec<Cell> {
    let server = &context.shared.options.presentation_image_server;
    let name = if build.is_good() {
        Cell::html(
            links::anchor(&links::image(server, &build.name), &build.name),
            build.name.clone(),
        )
    } else {
        Cell::text(build.name.clone())
    };
    let log = format!(
        "{} {}",
        links::anchor(&links::of_name("showBuildLog", &build.name), "log"),
        links::anchor(&links::archived(&build.name), "page")
    );
    let mut row = vec![
        name,
        Cell::html(log, links::of_name("showBuildLog", &build.name)),
        Cell::duration(build.duration),
    ];
    if which != Which::Good {
        row.push(Cell::text(build.error.clone()));
    }
    row.extend([
        Cell::time(timestamp(build.finished_at)),
        Cell::text(shown_requester(&build.requester)),
        Cell::text(build.why.clone()),
    ]);
    row
}
