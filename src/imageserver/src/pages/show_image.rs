//! `/showImage?NAME`: everything about an image but its files.

use super::context::{Context, encode, file_link, image_link};
use super::directories;
use super::image_cells::{ImageRow, columns, compare_link};
use crate::state::quarantine;
use actix_web::HttpResponse;
use actors::IndexSnapshot;
use actors::image_index::ImageEntry;
use askama::Template;
use front::page::{Table, shell_word};
use image::Annotation;

/// Images made from this one that are shown.
const DESCENDANTS_MOST: usize = 50;
/// References of two images that are compared at most to tell what is one's own: a fraction of a second's work.
const COMPARED_REFERENCES_MOST: usize = 1_000_000;

#[derive(Template)]
#[template(path = "show_image.html")]
struct Body<'a> {
    target: String,
    /// The name as the value of a parameter.
    parameter: String,
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
    packages: usize,
    files: String,
    /// The image before it in its directory.
    before: Option<Neighbour>,
    after: Option<Neighbour>,
    /// What it does not share, and with which image.
    own: Option<OwnSize>,
    descendants: String,
    descendants_count: usize,
    commands: String,
}

/// An image beside this one.
struct Neighbour {
    target: String,
    name: String,
    compare: String,
}

/// Objects that another image has not.
struct OwnSize {
    objects: u64,
    size: String,
    of: String,
    of_target: String,
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
    let parameter = front::page::encode(name);
    let source = metadata.source_image.as_str();
    let snapshot = context.shared.images.snapshot();
    let (before, after) = directories::neighbours(&snapshot, &entry);
    let base = snapshot.images.get(source).or(before);
    let descendants = descendants(&snapshot, name);
    let body = Body {
        packages: entry.packages.iter().count(),
        files: file_link(name, b"/"),
        own: base.and_then(|base| own_size(&entry, base)),
        descendants_count: descendants.0,
        descendants: descendants.1,
        commands: commands(name, before.map(|before| &*before.name)),
        before: before.map(|before| Neighbour {
            target: image_link(&before.name),
            name: before.name.to_string(),
            compare: compare_link(&before.name, name),
        }),
        after: after.map(|after| Neighbour {
            target: image_link(&after.name),
            name: after.name.to_string(),
            compare: compare_link(name, &after.name),
        }),
        quarantine: quarantine(&entry),
        data_size: front::page::size(entry.total_data_bytes),
        usage: front::page::size(entry.usage_estimate),
        expires: crate::time::html(metadata.expires_at),
        created: crate::time::html(metadata.created_on),
        source_target: snapshot.images.contains_key(source).then(|| encode(source)),
        release_notes: link("/listReleaseNotes", &target, metadata.release_notes.as_ref()),
        build_log: link("/listBuildLog", &target, metadata.build_log.as_ref()),
        tags: serde_json::to_string_pretty(&metadata.tags).unwrap_or_default(),
        information: context.shared.information_url(name, &entry),
        parameter,
        entry: &entry,
        target,
    };
    match body.render() {
        Ok(body) => {
            let directory = image::name::parent(name);
            let page = super::context::below(context.page(format!("image {name}")), directory);
            page.command(format!("imagetool get {} DIRECTORY", shell_word(name)))
                .body(body)
                .respond()
        }
        Err(error) => context.failed(&error),
    }
}

/// What this image has that the one it was made from, or the one before it, has not.
fn own_size(entry: &ImageEntry, base: &ImageEntry) -> Option<OwnSize> {
    if entry.objects.len() + base.objects.len() > COMPARED_REFERENCES_MOST {
        return None;
    }
    let own = entry.own_objects(base);
    Some(OwnSize {
        objects: own.objects,
        size: front::page::size(own.bytes),
        of: base.name.to_string(),
        of_target: image_link(&base.name),
    })
}

/// Images that were made from this one: how many, and the newest in a table.
fn descendants(snapshot: &IndexSnapshot, name: &str) -> (usize, String) {
    let mut found: Vec<_> = snapshot
        .images
        .values()
        .filter(|entry| entry.metadata.source_image == name)
        .collect();
    found.sort_by_key(|entry| std::cmp::Reverse(directories::created(entry)));
    let mut table = Table::new(columns(false)).when_empty("");
    for entry in found.iter().take(DESCENDANTS_MOST) {
        table.push(ImageRow { entry, before: None }.cells());
    }
    (found.len(), table.html())
}

/// What people do next, to copy.
fn commands(name: &str, before: Option<&str>) -> String {
    let name = shell_word(name);
    let mut commands = format!("imagetool show {name}\nimagetool show-metadata {name}\n");
    if let Some(before) = before {
        commands += &format!(
            "imagetool -skipFields=t diff diff {} {name}\n",
            shell_word(before)
        );
    }
    commands
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
