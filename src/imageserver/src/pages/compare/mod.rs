//! `/compare?left=NAME&right=NAME`: how two images differ. Our own addition, like `/compareFile`.
//!
//! Packages, triggers that would fire, directories and files, biggest first; as HTML page by page, as text and JSON whole.

mod choose;
mod data;
pub(super) mod file;
mod html;
mod report;

use super::context::{Context, image_link};
use crate::state::Shared;
use actix_web::{HttpRequest, HttpResponse, web};
use actors::image_index::ImageEntry;
use front::page::{Output, Page, Query, shell_word};
use front::site::Site;
use report::Report;
use std::sync::Arc;

/// What is compared, and what of it is shown.
struct Asked {
    left: Arc<ImageEntry>,
    right: Arc<ImageEntry>,
    /// Only what is in or below this directory; empty for everything.
    below: Vec<u8>,
    /// Files as well of which nothing but the time differs.
    times: bool,
}

/// The page.
pub(super) async fn get(
    shared: web::Data<Shared>,
    site: web::Data<Site>,
    request: HttpRequest,
) -> HttpResponse {
    let context = Context::of(&shared, &site, &request);
    let (left, right) = match (context.image_of("left"), context.image_of("right")) {
        (Ok(left), Ok(right)) => (left, right),
        (left, right) => return choose::page(&context, left, right),
    };
    let Some(place) = shared.heavy_place().await else {
        return context.busy();
    };
    let mut images = Vec::with_capacity(2);
    for entry in [&left, &right] {
        match shared.images.image(&entry.name).await {
            Ok(Some(image)) => images.push(image),
            Ok(None) => return context.unknown_image(&entry.name),
            Err(error) => return context.failed(&error),
        }
    }
    let query = Query::new(context.query);
    let asked = Asked {
        left: Arc::clone(&left),
        right: Arc::clone(&right),
        below: query.bytes("below").unwrap_or_default(),
        times: query.is("times", "1"),
    };
    let output = query.output();
    let computed = place.run(move || {
        let [left, right] = &images[..] else { return None };
        let report = Report::of(left, right, &asked);
        let whole = match output {
            Output::Html => None,
            Output::Text => Some(("text/plain; charset=utf-8", data::text(&report))),
            Output::Json => Some(("application/json", data::json(&asked, &report))),
            Output::Csv => Some((
                "text/csv; charset=utf-8",
                html::files(&report.files, &asked).csv(),
            )),
        };
        Some((report, asked, whole))
    });
    match computed.await {
        Some(Some((_, _, Some((kind, body))))) => HttpResponse::Ok().content_type(kind).body(body),
        Some(Some((report, asked, None))) => {
            html::respond(&context, page(&context, &left.name, &right.name), &asked, &report)
        }
        _ => context.failed(&"the comparison was given up: ask again"),
    }
}

fn page<'r>(context: &Context<'r>, left: &str, right: &str) -> Page<'r> {
    context
        .page(format!("from {left} to {right}"))
        .crumb("/compare", "compare")
        .crumb(image_link(left), left)
        .crumb(image_link(right), right)
        .command(format!(
            "imagetool diff diff {} {}",
            shell_word(left),
            shell_word(right)
        ))
}
