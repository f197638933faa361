//! `/images?directory=D`: the directories below one with what they hold, and its own images, newest first. Our own addition; the
//! list that scripts read is `/listImages`.

use super::context::{Context, below, directory_link, image_link};
use super::directories::{self, Holding, created};
use super::image_cells::{ImageRow, columns};
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actors::IndexSnapshot;
use front::page::{Cell, Column, Output, Pager, Query, Table, empty, escape};

/// Images on a page.
const IMAGES_MOST: usize = 500;
/// Directories on a page; where there are more, only those directly below are shown.
const DIRECTORIES_MOST: usize = 1000;

/// The page.
pub(super) fn page(context: &Context<'_>) -> HttpResponse {
    let directory = match context.value("directory") {
        empty if empty.is_empty() => ".".to_owned(),
        named => named.trim_end_matches('/').to_owned(),
    };
    let snapshot = context.shared.images.snapshot();
    if !snapshot.directories.contains_key(&*directory) {
        return front::page::problem(
            context.site,
            StatusCode::NOT_FOUND,
            "unknown directory",
            &format!("There is no directory {directory} of images here."),
            "<a href=\"/images\">all directories</a>",
        );
    }
    let title = if directory == "." {
        "images".to_owned()
    } else {
        format!("images in {directory}")
    };
    let images = images_table(context, &snapshot, &directory);
    let command = if directory == "." {
        "imagetool list"
    } else {
        "imagetool list | grep '^DIRECTORY/'"
    };
    let page = below(context.page(title), &directory)
        .command(command.replace("DIRECTORY", &directory.replace('\'', ".")));
    if Query::new(context.query).output() != Output::Html {
        return images.table.respond(context.query, page);
    }
    let mut before = String::from(WAYS);
    before += &tree(&snapshot, &directory);
    if images.count > 0 || directory != "." {
        before += &format!(
            "<h2 id=\"images\">{} in {}</h2>",
            counted(images.count),
            escape(&place(&directory))
        );
        return images
            .table
            .respond_with(context.query, page, &before, &images.pager.html());
    }
    page.body(before).respond()
}

/// Other ways to the same images.
const WAYS: &str = "<p><a href=\"/listImages\">all in one list</a> · <a href=\"/expiring\">expiring soon</a> · \
    <a href=\"/compare\">compare two</a> · <a href=\"/listDirectories\">directories and their owners</a></p>";

fn place(directory: &str) -> String {
    if directory == "." {
        "no directory".to_owned()
    } else {
        directory.to_owned()
    }
}

fn counted(images: usize) -> String {
    if images == 1 {
        "1 image".to_owned()
    } else {
        format!("{images} images")
    }
}

struct Images {
    table: Table,
    pager: Pager,
    count: usize,
}

/// The images directly in a directory, newest first.
fn images_table(context: &Context<'_>, snapshot: &IndexSnapshot, directory: &str) -> Images {
    let mut images: Vec<_> = directories::images_in(snapshot, directory).collect();
    images.sort_by_key(|entry| std::cmp::Reverse(created(entry)));
    let pager = Pager::new(context.query, images.len(), IMAGES_MOST);
    let count = images.len();
    let mut table = Table::new(columns(true)).when_empty(empty(
        "There are no images directly in this directory.",
        "Add one: <code>imagetool add NAME IMAGEFILE FILTERFILE TRIGGERFILE</code>",
    ));
    for index in pager.shown() {
        let Some(entry) = images.get(index) else { break };
        // The one before it, to compare with, is the next in this order.
        let before = images.get(index + 1).map(|before| &*before.name);
        table.push(ImageRow { entry, before }.cells());
    }
    Images { table, pager, count }
}

