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

    /// A page below the list of images.
    pub(super) fn page(&self, title: impl Into<String>) -> Page<'r> {
        Page::new(self.site, title).crumb("/listImages", "images")
    }

    /// A page about one image.
    pub(super) fn page_of(&self, entry: &ImageEntry, title: impl Into<String>) -> Page<'r> {
        self.page(title).crumb(
            format!("/showImage?{}", encode(&entry.name)),
            entry.name.to_string(),
        )
    }

    /// The text of the original, with its status 200: scripts look for it (`imageserver.md §9`).
    pub(super) fn unknown_image(&self, name: &str) -> HttpResponse {
        self.page("unknown image")
            .body(format!("<p>{}</p>", escape(&unknown(name))))
            .respond()
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
