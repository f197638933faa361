//! What a page is made from, and the few answers that many pages give.

use std::sync::Arc;

use crate::state::Shared;
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};
use actors::image_index::ImageEntry;
use front::page::{Page, Query, escape};
use front::site::Site;

/// See the module's text.
pub(super) struct Context<'r> {
    pub(super) shared: &'r Shared,
    pub(super) site: &'r Site,
    /// The raw query string.
    pub(super) query: &'r str,
}

impl<'r> Context<'r> {
    pub(super) fn of(shared: &'r Shared, site: &'r Site, request: &'r HttpRequest) -> Self {
        Self {
            shared,
            site,
            query: request.query_string(),
        }
    }

    /// The image the query string names: the whole of it (`imageserver.md §9`), or what is before `&`, unescaped. `Err` has the
    /// name of an image that is not there.
    pub(super) fn image(&self) -> Result<Arc<ImageEntry>, String> {
        let snapshot = self.shared.images.snapshot();
        let name = Query::new(self.query).raw_name();
        let found = snapshot
            .images
            .get(self.query)
            .or_else(|| snapshot.images.get(&*name));
        found.cloned().ok_or_else(|| name.into_owned())
    }

    /// The value of a parameter; empty if it is not there.
    pub(super) fn value(&self, parameter: &str) -> String {
        Query::new(self.query)
            .get(parameter)
            .unwrap_or_default()
            .trim()
            .to_owned()
    }

    /// The image that a parameter names.
    pub(super) fn image_of(&self, parameter: &str) -> Result<Arc<ImageEntry>, String> {
        let name = self.value(parameter);
        let snapshot = self.shared.images.snapshot();
        snapshot.images.get(&*name).cloned().ok_or(name)
    }

    /// A page below the directories of images.
    pub(super) fn page(&self, title: impl Into<String>) -> Page<'r> {
        Page::new(self.site, title).crumb("/images", "images")
    }

    /// A page about one image.
    pub(super) fn page_of(&self, entry: &ImageEntry, title: impl Into<String>) -> Page<'r> {
        let directory = image::name::parent(&entry.name);
        let last = entry.name.rsplit('/').next().unwrap_or_default();
        below(self.page(title), directory).crumb(image_link(&entry.name), last)
    }

    /// The text of the original, with its status 200: scripts look for it (`imageserver.md §9`).
    pub(super) fn unknown_image(&self, name: &str) -> HttpResponse {
        self.page("unknown image")
            .body(format!("<p>{}</p>", escape(&unknown(name))))
            .respond()
    }

    /// Too many ask for what takes long.
    pub(super) fn busy(&self) -> HttpResponse {
        busy(self.site)
    }

    /// Something went wrong on our side.
    pub(super) fn failed(&self, error: &dyn std::fmt::Display) -> HttpResponse {
        let why = error.to_string();
        front::page::problem(
            self.site,
            StatusCode::INTERNAL_SERVER_ERROR,
            "this did not work",
            &why,
            "",
        )
    }
}

/// Too many ask for what takes long.
pub(super) fn busy(site: &Site) -> HttpResponse {
    front::page::problem(
        site,
        StatusCode::SERVICE_UNAVAILABLE,
        "too many are asking",
        "Other pages that take long are being made, and many are waiting.",
        "Ask again in a moment.",
    )
}

/// Adds the steps down to a directory of images.
pub(super) fn below<'p>(mut page: Page<'p>, directory: &str) -> Page<'p> {
    let mut end = 0;
    for step in directory.split('/').filter(|step| !matches!(*step, "" | ".")) {
        end += step.len() + usize::from(end > 0);
        let path = directory.get(..end).unwrap_or(directory);
        page = page.crumb(directory_link(path), step);
    }
    page
}

/// The page of an image.
pub(super) fn image_link(name: &str) -> String {
    format!("/showImage?{}", encode(name))
}

/// The page of a directory of images.
pub(super) fn directory_link(name: &str) -> String {
    format!("/images?directory={}", front::page::encode(name))
}

/// The page of a file or directory in an image.
pub(super) fn file_link(image: &str, path: &[u8]) -> String {
    let (image, path) = (front::page::encode(image), front::page::encode(path));
    format!("/files?image={image}&path={path}")
}

/// What is said about an image that does not exist.
pub(super) fn unknown(name: &str) -> String {
    format!("Image: {name} UNKNOWN!")
}

/// Text as it is.
pub(super) fn preformatted(text: &str) -> String {
    format!("<div class=\"scroll\"><pre>{}</pre></div>", escape(text))
}

/// A name as a query string: what would change its meaning on the way is escaped, the rest stays readable.
pub(super) fn encode(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for &byte in name.as_bytes() {
        match byte {
            b'A'..=b'Z'
            | b'a'..=b'z'
            | b'0'..=b'9'
            | b'-'
            | b'_'
            | b'.'
            | b'~'
            | b'/'
            | b':'
            | b'@'
            | b','
            | b'+' => {
                out.push(char::from(byte));
            }
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_encoded_name_is_read_back() {
        for name in ["a/b.1", "über <x> & \"y\"?#%41", "c++/2026-11-22:07", ""] {
            assert_eq!(Query::new(&encode(name)).raw_name(), name);
        }
    }
}
