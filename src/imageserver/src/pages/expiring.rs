//! `/expiring`: images that go by themselves, the next one first. Our own addition.

use super::context::Context;
use super::image_cells::{ImageRow, columns};
use actix_web::HttpResponse;
use front::page::{Pager, Table, empty};

/// Images on a page.
const IMAGES_MOST: usize = 500;

/// The page.
pub(super) fn page(context: &Context<'_>) -> HttpResponse {
    let snapshot = context.shared.images.snapshot();
    let mut images: Vec<_> = snapshot
        .images
        .values()
        .filter(|entry| !entry.metadata.expires_at.is_zero())
        .collect();
    images.sort_by_key(|entry| entry.metadata.expires_at.unix_seconds());
    let pager = Pager::new(context.query, images.len(), IMAGES_MOST);
    let mut table = Table::new(columns(false)).when_empty(empty(
        "No image expires.",
        "Images expire where they were added with a life time: <code>imagetool -expiresIn=24h add …</code>",
    ));
    for entry in images.get(pager.shown()).unwrap_or_default() {
        table.push(ImageRow { entry, before: None }.cells());
    }
    let page = context
        .page("expiring images")
        .crumb("/expiring", "expiring")
        .command("imagetool -expiresIn=720h change-image-expiration NAME");
    table.respond_with(context.query, page, "", &pager.html())
}
