//! `/object?HEX`: one object and the images that hold it. Our own addition.

use super::context::{Context, image_link};
use crate::state::Shared;
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use front::page::{Cell, Column, Query, Table, empty, problem};
use front::site::Site;
use hash::Hash;

/// Images that are named.
const HOLDERS_MOST: usize = 1000;

/// The page.
pub(super) async fn get(
    shared: web::Data<Shared>,
    site: web::Data<Site>,
    request: HttpRequest,
) -> HttpResponse {
    let context = Context::of(&shared, &site, &request);
    let named = Query::new(context.query).raw_name();
    let hash: Hash = match named.parse() {
        Ok(hash) => hash,
        Err(error) => {
            let error = format!("{error}: {named}");
            return problem(&site, StatusCode::BAD_REQUEST, "no name of an object", &error, "");
        }
    };
    let size = shared.objects.sizes(&[hash], None).first().copied().unwrap_or(0);
    let snapshot = shared.images.snapshot();
    let Some(holders) = shared
        .heavy_page(move || snapshot.holders(&hash, HOLDERS_MOST))
        .await
    else {
        return context.failed(&"given up: ask again");
    };
    if size == 0 && holders.images == 0 {
        let error = format!("There is no object {hash} here.");
        return problem(&site, StatusCode::NOT_FOUND, "unknown object", &error, "");
    }
    let mut table = Table::new([Column::text("Image")]).when_empty(empty(
        "No image needs it.",
        "It goes when space is needed: <code>imagetool delunrefobj</code>",
    ));
    for name in &holders.names {
        table.push([Cell::link(image_link(name), name.to_string())]);
    }
    let content = match (size, shared.options.allow_unauthenticated_reads) {
        (0, _) => "<a href=\"/listDamaged\">damaged or missing</a>".to_owned(),
        (_, true) => format!("<a href=\"/getObject?{hash}\">as it is</a>"),
        (_, false) => "shown to nobody without a certificate".to_owned(),
    };
    let least = if holders.is_cut { " at least" } else { "" };
    let before = format!(
        "<dl class=\"facts\"><dt>Name</dt><dd><code>{hash}</code></dd><dt>Size</dt><dd>{}</dd><dt>Content</dt><dd>{content}</dd>\
         <dt>Needed by</dt><dd>{}{least} images{}</dd></dl><h2>Images with it</h2>",
        front::page::size(size),
        holders.images,
        if holders.images > holders.names.len() as u64 {
            format!(", the first {HOLDERS_MOST} are below")
        } else {
            String::new()
        }
    );
    let page = front::page::Page::new(context.site, "object")
        .crumb("/objects", "objects")
        .command(format!("curl -O 'http://HOST:PORT/getObject?{hash}'"));
    table.respond_with(context.query, page, &before, "")
}
