//! A finished page, as it leaves the thread that made it.

use actix_web::body::MessageBody;
use actix_web::http::StatusCode;
use actix_web::http::header::HeaderMap;
use actix_web::{HttpResponse, web};

/// A response cannot change threads; what it is made of can.
pub(super) struct Made {
    status: StatusCode,
    headers: HeaderMap,
    body: web::Bytes,
}

impl Made {
    /// Takes a response apart. `None` if its body is a stream, which pages have not.
    pub(super) fn of(response: HttpResponse) -> Option<Self> {
        let (head, body) = response.into_parts();
        Some(Self {
            status: head.status(),
            headers: head.headers().clone(),
            body: body.try_into_bytes().ok()?,
        })
    }

    pub(super) fn respond(self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status).body(self.body);
        *response.headers_mut() = self.headers;
        response
    }
}
