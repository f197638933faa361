//! Choosing what to compare: two fields, with the image before preselected.

use super::super::context::{Context, image_link, unknown};
use super::super::directories;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actors::image_index::ImageEntry;
use front::page::escape;
use std::sync::Arc;

/// Names that are proposed.
const PROPOSED_MOST: usize = 200;

type Named = Result<Arc<ImageEntry>, String>;

/// The form, filled with what is known, and what is wrong with the rest.
pub(super) fn page(context: &Context<'_>, left: Named, right: Named) -> HttpResponse {
    let snapshot = context.shared.images.snapshot();
    let mut problems = String::new();
    for name in [&left, &right]
        .into_iter()
        .filter_map(|named| named.as_ref().err())
    {
        if !name.is_empty() {
            problems += &format!(
                "<p class=\"problem\" role=\"alert\">{}</p>",
                escape(&unknown(name))
            );
        }
    }
    let known = right.as_ref().or(left.as_ref()).ok();
    // Without an image to begin with, the newest of all and its neighbours are the best guess.
    let newest = || {
        snapshot
            .images
            .values()
            .max_by_key(|entry| directories::created(entry))
    };
    let near: Option<&Arc<ImageEntry>> = known.or_else(newest);
    let before = near.and_then(|entry| directories::neighbours(&snapshot, entry).0);
    let given = |named: &Named, guess: Option<&Arc<ImageEntry>>| match named {
        Ok(entry) => entry.name.to_string(),
        Err(name) if name.is_empty() => guess.map(|entry| entry.name.to_string()).unwrap_or_default(),
        Err(name) => name.clone(),
    };
    let left_name = given(&left, before);
    let right_name = given(&right, near.filter(|_| left.is_err()));
    let mut proposed: Vec<&Arc<ImageEntry>> = near
        .map(|entry| directories::images_in(&snapshot, image::name::parent(&entry.name)).collect())
        .unwrap_or_default();
    proposed.sort_by_key(|entry| std::cmp::Reverse(directories::created(entry)));
    let options: String = proposed
        .iter()
        .take(PROPOSED_MOST)
        .map(|entry| format!("<option value=\"{}\"></option>", escape(&entry.name)))
        .collect();
    let field = |label: &str, name: &str, value: &str| {
        format!(
            "<p><label>{label} <input name=\"{name}\" value=\"{}\" list=\"proposed\" size=\"50\" required autocomplete=\"off\" spellcheck=\"false\"></label></p>",
            escape(value)
        )
    };
    let mut body = format!(
        "{problems}<form class=\"ask\" action=\"/compare\">{}{}<datalist id=\"proposed\">{options}</datalist>\
         <p><button>compare</button></p></form>",
        field("from", "left", &left_name),
        field("to", "right", &right_name),
    );
    body += "<p class=\"faint\">Names are proposed from the directory of the image. Any two images can be compared.</p>";
    let mut page = context.page("compare two images").crumb("/compare", "compare");
    if let Some(known) = known {
        page = page.crumb(image_link(&known.name), known.name.to_string());
    }
    if !problems.is_empty() {
        page = page.status(StatusCode::NOT_FOUND);
    }
    page.command("imagetool diff diff LEFT RIGHT")
        .body(body)
        .respond()
}
