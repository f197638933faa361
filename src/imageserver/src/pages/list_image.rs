//! `/listImage?NAME`: the files of an image, as `imagetool show` lists them.

use super::context::Context;
use crate::state::Shared;
use actix_web::{HttpRequest, HttpResponse, web};
use front::page::{escape, shell_word};
use front::site::Site;
use image::listing::{Fields, write_line};
use image::walk::{LinkCounts, Walk};
use image::{FileSystem, InodeRef};

/// Objects up to this size are linked: a browser shows them.
const LINKED_BYTES_MAX: u64 = 1 << 20;
/// Characters of a hash.
const HASH_CHARACTERS: usize = 128;

/// The page.
pub(super) async fn get(
    shared: web::Data<Shared>,
    site: web::Data<Site>,
    request: HttpRequest,
) -> HttpResponse {
    let context = Context::of(&shared, &site, &request);
    let entry = match context.image() {
        Ok(entry) => entry,
        Err(name) => return context.unknown_image(&name),
    };
    let Some(place) = shared.heavy_place().await else {
        return context.busy();
    };
    let image = match shared.images.image(&entry.name).await {
        Ok(Some(image)) => image,
        Ok(None) => return context.unknown_image(&entry.name),
        Err(error) => return context.failed(&error),
    };
    let linked = shared.options.allow_unauthenticated_reads;
    // Tens of thousands of lines are no work for the thread that serves other connections.
    let body = place
        .run(move || {
            image
                .file_system
                .as_ref()
                .map(|tree| listing(tree, linked))
                .unwrap_or_default()
        })
        .await;
    match body {
        Some(body) => context
            .page_of(&entry, format!("files of {}", entry.name))
            .command(format!("imagetool show {}", shell_word(&entry.name)))
            .body(format!("<div class=\"scroll\"><pre>{body}</pre></div>"))
            .respond(),
        None => context.failed(&"the list was given up: ask again"),
    }
}

fn listing(tree: &FileSystem, linked: bool) -> String {
    let links = LinkCounts::of(tree);
    let mut out = String::new();
    let mut line = Vec::new();
    let mut walk = Walk::new(tree);
    while let Some(visit) = walk.next_visit() {
        line.clear();
        let count = links.get(tree, visit.number);
        // Writing into memory does not fail.
        let _ = write_line(
            &mut line,
            visit.path,
            visit.inode,
            count,
            Fields::default(),
            crate::time::listing,
        );
        let text = String::from_utf8_lossy(&line);
        let is_linked = linked
            && matches!(visit.inode, InodeRef::Regular(inode) if inode.size > 0 && inode.size <= LINKED_BYTES_MAX);
        match text
            .trim_end_matches('\n')
            .split_at_checked(text.len().saturating_sub(HASH_CHARACTERS + 1))
        {
            Some((front, hash)) if is_linked => {
                out.push_str(&format!(
                    "{}<a href=\"/getObject?{hash}\">{hash}</a>\n",
                    escape(front)
                ));
            }
            _ => out.push_str(&escape(&text)),
        }
    }
    out
}
