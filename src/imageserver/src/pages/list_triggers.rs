//! `/listTriggers?NAME`: what is restarted when files change.

use super::context::{Context, preformatted};
use actix_web::HttpResponse;

/// The page.
pub(super) fn page(context: &Context<'_>) -> HttpResponse {
    let entry = match context.image() {
        Ok(entry) => entry,
        Err(name) => return context.unknown_image(&name),
    };
    let body = match &entry.metadata.triggers {
        Some(triggers) => preformatted(&serde_json::to_string_pretty(&triggers.triggers).unwrap_or_default()),
        None => "<p>NO TRIGGERS</p>".to_owned(),
    };
    context
        .page_of(&entry, format!("triggers of {}", entry.name))
        .command(format!("imagetool show-triggers {}", entry.name))
        .body(body)
        .respond()
}
