//! What is recorded and counted of each request when its answer is out, or its client gone (imgapi-operations.md §9, §10).

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use actix_web::body::{BodySize, MessageBody};
use actix_web::http::header::HeaderValue;
use actix_web::{HttpRequest, HttpResponse};
use bytes::Bytes;
use repository::configuration::Settings;
use repository::http::Endpoint;
use repository::remote::request_without_secrets;

use crate::answer::Content;
use crate::client;
use crate::metrics::Request;
use crate::request::{header, url};
use crate::state::Shared;

/// A request whose answer is on its way.
pub(crate) struct Audit {
    state: Shared,
    begun: Instant,
    endpoint: Option<Endpoint>,
    http: HttpRequest,
    settings: std::sync::Arc<Settings>,
    id: HeaderValue,
    user: Option<String>,
    status: u16,
    bytes: u64,
}

impl Audit {
    /// Of a request that began then. Nothing is said before the answer is out.
    pub(crate) fn new(
        state: &Shared,
        settings: &std::sync::Arc<Settings>,
        http: &HttpRequest,
        id: &HeaderValue,
        begun: Instant,
    ) -> Self {
        Self {
            state: Shared::clone(state),
            settings: std::sync::Arc::clone(settings),
            begun,
            endpoint: None,
            http: http.clone(),
            id: id.clone(),
            user: None,
            status: 0,
            bytes: 0,
        }
    }

    /// Which endpoint it went to, and who asked.
    pub(crate) fn went_to(&mut self, endpoint: Option<Endpoint>, user: Option<String>) {
        self.endpoint = endpoint;
        self.user = user;
    }

    /// Goes along with the answer.
    pub(crate) fn of(mut self, response: HttpResponse<Content>) -> HttpResponse<Audited> {
        self.status = response.status().as_u16();
        response.map_body(|_, content| Audited { content, audit: self })
    }

    fn record(&self) {
        let took = self.begun.elapsed();
        let route = self.endpoint.map_or("unknown", Endpoint::word);
        let agent = header(&self.http, "user-agent");
        self.state.requests().count(&Request {
            route,
            method: self.http.method().as_str(),
            user_agent: agent.as_deref(),
            status: self.status,
            took,
        });
        // Health checks ask several times a second.
        if matches!(self.endpoint, Some(Endpoint::Ping | Endpoint::PublicDocs)) {
            return;
        }
        let remote = client::address(&self.http, &self.settings).map(|address| address.to_string());
        tracing::info!(
            _audit = true,
            req_id = self.id.to_str().unwrap_or_default(),
            route,
            user = self.user.as_deref(),
            remoteAddress = remote.as_deref(),
            userAgent = agent.as_deref(),
            req.method = self.http.method().as_str(),
            req.url = &*request_without_secrets(url(&self.http)),
            res.statusCode = u64::from(self.status),
            res.bytes = self.bytes,
            latency = took.as_millis() as u64,
            "handled: {}",
            self.status
        );
    }
}

/// The body of an answer, which tells its end.
pub(crate) struct Audited {
    content: Content,
    audit: Audit,
}

impl MessageBody for Audited {
    type Error = std::io::Error;

    fn size(&self) -> BodySize {
        self.content.size()
    }

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<std::io::Result<Bytes>>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.content).poll_next(cx);
        if let Poll::Ready(Some(Ok(bytes))) = &polled {
            this.audit.bytes += bytes.len() as u64;
        }
        polled
    }
}

impl Drop for Audited {
    fn drop(&mut self) {
        self.audit.record();
    }
}
