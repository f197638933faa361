//! Answers, with the headers that all have (imgapi.md §3.1).

mod content;
mod direct;

pub(crate) use content::Content;

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, ETAG, HeaderName, HeaderValue, SERVER};
use bytes::Bytes;
use repository::ApiError;
use repository::catalogue::{Entry, write_one};
use repository::configuration::Settings;
use repository::http::ApiVersion;

use crate::listener::Wire;
use crate::state::State;

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const RESPONSE_TIME: HeaderName = HeaderName::from_static("x-response-time");
const SERVER_NAME: HeaderName = HeaderName::from_static("x-server-name");
const OWN_SERVER: HeaderValue = HeaderValue::from_static("imgapi/4.13.1");

/// Status, headers, body.
pub(crate) struct Answer {
    status: u16,
    headers: Vec<(HeaderName, HeaderValue)>,
    content: Content,
}

impl Answer {
    /// Without a body.
    pub(crate) fn empty(status: u16) -> Self {
        Self::new(status, Content::None)
    }

    /// With a body.
    pub(crate) fn new(status: u16, content: Content) -> Self {
        Self {
            status,
            headers: Vec::new(),
            content,
        }
    }

    /// 200 with a text that is JSON.
    pub(crate) fn json(text: impl Into<Bytes>) -> Self {
        Self::json_with(200, text)
    }

    /// A text that is JSON.
    pub(crate) fn json_with(status: u16, text: impl Into<Bytes>) -> Self {
        let mut answer = Self::new(status, Content::Bytes(text.into()));
        answer.headers.push((CONTENT_TYPE, JSON));
        answer
    }

    /// 200 with one image and its entity tag.
    pub(crate) fn image(entry: &Entry, version: ApiVersion, is_admin: bool) -> Self {
        let tag = entry.form().entity_tag(version, is_admin);
        Self::image_without_tag(entry, version, is_admin).with_name(ETAG, &tag)
    }

    /// The same without its entity tag: the original sends none behind some actions (imgapi.md §3.1).
    pub(crate) fn image_without_tag(entry: &Entry, version: ApiVersion, is_admin: bool) -> Self {
        let mut body = Vec::new();
        write_one(entry.form(), version, is_admin, &mut body);
        Self::json(body)
    }

    /// With a header; lower-case name. A value that is none is left out: what comes from records may hold anything.
    #[must_use]
    pub(crate) fn with(self, name: &'static str, value: &str) -> Self {
        self.with_name(HeaderName::from_static(name), value)
    }

    /// The same for a name of the HTTP library.
    #[must_use]
    pub(crate) fn with_name(mut self, name: HeaderName, value: &str) -> Self {
        match HeaderValue::from_str(value) {
            Ok(value) => self.headers.push((name, value)),
            Err(_) => tracing::warn!(%name, value, "left out of an answer: no value of a header"),
        }
        self
    }

    /// As the HTTP library takes it.
    pub(crate) fn into_response(
        self,
        wire: Option<&Wire>,
        state: &State,
        settings: &Settings,
        id: HeaderValue,
        duration: Duration,
    ) -> HttpResponse<Content> {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = HttpResponse::with_body(status, self.content.past_library(wire));
        if let Some(length) = response.body().own_length() {
            response.head_mut().no_chunking(true);
            response
                .headers_mut()
                .insert(actix_web::http::header::CONTENT_LENGTH, length.into());
        }
        let headers = response.headers_mut();
        for (name, value) in self.headers {
            headers.insert(name, value);
        }
        let server = settings
            .server_name
            .as_deref()
            .and_then(|name| HeaderValue::from_str(name).ok());
        headers.insert(SERVER, server.unwrap_or(OWN_SERVER));
        headers.insert(REQUEST_ID, id);
        headers.insert(RESPONSE_TIME, (duration.as_millis() as u64).into());
        headers.insert(SERVER_NAME, state.host_name().clone());
        response
    }
}

impl From<ApiError> for Answer {
    fn from(error: ApiError) -> Self {
        Self::json_with(error.status(), error.body())
    }
}
