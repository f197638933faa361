//! `/ui/images/UUID`: one image. Its manifest readable and raw, files with digests, where it comes from, how to download it.

use actix_web::HttpResponse;
use front::page::{Cell, Column, Page, Table, empty, encode, escape, shell_word};
use repository::catalogue::{Entry, State};
use repository::json::{Value, to_text};

use super::viewer::{Viewer, manifest, manifest_text};
use super::{image_cells, images};

/// Origins that are followed: clients refuse longer chains as well.
const ORIGINS_MOST: usize = 32;
/// Images based on this one that are shown.
const DEPENDENTS_SHOWN: usize = 50;
/// Fields that have a place of their own on the page.
const SHOWN_ELSEWHERE: [&str; 6] = ["files", "channels", "acl", "icon", "description", "origin"];

/// The page.
pub(super) fn page(viewer: &Viewer<'_>) -> HttpResponse {
    let entry = match viewer.image() {
        Ok(entry) => entry,
        Err(error) => return viewer.refuse(&error),
    };
    let manifest = manifest(entry.form());
    let sections = [
        description(&entry, &manifest),
        fields(&entry, &manifest),
        files(&entry),
        channels(&entry),
        shared(&manifest),
        origins(viewer, &entry),
        dependents(viewer, &entry),
        raw(&entry),
    ];
    let title = format!("{} {}", entry.name(), entry.version());
    Page::new(
        viewer.site,
        if title.trim().is_empty() {
            entry.uuid().to_string()
        } else {
            title
        },
    )
    .crumb("/ui/images", "images")
    .crumb(image_cells::path(&entry), entry.uuid().to_string())
    .body(sections.concat())
    .command(commands(viewer, &entry))
    .respond()
}

fn description(entry: &Entry, manifest: &Value) -> String {
    let icon = match entry.icon() {
        Some(_) => format!(
            "<p><img src=\"/images/{}/icon?{}\" alt=\"icon\" width=\"96\"></p>",
            entry.uuid(),
            escape(&and_channel(entry))
        ),
        None => String::new(),
    };
    let text = manifest.get("description").map(to_text).unwrap_or_default();
    let text = if text.is_empty() {
        String::new()
    } else {
        format!("<p>{}</p>", escape(&text))
    };
    format!("{icon}{text}")
}

fn fields(entry: &Entry, manifest: &Value) -> String {
    let mut table = Table::new([Column::text("Field"), Column::text("Value")]);
    for (key, value) in manifest.as_object().into_iter().flatten() {
        if SHOWN_ELSEWHERE.contains(&key.as_str()) {
            continue;
        }
        let value = match value {
            Value::String(_) if key == "state" => image_cells::state(entry),
            Value::String(text) if key == "published_at" => image_cells::published(text),
            Value::String(text) if is_address(text) => {
                let address = escape(text);
                // Whoever is there need not know which page it was.
                let link =
                    format!("<a href=\"{address}\" rel=\"noreferrer noopener nofollow\">{address}</a>");
                Cell::html(link, text.clone())
            }
            Value::String(text) => Cell::text(text.clone()),
            Value::Array(_) | Value::Object(_) => {
                let text = repository::json::pretty(value, 2);
                Cell::html(format!("<pre>{}</pre>", escape(&text)), text)
            }
            other => Cell::text(to_text(other)),
        };
        table.push([Cell::word(key.clone()), value]);
    }
    format!("<h2>Manifest</h2>{}", table.html())
}

/// Whether a text can be followed: nothing but a page somewhere.
fn is_address(text: &str) -> bool {
    ["http://", "https://"]
        .iter()
        .any(|scheme| text.starts_with(scheme))
}

fn files(entry: &Entry) -> String {
    let mut table = Table::new([
        Column::text("File"),
        Column::number("Size"),
        Column::text("Compression"),
        Column::text("SHA-1"),
        Column::text("MD5, base64"),
        Column::text("Uploaded"),
    ])
    .when_empty(empty(
        "No file has been uploaded.",
        "<code>imgapi-cli add-file UUID -f FILE</code>, then <code>activate</code>",
    ));
    for (index, file) in entry.files().iter().enumerate() {
        let path = format!(
            "/images/{}/file?index={index}{}",
            entry.uuid(),
            and_channel(entry)
        );
        table.push([
            Cell::link(path, format!("file {index}")),
            Cell::bytes(file.size),
            Cell::text(file.compression.word()),
            Cell::hash(file.sha1.clone()),
            Cell::text(file.content_md5.clone().unwrap_or_default()),
            image_cells::published(file.mtime.as_deref().unwrap_or_default()),
        ]);
    }
    format!("<h2>Files</h2>{}", table.html())
}

