//! `/listBuildLog?NAME` and `/listReleaseNotes?NAME`: the texts attached to an image.

use super::context::{Context, preformatted};
use super::object;
use crate::state::Shared;
use actix_web::{HttpRequest, HttpResponse, web};
use front::page::escape;
use front::site::Site;
use image::{Annotation, Image};

/// Bytes of a text that are shown; the rest is for `imagetool`.
const SHOWN_BYTES_MAX: u64 = 4 << 20;

/// The build log.
pub(super) async fn build_log(
    shared: web::Data<Shared>,
    site: web::Data<Site>,
    request: HttpRequest,
) -> HttpResponse {
    let context = Context::of(&shared, &site, &request);
    page(&context, "build log", |metadata| metadata.build_log.as_ref()).await
}

/// The release notes.
pub(super) async fn release_notes(
    shared: web::Data<Shared>,
    site: web::Data<Site>,
    request: HttpRequest,
) -> HttpResponse {
    let context = Context::of(&shared, &site, &request);
    page(&context, "release notes", |metadata| {
        metadata.release_notes.as_ref()
    })
    .await
}

async fn page(context: &Context<'_>, what: &str, pick: fn(&Image) -> Option<&Annotation>) -> HttpResponse {
    let entry = match context.image() {
        Ok(entry) => entry,
        Err(name) => return context.unknown_image(&name),
    };
    let page = context.page_of(&entry, format!("{what} of {}", entry.name));
    let body = match pick(&entry.metadata) {
        None => format!("<p>There is no {what}.</p>"),
        Some(Annotation { object: None, url }) => format!("<p>It is kept elsewhere: {}</p>", escape(url)),
        Some(Annotation {
            object: Some(hash), ..
        }) => match object::read(&context.shared.objects, *hash, SHOWN_BYTES_MAX).await {
            Ok(Some(content)) => shown(&content),
            Ok(None) => "<p>It is too large to be shown; the command below fetches it.</p>".to_owned(),
            Err(error) => return context.failed(&error),
        },
    };
    page.body(body).respond()
}

fn shown(content: &object::Content) -> String {
    let mut html = preformatted(&String::from_utf8_lossy(&content.bytes));
    if content.size > SHOWN_BYTES_MAX {
        let (shown, size) = (human::bytes(SHOWN_BYTES_MAX), human::bytes(content.size));
        html.push_str(&format!("<p>The first {shown} of {size}.</p>"));
    }
    html
}
