//! `/ui/images`: images, newest first, filtered as the API's list is, and by words.

use actix_web::HttpResponse;
use front::page::{Page, Pager, Query, Table, empty, encode, escape};

use super::image_cells::{columns, row};
use super::viewer::Viewer;

/// Rows on one page.
const ROWS_SHOWN: usize = 200;

/// What may be asked for, beside words, and how it is called.
const FILTERS: [(&str, &str); 4] = [
    ("name", "name"),
    ("version", "version"),
    ("os", "OS"),
    ("type", "type"),
];
/// Images of which states may be asked for.
const STATES: [&str; 5] = ["active", "disabled", "unactivated", "creating", "failed"];

/// The page.
pub(super) fn page(viewer: &Viewer<'_>) -> HttpResponse {
    let found = match viewer.images(viewer.query) {
        Ok(found) => found,
        Err(error) => return viewer.refuse(&error),
    };
    let pager = Pager::new(viewer.query, found.len(), ROWS_SHOWN);
    let mut table = Table::new(columns()).when_empty(nothing(viewer));
    for entry in &found[pager.shown()] {
        table.push(row(entry));
    }
    let before = format!("{}{}", form(viewer), count(found.len()));
    let page = Page::new(viewer.site, "images")
        .crumb("/ui/images", "images")
        .command(command(viewer));
    table.respond_with(viewer.query, page, &before, &pager.html())
}

fn count(images: usize) -> String {
    match images {
        0 => String::new(),
        1 => "<p>1 image</p>".to_owned(),
        _ => format!("<p>{images} images, newest first</p>"),
    }
}

pub(super) fn nothing(viewer: &Viewer<'_>) -> String {
    if viewer.catalogue.is_empty() {
        empty(
            "There are no images yet.",
            "Add one: <code>imgapi-cli create -m MANIFEST -f FILE</code>",
        )
    } else {
        empty(
            "No image is like that, or none that everybody may see.",
            "<a href=\"/ui/images\">all images</a>; with a signature <code>imgapi-cli list</code> shows more.",
        )
    }
}

/// The filters, as they are set.
fn form(viewer: &Viewer<'_>) -> String {
    let query = Query::new(viewer.query);
    let mut html = String::from("<form class=\"ask\" action=\"/ui/images\">");
    let mut field = |name: &str, label: &str| {
        let value = query.get(name).unwrap_or_default();
        html += &format!(
            "<label>{label} <input name=\"{name}\" size=\"12\" value=\"{}\"></label> ",
            escape(&value)
        );
    };
    field("q", "words");
    for (name, label) in FILTERS {
        field(name, label);
    }
    let mut choice = |name: &str, words: &mut dyn Iterator<Item = &str>| {
        let chosen = query.get(name).unwrap_or_default();
        html += &format!("<label>{name} <select name=\"{name}\"><option value=\"\">all</option>");
        for word in words {
            let selected = if word == chosen { " selected" } else { "" };
            let word = escape(word);
            html += &format!("<option value=\"{word}\"{selected}>{word}</option>");
        }
        html += "</select></label> ";
    };
    // Elsewhere nobody who says nothing about himself lists others than active ones.
    if viewer.is_operator() {
        choice("state", &mut STATES.into_iter());
    }
    if !viewer.settings.channels.is_empty() {
        choice("channel", &mut viewer.settings.channels.names());
    }
    html + "<button>show</button></form>"
}

/// The same from the command line.
fn command(viewer: &Viewer<'_>) -> String {
    let query = Query::new(viewer.query);
    let mut command = format!("imgapi-cli --url {} list", viewer.api());
    if let Some(channel) = query.get("channel").filter(|channel| !channel.is_empty()) {
        command += &format!(" --channel {}", front::page::shell_word(&channel));
    }
    for name in FILTERS.map(|(name, _)| name).into_iter().chain(["state"]) {
        if let Some(value) = query.get(name).filter(|value| !value.is_empty()) {
            command += &format!(" {}", front::page::shell_word(&format!("{name}={value}")));
        }
    }
    command
}

/// A link to the images of a channel.
pub(super) fn of_channel(name: &str) -> String {
    format!("/ui/images?channel={}", encode(name))
}
