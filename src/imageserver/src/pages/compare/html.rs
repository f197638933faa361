//! The differences for people.

use super::super::context::{Context, encode, file_link};
use super::Asked;
use super::report::{DirectoryChange, FileChange, PackageChange, Report, Side};
use actix_web::HttpResponse;
use bstr::ByteSlice;
use front::page::{Cell, Column, Page, Pager, Table, empty, escape};
use image::diff::What;

/// Files on a page.
const FILES_MOST: usize = 500;
/// Directories on a page; the rest can be had as JSON.
const DIRECTORIES_MOST: usize = 100;
/// Packages on a page.
const PACKAGES_MOST: usize = 1000;

/// The page.
pub(super) fn respond(context: &Context<'_>, page: Page<'_>, asked: &Asked, report: &Report) -> HttpResponse {
    let (left, right) = (&*asked.left.name, &*asked.right.name);
    let pager = Pager::new(context.query, report.files.len(), FILES_MOST);
    let mut body = summary(asked, report);
    body += "<h2 id=\"packages\">Packages</h2>";
    body += &packages(&report.packages).html();
    if report.packages.len() > PACKAGES_MOST {
        body += &format!("<p>The first {PACKAGES_MOST} of {}.</p>", report.packages.len());
    }
    body += "<h2 id=\"triggers\">Triggers that would fire</h2>";
    body += &triggers(report);
    if asked.below.is_empty() {
        body += "<h2 id=\"directories\">Directories, most bytes first</h2>";
        body += &directories(&report.directories, left, right).html();
        if report.directories.len() > DIRECTORIES_MOST {
            body += &format!(
                "<p>The first {DIRECTORIES_MOST} of {}.</p>",
                report.directories.len()
            );
        }
    }
    body += &format!("<h2 id=\"files\">Files{}, most bytes first</h2>", below(asked));
    let shown = report.files.get(pager.shown()).unwrap_or_default();
    body += &files(shown, asked).html();
    body += &pager.html();
    body += &Table::alternatives(context.query);
    page.body(body).respond()
}

fn pair(left: &str, right: &str) -> String {
    let (left, right) = (front::page::encode(left), front::page::encode(right));
    format!("left={left}&right={right}")
}

fn below(asked: &Asked) -> String {
    if asked.below.is_empty() {
        return String::new();
    }
    format!(" below {}", escape(&asked.below.as_bstr().to_string()))
}

fn summary(asked: &Asked, report: &Report) -> String {
    let (left, right) = (&*asked.left.name, &*asked.right.name);
    let totals = report.totals;
    let pair = escape(&pair(left, right));
    let swapped = escape(&super::html::pair(right, left));
    let mut html = format!(
        "<p class=\"ways\"><a href=\"/compare?{swapped}\">the other way round</a> · <a href=\"/compare?right={}\">choose others</a></p>",
        escape(&front::page::encode(right))
    );
    let word = |differs: bool| if differs { "differs" } else { "the same" };
    html += &format!(
        "<dl class=\"facts\"><dt>Files{}</dt><dd>{} added, {} removed, {} changed</dd>\
         <dt>Bytes</dt><dd>{} came, {} went</dd>\
         <dt>Size of all files</dt><dd>{} before, {} after</dd>\
         <dt>Filter</dt><dd>{}</dd><dt>Triggers</dt><dd>{}</dd></dl>",
        below(asked),
        totals.added,
        totals.removed,
        totals.changed,
        front::page::size(totals.bytes_right),
        front::page::size(totals.bytes_left),
        front::page::size(asked.left.total_data_bytes),
        front::page::size(asked.right.total_data_bytes),
        word(report.filter_differs),
        word(report.triggers_differ),
    );
    if report.times_only > 0 {
        html += &format!(
            "<p>Of {} more files only the time differs: <a href=\"/compare?{pair}&amp;times=1\">show them, too</a>.</p>",
            report.times_only
        );
    }
    if !asked.below.is_empty() {
        html += &format!(
            "<p><a href=\"/compare?{pair}\">everything, not only what is{}</a></p>",
            below(asked)
        );
    }
    html
}

fn packages(changes: &[PackageChange]) -> Table {
    let mut table = Table::new([
        Column::text("Package"),
        Column::text("Change"),
        Column::text("Version before"),
        Column::text("Version after"),
        Column::number("Size before"),
        Column::number("Size after"),
    ])
    .when_empty(empty(
        "No package differs, or the images say nothing about their packages.",
        "",
    ));
    let version = |side: &Option<(String, u64)>| match side {
        Some((version, _)) => Cell::text(version.clone()),
        None => Cell::empty(),
    };
    let size =
        |side: &Option<(String, u64)>| side.as_ref().map_or_else(Cell::empty, |side| Cell::bytes(side.1));
    for change in changes.iter().take(PACKAGES_MOST) {
        table.push([
            Cell::text(change.name.clone()),
            changed(change.change),
            version(&change.left),
            version(&change.right),
            size(&change.left),
            size(&change.right),
        ]);
    }
    table
}