/// What is below a directory, as a tree while it fits on a page.
fn tree(snapshot: &IndexSnapshot, directory: &str) -> String {
    let holdings = directories::holdings(snapshot);
    let mut below: Vec<(&str, &Holding)> = holdings
        .iter()
        .filter(|(name, _)| directories::is_below(name, directory))
        .map(|(name, holding)| (*name, holding))
        .collect();
    let is_whole = below.len() <= DIRECTORIES_MOST;
    if !is_whole {
        below.retain(|(name, _)| image::name::parent(name) == directory);
    }
    if below.is_empty() {
        return if directory == "." && snapshot.images.is_empty() {
            empty(
                "There are no images yet.",
                "Make a directory and add one: <code>imagetool mkdir base</code>, <code>imagetool add base/1 IMAGEFILE FILTERFILE TRIGGERFILE</code>",
            )
        } else {
            String::new()
        };
    }
    // Level by level in version order: a slash sorts before everything else, so that a tree stays together.
    below.sort_by(|left, right| by_steps(left.0, right.0));
    let cut = below.len().saturating_sub(DIRECTORIES_MOST);
    below.truncate(DIRECTORIES_MOST);
    let mut table = Table::new([
        Column::text("Directory"),
        Column::number("Images"),
        Column::text("Newest image"),
        Column::text("Made"),
        Column::number("Data size"),
        Column::text("Owner group"),
    ]);
    for (place, (name, holding)) in below.into_iter().enumerate() {
        table.push(directory_row(snapshot, directory, name, holding, place));
    }
    let more = match cut {
        0 => String::new(),
        cut => format!(
            "<p>{cut} more directories are not shown: <a href=\"/listDirectories\">all of them</a></p>"
        ),
    };
    format!("<h2>Directories</h2>{}{more}", table.html())
}

fn by_steps(left: &str, right: &str) -> std::cmp::Ordering {
    let (mut lefts, mut rights) = (left.split('/'), right.split('/'));
    loop {
        match (lefts.next(), rights.next()) {
            (Some(left), Some(right)) => match human::version_cmp(left, right) {
                std::cmp::Ordering::Equal => {}
                decided => return decided,
            },
            (left, right) => return left.is_some().cmp(&right.is_some()),
        }
    }
}

fn directory_row(
    snapshot: &IndexSnapshot,
    directory: &str,
    name: &str,
    holding: &Holding,
    place: usize,
) -> [Cell; 6] {
    let depth = |name: &str| name.matches('/').count();
    let above = if directory == "." { 0 } else { depth(directory) + 1 };
    let level = depth(name).saturating_sub(above);
    let shown = if level == 0 {
        name.get(if directory == "." { 0 } else { directory.len() + 1 }..)
            .unwrap_or(name)
    } else {
        name.rsplit('/').next().unwrap_or(name)
    };
    let link = format!(
        "<a class=\"tree\" style=\"--level:{level}\" href=\"{}\" title=\"{}\">{}/</a>",
        escape(&directory_link(name)),
        escape(name),
        escape(shown)
    );
    let owner = snapshot
        .directories
        .get(name)
        .map(|entry| entry.owner_group.to_string());
    let newest = holding.newest.as_ref();
    [
        Cell::html(link, name).ordered_by(place),
        Cell::count(holding.below),
        newest.map_or_else(Cell::empty, |entry| {
            let shown = entry.name.strip_prefix(name).unwrap_or(&entry.name);
            Cell::link(image_link(&entry.name), shown.trim_start_matches('/'))
        }),
        newest.map_or_else(Cell::empty, |entry| {
            Cell::time(crate::time::timestamp(entry.metadata.created_on))
        }),
        Cell::bytes(holding.bytes),
        Cell::text(owner.unwrap_or_default()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_stays_together() {
        let mut names = ["a-b", "a", "a/c", "a/b10", "a/b9/x", "b", "a/b9"];
        names.sort_by(|left, right| by_steps(left, right));
        assert_eq!(names, ["a", "a/b9", "a/b9/x", "a/b10", "a/c", "a-b", "b"]);
    }
}
