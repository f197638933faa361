//! The frame.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::CACHE_CONTROL;
use askama::Template;
use jiff::Timestamp;

use super::format;
use crate::health::Condition;
use crate::site::{Link, Site};

/// A page in the making.
pub struct Page<'a> {
    site: &'a Site,
    title: String,
    crumbs: Vec<Link>,
    body: String,
    command: Option<String>,
    status: StatusCode,
    refresh_seconds: Option<u32>,
}

#[derive(Template)]
#[template(path = "frame.html")]
struct Frame<'a> {
    site: &'a Site,
    title: &'a str,
    crumbs: &'a [Link],
    body: &'a str,
    command: Option<&'a str>,
    condition: Condition,
    made: String,
    refresh_seconds: Option<u32>,
}

impl<'a> Page<'a> {
    /// A page of this title.
    pub fn new(site: &'a Site, title: impl Into<String>) -> Self {
        Self {
            site,
            title: title.into(),
            crumbs: Vec::new(),
            body: String::new(),
            command: None,
            status: StatusCode::OK,
            refresh_seconds: None,
        }
    }

    /// Adds a step of the way from the front page to here.
    pub fn crumb(mut self, href: impl Into<String>, text: impl Into<String>) -> Self {
        self.crumbs.push(Link {
            href: href.into(),
            text: text.into(),
        });
        self
    }

    /// What the page says, as HTML.
    pub fn body(mut self, html: impl Into<String>) -> Self {
        self.body = html.into();
        self
    }

    /// How to get the same from the command line.
    pub fn command(mut self, command: impl Into<String>) -> Self {
        self.command = Some(command.into());
        self
    }

    /// Another status than 200.
    pub fn status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// Where no scripts run, the browser asks again after so many seconds: for pages with parts that follow what happens.
    pub fn refresh_without_scripts(mut self, seconds: u32) -> Self {
        self.refresh_seconds = Some(seconds);
        self
    }

    /// The whole document.
    pub fn html(&self) -> Result<String, askama::Error> {
        Frame {
            site: self.site,
            title: &self.title,
            crumbs: &self.crumbs,
            body: &self.body,
            command: self.command.as_deref(),
            condition: self.site.health().overall(),
            made: format::time(Timestamp::now()),
            refresh_seconds: self.refresh_seconds,
        }
        .render()
    }

    /// The answer to a request.
    pub fn respond(&self) -> HttpResponse {
        match self.html() {
            Ok(html) => HttpResponse::build(self.status)
                .content_type("text/html; charset=utf-8")
                .insert_header((CACHE_CONTROL, "no-cache"))
                .body(html),
            Err(error) => {
                HttpResponse::InternalServerError().body(format!("cannot make the page: {error}\n"))
            }
        }
    }
}
