//! What a page is made from, and the few answers that many pages give.

use std::time::{Duration, SystemTime};

use super::actions::Visitor;
use crate::state::Shared;
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};
use front::page::{Page, Query, escape};
use front::site::Site;
use jiff::Timestamp;

/// See the module's text.
pub(super) struct Context<'r> {
    pub(super) shared: &'r Shared,
    pub(super) site: &'r Site,
    /// The raw query string.
    pub(super) query: &'r str,
    /// Who looks, if that is known.
    pub(super) visitor: Visitor,
}

impl<'r> Context<'r> {
    pub(super) fn of(shared: &'r Shared, site: &'r Site, request: &'r HttpRequest) -> Self {
        Self {
            shared,
            site,
            query: request.query_string(),
            visitor: Visitor::of(request),
        }
    }

    /// The name the query string is: the whole of it, undecoded, if `is_known` says so, else what is before `&`, unescaped
    /// (`imaginator-web.md`).
    pub(super) fn name(&self, is_known: impl Fn(&str) -> bool) -> String {
        if is_known(self.query) {
            return self.query.to_owned();
        }
        Query::new(self.query).raw_name().into_owned()
    }

    /// The value of a parameter; empty if it is not there.
    pub(super) fn value(&self, parameter: &str) -> String {
        Query::new(self.query)
            .get(parameter)
            .unwrap_or_default()
            .trim()
            .to_owned()
    }

    /// A page below the list of streams.
    pub(super) fn page(&self, title: impl Into<String>) -> Page<'r> {
        Page::new(self.site, title).crumb("/showImageStreams", "streams")
    }

    /// A page about a stream.
    pub(super) fn page_of(&self, stream: &str, title: impl Into<String>) -> Page<'r> {
        self.page(title).crumb(super::links::stream(stream), stream)
    }

    /// A text of the original with its status 200: scripts look for it.
    pub(super) fn told(&self, title: &str, text: &str) -> HttpResponse {
        self.page(title)
            .body(format!("<p>{}</p>", escape(text)))
            .respond()
    }

    /// Something that is not there.
    pub(super) fn not_found(&self, what: &str, why: &str, next: &str) -> HttpResponse {
        front::page::problem(self.site, StatusCode::NOT_FOUND, what, why, next)
    }

    /// Something went wrong on our side.
    pub(super) fn failed(&self, error: &dyn std::fmt::Display) -> HttpResponse {
        let status = StatusCode::INTERNAL_SERVER_ERROR;
        front::page::problem(self.site, status, "this did not work", &error.to_string(), "")
    }
}

/// Too many ask for what takes long.
pub(super) fn busy(site: &Site) -> HttpResponse {
    let status = StatusCode::SERVICE_UNAVAILABLE;
    let why = "Other pages that take long are being made.";
    front::page::problem(site, status, "too many are asking", why, "Ask again in a moment.")
}

/// A moment for cells and elements of time.
pub(super) fn timestamp(moment: SystemTime) -> Option<Timestamp> {
    Timestamp::try_from(moment).ok()
}

/// A moment as a `time` element; nothing for one that cannot be.
pub(super) fn time(moment: SystemTime) -> String {
    timestamp(moment).map(front::page::time).unwrap_or_default()
}

/// A moment as the original writes it: `22 Nov 2026 04:57:04 UTC`.
pub(super) fn exact(moment: SystemTime) -> String {
    timestamp(moment).map_or_else(String::new, |moment| {
        let zoned = moment.to_zoned(jiff::tz::TimeZone::system());
        zoned.strftime("%d %b %Y %H:%M:%S %Z").to_string()
    })
}

/// How long ago a moment was.
pub(super) fn since(moment: SystemTime, now: SystemTime) -> Duration {
    now.duration_since(moment).unwrap_or_default()
}

/// Text as it is.
pub(super) fn preformatted(text: &str) -> String {
    format!("<div class=\"scroll\"><pre>{}</pre></div>", escape(text))
}