fn channels(entry: &Entry) -> String {
    let links: Vec<String> = entry
        .channels()
        .map(|name| {
            format!(
                "<a href=\"{}\">{}</a>",
                escape(&images::of_channel(name)),
                escape(name)
            )
        })
        .collect();
    if links.is_empty() {
        return String::new();
    }
    format!("<h2>Channels</h2><p>{}</p>", links.join(", "))
}

/// Who sees it although it is private.
fn shared(manifest: &Value) -> String {
    let accounts: Vec<String> = manifest
        .get("acl")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .map(|account| format!("<li><code>{}</code></li>", escape(&to_text(account))))
        .collect();
    if accounts.is_empty() {
        return String::new();
    }
    format!("<h2>Shared with</h2><ul>{}</ul>", accounts.concat())
}

/// What it is based on, nearest first.
fn origins(viewer: &Viewer<'_>, entry: &Entry) -> String {
    let mut items = String::new();
    let mut next = entry.origin();
    for _ in 0..ORIGINS_MOST {
        let Some(uuid) = next else { break };
        let Some(origin) = viewer.catalogue.get(uuid) else {
            items += &format!("<li><code>{uuid}</code>, which is not here</li>");
            break;
        };
        if viewer.is_hidden(origin) {
            items += &format!("<li><code>{uuid}</code></li>");
            break;
        }
        items += &item(origin);
        next = origin.origin();
    }
    if items.is_empty() {
        return String::new();
    }
    format!(
        "<h2>Based on</h2><p>A machine needs these first, the last one before the others.</p><ol>{items}</ol>"
    )
}

fn dependents(viewer: &Viewer<'_>, entry: &Entry) -> String {
    let all = viewer.catalogue.dependents(entry.uuid(), None);
    // Of those that nobody may list nothing is told but how many there are.
    let listed = |uuid| {
        let found = viewer.catalogue.get(uuid)?;
        (viewer.is_operator() || found.state() == State::Active).then(|| item(found))
    };
    let items: Vec<String> = all
        .iter()
        .take(DEPENDENTS_SHOWN)
        .filter_map(|uuid| listed(*uuid))
        .collect();
    if items.is_empty() {
        return String::new();
    }
    format!(
        "<h2>Images based on it</h2><p>It cannot be deleted before them.</p><ul>{}</ul>",
        items.concat()
    )
}

fn item(entry: &Entry) -> String {
    format!(
        "<li><a href=\"{}\">{} {}</a> <code>{}</code></li>",
        image_cells::path(entry),
        escape(entry.name()),
        escape(entry.version()),
        entry.uuid()
    )
}

fn raw(entry: &Entry) -> String {
    format!(
        "<details><summary>Manifest as JSON</summary><p><a href=\"/images/{}?{}\">as the API answers</a></p><pre>{}</pre></details>",
        entry.uuid(),
        escape(&and_channel(entry)),
        escape(&manifest_text(entry.form()))
    )
}

/// The parameter with which the API finds it, where there are channels.
fn and_channel(entry: &Entry) -> String {
    let channel = entry.channels().next();
    channel.map_or_else(String::new, |channel| format!("&channel={}", encode(channel)))
}

/// How to download it, and to be sure of what came.
fn commands(viewer: &Viewer<'_>, entry: &Entry) -> String {
    let (api, uuid) = (viewer.api(), entry.uuid());
    // One that is not in the default channel is not found without a channel.
    let (option, query) = match entry.channels().next() {
        Some(channel) => (
            format!(" --channel {}", shell_word(channel)),
            format!("?channel={}", encode(channel)),
        ),
        None => (String::new(), String::new()),
    };
    match entry.files().first() {
        Some(file) => format!(
            "imgapi-cli --url {api}{option} get-file {uuid} -o {uuid}.file\n\
             curl -fo {uuid}.file '{api}/images/{uuid}/file{query}' && echo '{}  {uuid}.file' | sha1sum -c",
            file.sha1
        ),
        None => format!("imgapi-cli --url {api}{option} get {uuid}"),
    }
}
