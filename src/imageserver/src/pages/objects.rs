//! `/objects`: what is stored: how large objects are, which are shared most, which nobody needs. Our own addition.
//!
//! `table=sizes|shared|largest|unreferenced` with `output=` gives one of the tables whole to programs.

use super::context::Context;
use super::made::Made;
use crate::state::Shared;
use actix_web::{HttpRequest, HttpResponse, web};
use actors::object_store::{SizeClass, Survey, SurveyedObject};
use front::page::{Cell, Column, Output, Query, Table, empty};
use front::site::Site;
use hash::Hash;

/// Objects in each of the tables for people.
const SHOWN_MOST: usize = 50;

/// The page.
pub(super) async fn get(
    shared: web::Data<Shared>,
    site: web::Data<Site>,
    request: HttpRequest,
) -> HttpResponse {
    let context = Context::of(&shared, &site, &request);
    // Before the whole table is looked through, twice.
    let Some(place) = shared.heavy_place().await else {
        return context.busy();
    };
    let survey = match shared.objects.survey(SHOWN_MOST).await {
        Ok(survey) => survey,
        Err(error) => return context.failed(&error),
    };
    let nobodys = match shared.objects.unreferenced().await {
        Ok(nobodys) => nobodys,
        Err(error) => return context.failed(&error),
    };
    let query = context.query.to_owned();
    let (ours, its_site) = (Shared::clone(&shared), web::Data::clone(&site));
    let made = place.run(move || {
        let context = Context {
            shared: &ours,
            site: &its_site,
            query: &query,
        };
        Made::of(page(&context, &survey, &nobodys))
    });
    match made.await {
        Some(Some(made)) => made.respond(),
        _ => context.failed(&"the page was given up: ask again"),
    }
}

fn page(context: &Context<'_>, survey: &Survey, nobodys: &[(Hash, u64)]) -> HttpResponse {
    let is_html = Query::new(context.query).output() == Output::Html;
    let asked = context.value("table");
    let page = front::page::Page::new(context.site, "objects")
        .crumb("/objects", "objects")
        .command("imagetool showunrefobj");
    if !is_html {
        let table = match asked.as_str() {
            "shared" => shared_most(&survey.most_shared),
            "largest" => largest(&survey.largest),
            "unreferenced" => unreferenced(nobodys, usize::MAX),
            _ => sizes(&survey.sizes),
        };
        return table.respond(context.query, page);
    }
    let figures = context.shared.objects.statistics();
    let waiting: u64 = nobodys.iter().map(|(_, size)| size).sum();
    let body = format!(
        "<dl class=\"facts\"><dt>Stored</dt><dd>{} objects, {}</dd><dt>Would take without sharing</dt><dd>{} ({:.2} times)</dd>\
         <dt>Needed by no image</dt><dd>{} objects, {}; {} of them, {}, may go</dd></dl>\
         <h2>Sizes</h2>{}{}<h2>Sharing that saves most</h2>{}{}<h2>Largest</h2>{}{}\
         <h2>Needed by no image, those for the longest time first</h2>{}{}{}",
        figures.objects,
        front::page::size(figures.bytes),
        front::page::size(figures.references_bytes),
        figures.duplicate_factor(),
        figures.unreferenced_objects,
        front::page::size(figures.unreferenced_bytes),
        nobodys.len(),
        front::page::size(waiting),
        sizes(&survey.sizes).html(),
        alternatives("sizes"),
        shared_most(&survey.most_shared).html(),
        alternatives("shared"),
        largest(&survey.largest).html(),
        alternatives("largest"),
        unreferenced(nobodys, SHOWN_MOST).html(),
        if nobodys.len() > SHOWN_MOST {
            format!("<p>The first {SHOWN_MOST} of {}.</p>", nobodys.len())
        } else {
            String::new()
        },
        alternatives("unreferenced"),
    );
    page.body(body).respond()
}

fn alternatives(table: &str) -> String {
    Table::alternatives(&format!("table={table}"))
}

fn sizes(classes: &[SizeClass]) -> Table {
    let all: u64 = classes.iter().map(|class| class.bytes).sum();
    let mut table = Table::new([
        Column::number("Up to"),
        Column::number("Objects"),
        Column::number("Bytes"),
        Column::text("Share of bytes"),
    ])
    .when_empty(empty("There are no objects yet.", ""));
    for class in classes {
        let share = if all == 0 {
            0.0
        } else {
            class.bytes as f64 * 100.0 / all as f64
        };
        table.push([
            Cell::bytes(class.up_to_bytes),
            Cell::count(class.objects),
            Cell::bytes(class.bytes),
            Cell::html(
                format!("<span class=\"bar\" style=\"--share:{share:.1}%\">{share:.1}%</span>"),
                format!("{share:.1}"),
            ),
        ]);
    }
    table
}

fn object_cell(hash: &Hash) -> Cell {
    let whole = hash.to_string();
    let short: String = whole.chars().take(12).collect();
    Cell::html(
        format!("<a href=\"/object?{whole}\" title=\"{whole}\"><code>{short}…</code></a>"),
        whole,
    )
}

fn shared_most(objects: &[SurveyedObject]) -> Table {
    let mut table = Table::new([
        Column::text("Object"),
        Column::number("Size"),
        Column::number("Needed, times"),
        Column::number("Saved"),
    ])
    .when_empty(empty("No two files have the same content yet.", ""));
    for object in objects {
        table.push([
            object_cell(&object.hash),
            Cell::bytes(object.size),
            Cell::count(object.references),
            Cell::bytes(object.references.saturating_sub(1).saturating_mul(object.size)),
        ]);
    }
    table
}

fn largest(objects: &[SurveyedObject]) -> Table {
    let mut table = Table::new([
        Column::text("Object"),
        Column::number("Size"),
        Column::number("Needed, times"),
    ])
    .when_empty(empty("There are no objects yet.", ""));
    for object in objects {
        table.push([
            object_cell(&object.hash),
            Cell::bytes(object.size),
            Cell::count(object.references),
        ]);
    }
    table
}

fn unreferenced(objects: &[(Hash, u64)], most: usize) -> Table {
    let mut table = Table::new([Column::text("Object"), Column::number("Size")]).when_empty(empty(
        "Every object is needed by an image, or a client counts on it.",
        "",
    ));
    for (hash, size) in objects.iter().take(most) {
        table.push([object_cell(hash), Cell::bytes(*size)]);
    }
    table
}
