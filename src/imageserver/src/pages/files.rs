//! `/files?image=NAME&path=/DIRECTORY`: the tree of an image, directory by directory, and each file. Our own addition; the
//! whole list is `/listImage`.

use super::context::{Context, file_link};
use super::file;
use crate::state::Shared;
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use bstr::ByteSlice;
use front::page::{Cell, Column, Page, Pager, Query, Table, empty, escape, shell_word};
use front::site::Site;
use image::listing::mode_letters;
use image::{DirectoryInode, FileSystem, Image, InodeRef};
use jiff::Timestamp;
use std::sync::Arc;

/// Entries on a page.
const ENTRIES_MOST: usize = 2000;

/// The page of a directory, or of a file.
pub(super) async fn get(
    shared: web::Data<Shared>,
    site: web::Data<Site>,
    request: HttpRequest,
) -> HttpResponse {
    let context = Context::of(&shared, &site, &request);
    let entry = match context.image_of("image") {
        Ok(entry) => entry,
        Err(name) => return context.unknown_image(&name),
    };
    let Some(place) = shared.heavy_place().await else {
        return context.busy();
    };
    let image: Arc<Image> = match shared.images.image(&entry.name).await {
        Ok(Some(image)) => image,
        Ok(None) => return context.unknown_image(&entry.name),
        Err(error) => return context.failed(&error),
    };
    let Some(tree) = &image.file_system else {
        return context.failed(&"this image has no tree");
    };
    let path = clean(&Query::new(context.query).bytes("path").unwrap_or_default());
    let Some((number, inode)) = tree.lookup(&path) else {
        return front::page::problem(
            context.site,
            StatusCode::NOT_FOUND,
            "no such file",
            &format!("There is no {} in {}.", path.as_bstr(), entry.name),
            &format!(
                "<a href=\"{}\">its files</a>",
                escape(&file_link(&entry.name, b"/"))
            ),
        );
    };
    let title = format!("{} in {}", path.as_bstr(), entry.name);
    let page = crumbs(context.page_of(&entry, title), &entry.name, &path);
    match inode {
        InodeRef::Directory(directory) => {
            let page = page.command(format!("imagetool show {}", shell_word(&entry.name)));
            respond(&context, page, &entry.name, tree, directory, &path)
        }
        _ => {
            let Some(inode) = number.and_then(|number| tree.inode_table.get(number)).cloned() else {
                return context.failed(&"this file is not among the files of its tree");
            };
            // The rest waits for readers of objects, and for a place of its own.
            drop(image);
            drop(place);
            file::respond(&context, page, &entry.name, inode.as_ref(), &path).await
        }
    }
}

/// `/a/b` of what may have a slash too many or too few.
fn clean(path: &[u8]) -> Vec<u8> {
    let mut clean = Vec::with_capacity(path.len() + 1);
    for step in path.split(|byte| *byte == b'/').filter(|step| !step.is_empty()) {
        clean.push(b'/');
        clean.extend_from_slice(step);
    }
    if clean.is_empty() {
        clean.push(b'/');
    }
    clean
}

fn crumbs<'p>(mut page: Page<'p>, image: &str, path: &[u8]) -> Page<'p> {
    page = page.crumb(file_link(image, b"/"), "files");
    let mut end = 0;
    for step in path.split(|byte| *byte == b'/').filter(|step| !step.is_empty()) {
        end += 1 + step.len();
        page = page.crumb(
            file_link(image, path.get(..end).unwrap_or(path)),
            step.as_bstr().to_string(),
        );
    }
    page
}

fn respond(
    context: &Context<'_>,
    page: Page<'_>,
    image: &str,
    tree: &FileSystem,
    directory: &DirectoryInode,
    path: &[u8],
) -> HttpResponse {
    let pager = Pager::new(context.query, directory.entry_list.len(), ENTRIES_MOST);
    let mut table = Table::new([
        Column::text("Name"),
        Column::text("Mode"),
        Column::text("Owner"),
        Column::number("Size"),
        Column::text("Modified"),
        Column::text("Content"),
    ])
    .when_empty(empty("This directory is empty.", ""));
    let shown = directory.entry_list.get(pager.shown()).unwrap_or_default();
    for entry in shown {
        let Some(inode) = tree.inode_table.get(entry.inode_number) else {
            continue;
        };
        let mut target = path.strip_suffix(b"/").unwrap_or(path).to_vec();
        target.push(b'/');
        target.extend_from_slice(&entry.name);
        table.push(row(image, &entry.name, &target, inode.as_ref()));
    }
    let before = format!(
        "<p>{} entries, mode {}, owner {}:{}. <a href=\"/listImage?{}\">all files in one list</a></p>",
        directory.entry_list.len(),
        letters(InodeRef::Directory(directory)),
        directory.uid,
        directory.gid,
        escape(&super::context::encode(image)),
    );
    table.respond_with(context.query, page, &before, &pager.html())
}

fn row(image: &str, name: &[u8], path: &[u8], inode: InodeRef<'_>) -> [Cell; 6] {
    let shown = name.as_bstr().to_string();
    let link = Cell::link(file_link(image, path), format!("{shown}{}", mark(inode)));
    let (uid, gid) = inode.owner();
    let content = match inode {
        InodeRef::Regular(file) if file.size > 0 => Cell::hash(file.hash.to_string()),
        InodeRef::ComputedRegular(file) => Cell::text(format!("computed by {}", file.source)),
        InodeRef::Symlink(link) => Cell::text(format!("→ {}", link.symlink)),
        _ => Cell::empty(),
    };
    let size = match inode {
        InodeRef::Regular(file) => Cell::bytes(file.size),
        _ => Cell::empty(),
    };
    [
        link,
        Cell::text(letters(inode)),
        Cell::text(format!("{uid}:{gid}")),
        size,
        Cell::time(modified(inode)),
        content,
    ]
}

/// As `ls -F` has it.
fn mark(inode: InodeRef<'_>) -> &'static str {
    match inode {
        InodeRef::Directory(_) => "/",
        InodeRef::Symlink(_) => "@",
        _ => "",
    }
}

/// As `ls -l` has it.
pub(super) fn letters(inode: InodeRef<'_>) -> String {
    String::from_utf8_lossy(&mode_letters(inode.mode())).into_owned()
}

/// When the content was changed.
pub(super) fn modified(inode: InodeRef<'_>) -> Option<Timestamp> {
    let (seconds, nanoseconds) = inode.mtime()?;
    Timestamp::new(seconds, nanoseconds).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slashes_too_many_are_no_other_place() {
        for (given, path) in [
            ("", "/"),
            ("/", "/"),
            ("etc", "/etc"),
            ("//etc///ssh/", "/etc/ssh"),
        ] {
            assert_eq!(clean(given.as_bytes()).as_bstr(), path);
        }
    }
}
