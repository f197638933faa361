//! `/showImage?NAME`: everything about an image but its files.

use super::context::{Context, encode};
use crate::state::quarantine;
use actix_web::HttpResponse;
use actors::image_index::ImageEntry;
use askama::Template;
use image::Annotation;

#[derive(Template)]
#[template(path = "show_image.html")]
struct Body<'a> {
    target: String,
    entry: &'a ImageEntry,
    quarantine: Option<&'a str>,
    data_size: String,
    usage: String,
    expires: String,
    created: String,
    source_target: Option<String>,
    release_notes: Option<Link>,
    build_log: Option<Link>,
    tags: String,
    information: String,
}

/// A text attached to the image.
struct Link {
    target: String,
    text: String,
}

/// The page.
pub(super) fn page(context: &Context<'_>) -> HttpResponse {
    let entry = match context.image() {
        Ok(entry) => entry,
        Err(name) => return context.unknown_image(&name),
    };
    let metadata = &entry.metadata;
    let name = &*entry.name;
    let target = encode(name);
    let source = metadata.source_image.as_str();
    let body = Body {
        quarantine: quarantine(&entry),
        data_size: front::page::size(entry.total_data_bytes),
        usage: front::page::size(entry.usage_estimate),
        expires: crate::time::html(metadata.expires_at),
        created: crate::time::html(metadata.created_on),
        source_target: context
            .shared
            .images
            .snapshot()
            .images
            .contains_key(source)
            .then(|| encode(source)),
        release_notes: link("/listReleaseNotes", &target, metadata.release_notes.as_ref()),
        build_log: link("/listBuildLog", &target, metadata.build_log.as_ref()),
        tags: serde_json::to_string_pretty(&metadata.tags).unwrap_or_default(),
        information: context.shared.information_url(name, &entry),
        entry: &entry,
        target,
    };
    match body.render() {
        Ok(body) => {
            let directory = image::name::parent(name);
            let target = format!(
                "/listImages?directoryName={}",
                encode(directory).replace('+', "%2B")
            );
            context
                .page(format!("image {name}"))
                .crumb(target, directory)
                .command(format!("imagetool get {name} DIRECTORY"))
                .body(body)
                .respond()
        }
        Err(error) => context.failed(&error),
    }
}

fn link(page: &str, image: &str, annotation: Option<&Annotation>) -> Option<Link> {
    let annotation = annotation?;
    if annotation.object.is_some() {
        return Some(Link {
            target: format!("{page}?{image}"),
            text: "show".to_owned(),
        });
    }
    if annotation.url.is_empty() {
        return None;
    }
    // Any other scheme would let whoever added the image run a script in the reader's browser.
    let is_web = annotation.url.starts_with("http://") || annotation.url.starts_with("https://");
    let target = if is_web {
        annotation.url.clone()
    } else {
        String::new()
    };
    Some(Link {
        target,
        text: annotation.url.clone(),
    })
}
