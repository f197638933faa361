//! `/showBuildLog?NAME`: the raw log of a build in the archive, as text.

use crate::pages::build::{Subject, text};
use crate::pages::context::Context;
use crate::state::Shared;
use actix_web::{HttpRequest, HttpResponse, web};
use front::site::Site;

/// The log; 404 for what is not in the archive, whatever its name looks like.
pub(in crate::pages) async fn get(
    shared: web::Data<Shared>,
    site: web::Data<Site>,
    request: HttpRequest,
) -> HttpResponse {
    let context = Context::of(&shared, &site, &request);
    let found = shared.archive.as_ref().and_then(|archive| {
        let listing = archive.listing();
        let name = context.name(|name| listing.find(name).is_some());
        let build = listing.find(&name).cloned()?;
        Some(Subject::Archived(build, archive.log(&name).ok()?))
    });
    match found {
        Some(subject) => text(subject),
        None => HttpResponse::NotFound()
            .content_type("text/plain; charset=utf-8")
            .body("404 no such build log\n"),
    }
}
