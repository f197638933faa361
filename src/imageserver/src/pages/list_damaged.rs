//! `/listDamaged`: what is damaged, what that affects, and what to do. Our own addition.

use super::context::{Context, encode};
use crate::state::Shared;
use actix_web::{HttpRequest, HttpResponse, web};
use actors::image_index::{DamageReport, DamagedImage, DamagedObject};
use askama::Template;
use front::page::{Cell, Column, Output, Page, Query, Table};
use front::site::Site;

/// Affected images that are named beside an object; how many there are is said.
const AFFECTED_SHOWN: usize = 5;

#[derive(Template)]
#[template(path = "list_damaged.html")]
struct Body<'a> {
    report: &'a DamageReport,
    images: String,
    objects: String,
    alternatives: String,
}

/// The page.
pub(super) async fn get(
    shared: web::Data<Shared>,
    site: web::Data<Site>,
    request: HttpRequest,
) -> HttpResponse {
    let context = Context::of(&shared, &site, &request);
    let report = match shared.images.damage().await {
        Ok(report) => report,
        Err(error) => return context.failed(&error),
    };
    let all = table(&report);
    if Query::new(context.query).output() != Output::Html {
        return all.respond(context.query, Page::new(context.site, "damage"));
    }
    let body = Body {
        images: images(&report.images).html(),
        objects: objects(&report.objects).html(),
        alternatives: Table::alternatives(context.query),
        report: &report,
    };
    match body.render() {
        Ok(body) => context
            .page("damage")
            .command("imagetool list-damaged")
            .body(body)
            .respond(),
        Err(error) => context.failed(&error),
    }
}

fn images(images: &[DamagedImage]) -> Table {
    let mut table = Table::new([
        Column::text("Image, and its file"),
        Column::text("What is wrong"),
        Column::text("Known since"),
        Column::text("What to do"),
    ]);
    for image in images {
        table.push([
            link(&image.name),
            Cell::text(image.cause.clone()),
            Cell::time(crate::time::timestamp(image.since)),
            Cell::text(image.remedy.clone()),
        ]);
    }
    table
}

fn objects(objects: &[DamagedObject]) -> Table {
    let mut table = Table::new([
        Column::text("Object"),
        Column::text("What is wrong"),
        Column::text("Known since"),
        Column::number("Images affected"),
        Column::text("The first of them"),
        Column::text("What to do"),
    ]);
    for object in objects {
        table.push([
            Cell::hash(object.hash.to_string()),
            Cell::text(object.cause.clone()),
            Cell::time(crate::time::timestamp(object.since)),
            Cell::count(object.affected_images),
            Cell::text(affected(object, AFFECTED_SHOWN)),
            Cell::text(object.remedy.clone()),
        ]);
    }
    table
}

/// Both kinds in one, for machines.
fn table(report: &DamageReport) -> Table {
    let mut table = Table::new(
        [
            "Kind",
            "Name",
            "File",
            "Cause",
            "KnownSince",
            "AffectedImages",
            "ImageNames",
            "Remedy",
        ]
        .map(Column::text),
    )
    .text_columns([0, 1, 3]);
    for image in &report.images {
        table.push([
            Cell::text("image"),
            Cell::text(image.name.to_string()),
            Cell::text(image.name.to_string()),
            Cell::text(image.cause.clone()),
            Cell::time(crate::time::timestamp(image.since)),
            Cell::count(1),
            Cell::text(image.name.to_string()),
            Cell::text(image.remedy.clone()),
        ]);
    }
    for object in &report.objects {
        table.push([
            Cell::text("object"),
            Cell::text(object.hash.to_string()),
            Cell::text(object.file.clone()),
            Cell::text(object.cause.clone()),
            Cell::time(crate::time::timestamp(object.since)),
            Cell::count(object.affected_images),
            Cell::text(affected(object, usize::MAX)),
            Cell::text(object.remedy.clone()),
        ]);
    }
    table
}

fn link(name: &str) -> Cell {
    Cell::link(format!("/showImage?{}", encode(name)), name)
}

fn affected(object: &DamagedObject, most: usize) -> String {
    let names: Vec<&str> = object.images.iter().take(most).map(|name| &**name).collect();
    names.join(", ")
}