/// By word and shape, not by colour alone.
fn changed(word: &'static str) -> Cell {
    let shape = match word {
        "added" => "+",
        "removed" => "−",
        "upgraded" => "↑",
        "downgraded" => "↓",
        _ => "±",
    };
    Cell::html(
        format!("<span class=\"{word}\"><span aria-hidden=\"true\">{shape}</span> {word}</span>"),
        word,
    )
}

fn triggers(report: &Report) -> String {
    if let Some(problem) = &report.triggers_problem {
        return format!(
            "<p class=\"problem\">They cannot be told: {}</p>",
            escape(problem)
        );
    }
    let mut table = Table::new([
        Column::text("Service"),
        Column::text("Action"),
        Column::text("Impact"),
        Column::text("Paths that concern it"),
    ])
    .when_empty(empty(
        "Nothing has to be restarted for an update from the one to the other.",
        "",
    ));
    for trigger in &report.triggers {
        let action = match (trigger.do_reboot, trigger.do_reload) {
            (true, _) => "reboot",
            (false, true) => "reload",
            (false, false) => "restart",
        };
        table.push([
            Cell::text(trigger.service.clone()),
            Cell::text(action),
            Cell::text(if trigger.high_impact { "high" } else { "" }),
            Cell::text(trigger.match_lines.join(" ")),
        ]);
    }
    table.html()
}

fn directories(changes: &[DirectoryChange], left: &str, right: &str) -> Table {
    let mut table = Table::new([
        Column::text("Directory"),
        Column::number("Added"),
        Column::number("Removed"),
        Column::number("Changed"),
        Column::number("Bytes that went"),
        Column::number("Bytes that came"),
    ])
    .when_empty(empty("The trees are the same.", ""));
    for change in changes.iter().take(DIRECTORIES_MOST) {
        let target = format!(
            "/compare?{}&below={}#files",
            pair(left, right),
            front::page::encode(&change.path)
        );
        table.push([
            Cell::link(target, change.path.as_bstr().to_string()),
            Cell::count(change.added),
            Cell::count(change.removed),
            Cell::count(change.changed),
            Cell::bytes(change.bytes_left),
            Cell::bytes(change.bytes_right),
        ]);
    }
    table
}

/// The files in a table, which is also their form as CSV.
pub(super) fn files(changes: &[FileChange], asked: &Asked) -> Table {
    let mut table = Table::new([
        Column::text("Path"),
        Column::text("Change"),
        Column::number("Size before"),
        Column::number("Size after"),
        Column::text("What differs"),
    ])
    .when_empty(empty("No file differs here.", ""));
    let size = |side: Option<Side>| match side {
        Some(side) if side.kind == "file" => Cell::bytes(side.size),
        Some(side) => Cell::text(side.kind),
        None => Cell::empty(),
    };
    for change in changes {
        let image = if change.right.is_some() {
            &asked.right
        } else {
            &asked.left
        };
        table.push([
            Cell::link(
                file_link(&image.name, &change.path),
                change.path.as_bstr().to_string(),
            ),
            changed(change.change),
            size(change.left),
            size(change.right),
            what(change, asked),
        ]);
    }
    table
}

fn what(change: &FileChange, asked: &Asked) -> Cell {
    let words = differing(change.what);
    if !change.has_two_contents() {
        return Cell::text(words);
    }
    let (left, right) = (encode_value(&asked.left.name), encode_value(&asked.right.name));
    let path = front::page::encode(&change.path);
    let target = format!("/compareFile?left={left}&right={right}&path={path}");
    Cell::html(
        format!("<a href=\"{}\">{}</a>", escape(&target), escape(&words)),
        words,
    )
}

fn encode_value(name: &str) -> String {
    encode(name).replace('+', "%2B")
}

fn differing(what: What) -> String {
    let words = [
        (what.kind, "kind"),
        (what.content, "content"),
        (what.mode, "mode"),
        (what.owner, "owner"),
        (what.target, "target"),
        (what.rdev, "device"),
        (what.mtime, "time"),
    ];
    let words: Vec<&str> = words
        .iter()
        .filter(|(differs, _)| *differs)
        .map(|(_, word)| *word)
        .collect();
    words.join(", ")
}
