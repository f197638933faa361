//! `/search?q=WORDS`: images and directories by name, tags, people and what they were built from. Our own addition.

use super::context::{Context, directory_link};
use super::directories::created;
use super::image_cells::{ImageRow, columns};
use actix_web::HttpResponse;
use actors::image_index::ImageEntry;
use front::page::{Output, Pager, Query, Table, empty, escape};

/// Images on a page.
const IMAGES_MOST: usize = 200;
/// Directories that are shown before the images.
const DIRECTORIES_MOST: usize = 20;
/// Words that are looked for; further ones are left out.
const WORDS_MOST: usize = 16;

/// The page.
pub(super) fn page(context: &Context<'_>) -> HttpResponse {
    let asked = context.value("q");
    let words: Vec<&str> = asked.split_whitespace().take(WORDS_MOST).collect();
    let snapshot = context.shared.images.snapshot();
    let mut found: Vec<&ImageEntry> = Vec::new();
    if !words.is_empty() {
        found.extend(
            snapshot
                .images
                .values()
                .map(|entry| &**entry)
                .filter(|entry| has_all(entry, &words)),
        );
    }
    found.sort_by_key(|entry| std::cmp::Reverse(created(entry)));
    let pager = Pager::new(context.query, found.len(), IMAGES_MOST);
    let why = if words.is_empty() {
        "Give a word or several, in the field above.".to_owned()
    } else {
        format!("No image has all of: {}.", words.join(", "))
    };
    let mut table = Table::new(columns(false)).when_empty(empty(
        &why,
        "Looked at are names, tags (<code>key=value</code>), who made an image and for whom, owners, branch, commit, repository and source image.",
    ));
    for entry in found.get(pager.shown()).unwrap_or_default() {
        table.push(ImageRow { entry, before: None }.cells());
    }
    let title = if words.is_empty() {
        "search".to_owned()
    } else {
        format!("search for {}", words.join(" "))
    };
    let page = context
        .page(title)
        .command("imagetool -tagsToMatch=KEY=VALUE list");
    let mut before = form(&asked);
    if Query::new(context.query).output() == Output::Html && !words.is_empty() {
        let names = snapshot.directories.keys().map(|name| &**name);
        let directories: Vec<&str> = names
            .filter(|name| words.iter().all(|word| contains(name, word)))
            .collect();
        before += &directory_links(&directories);
        before += &format!("<h2>{} images</h2>", found.len());
    }
    table.respond_with(context.query, page, &before, &pager.html())
}

fn form(asked: &str) -> String {
    format!(
        "<form class=\"ask\" action=\"/search\"><label>words <input type=\"search\" name=\"q\" value=\"{}\" size=\"40\"></label> <button>search</button></form>",
        escape(asked)
    )
}

fn directory_links(names: &[&str]) -> String {
    if names.is_empty() {
        return String::new();
    }
    let links: Vec<String> = names
        .iter()
        .take(DIRECTORIES_MOST)
        .map(|name| {
            format!(
                "<a href=\"{}\">{}</a>",
                escape(&directory_link(name)),
                escape(name)
            )
        })
        .collect();
    let more = match names.len().saturating_sub(DIRECTORIES_MOST) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("<p>Directories: {}{more}</p>", links.join(", "))
}

/// Whether each word is somewhere in what is known about an image, regardless of case.
fn has_all(entry: &ImageEntry, words: &[&str]) -> bool {
    words.iter().all(|word| has(entry, word))
}

fn has(entry: &ImageEntry, word: &str) -> bool {
    let metadata = &entry.metadata;
    let texts = [
        &*entry.name,
        &metadata.created_by,
        &metadata.created_for,
        &metadata.build_branch,
        &metadata.build_commit_id,
        &metadata.build_git_url,
        &metadata.source_image,
    ];
    texts.iter().any(|text| contains(text, word))
        || metadata
            .tags
            .iter()
            .any(|(key, value)| is_in_tag(key, value, word))
        || metadata.owner_users.iter().any(|owner| contains(owner, word))
        || metadata.owner_groups.iter().any(|owner| contains(owner, word))
}

/// A word with an equals sign spans key and value.
fn is_in_tag(key: &str, value: &str, word: &str) -> bool {
    match word.split_once('=') {
        None => contains(key, word) || contains(value, word),
        Some((of_key, of_value)) => {
            let (start, ends) = (value.as_bytes().get(..of_value.len()), key.len() >= of_key.len());
            let end = key.as_bytes().get(key.len().saturating_sub(of_key.len())..);
            ends && start.is_some_and(|start| start.eq_ignore_ascii_case(of_value.as_bytes()))
                && end.is_some_and(|end| end.eq_ignore_ascii_case(of_key.as_bytes()))
        }
    }
}

/// Regardless of the case of Latin letters, and without copying: this is asked of each text of a hundred thousand images.
fn contains(text: &str, word: &str) -> bool {
    let (text, word) = (text.as_bytes(), word.as_bytes());
    let Some(first) = word.first() else { return true };
    let (lower, upper) = (first.to_ascii_lowercase(), first.to_ascii_uppercase());
    let last_start = (text.len() + 1).saturating_sub(word.len());
    (0..last_start).any(|start| {
        let is_first = text
            .get(start)
            .is_some_and(|byte| *byte == lower || *byte == upper);
        is_first
            && text
                .get(start..start + word.len())
                .is_some_and(|part| part.eq_ignore_ascii_case(word))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_regardless_of_case() {
        for (text, word, is_there) in [
            ("base/Web-1", "web", true),
            ("base/web-1", "WEB-1", true),
            ("web", "webs", false),
            ("", "x", false),
            ("x", "", true),
            ("über", "ÜBER", false),
            ("aab", "ab", true),
        ] {
            assert_eq!(contains(text, word), is_there, "{text} {word}");
        }
        assert!(is_in_tag("arch", "amd64", "arch=amd"));
        assert!(is_in_tag("my.arch", "amd64", "ARCH=AMD64"));
        assert!(!is_in_tag("arch", "amd64", "arch=md64"));
    }
}
