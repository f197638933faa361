//! Whether a request that changes something is to be done, and in whose name.

use std::collections::HashMap;
use std::time::SystemTime;

use super::Visitor;
use crate::state::Shared;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap};
use actix_web::{HttpRequest, HttpResponse, web};
use front::site::Site;

/// What a form sends.
pub(super) type Sent = web::Form<HashMap<String, String>>;

/// Somebody who may do what he asks for.
pub(super) struct Allowed {
    pub(super) username: String,
    visitor: Visitor,
}

/// Why not.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
enum Refusal {
    #[error("The request was made by a page of another site.")]
    ForeignPage,
    #[error("It takes a token: a page never sees a certificate.")]
    NoToken,
    #[error("{0}")]
    Token(String),
    #[error("The request was not made by a page of this image builder.")]
    NoProof,
}

impl Allowed {
    /// Goes on to a page, and keeps the token for the next time.
    pub(super) fn go_to(&self, path: &str) -> HttpResponse {
        HttpResponse::SeeOther()
            .insert_header((header::LOCATION, path))
            .insert_header((header::SET_COOKIE, self.visitor.cookie()))
            .content_type("text/plain; charset=utf-8")
            .body("done\n")
    }
}

/// Who asks, if he may; else the answer that says why not.
pub(super) fn authorise(
    shared: &Shared,
    site: &Site,
    request: &HttpRequest,
    sent: &Sent,
    method: &str,
) -> Result<Allowed, Box<HttpResponse>> {
    let refused = match examine(shared, request, sent, method) {
        Ok(allowed) => return Ok(allowed),
        Err(refusal) => refusal,
    };
    tracing::info!(method, peer = ?request.peer_addr(), "a page was refused to act: {refused}");
    Err(Box::new(front::page::problem(
        site,
        StatusCode::FORBIDDEN,
        "not allowed",
        &refused.to_string(),
        "Get a token with <code>builder-tool get-page-token</code>, which takes a certificate with powers for the method, \
         go back and give it to the form; or use the command the form shows.",
    )))
}

fn examine(shared: &Shared, request: &HttpRequest, sent: &Sent, method: &str) -> Result<Allowed, Refusal> {
    if !is_of_own_page(request.headers()) {
        return Err(Refusal::ForeignPage);
    }
    let given = sent.get("token").map(|token| token.trim()).unwrap_or_default();
    let visitor = if given.is_empty() {
        let visitor = Visitor::of(request);
        if visitor.token().is_empty() {
            return Err(Refusal::NoToken);
        }
        let proof = sent.get("proof").map(String::as_str).unwrap_or_default();
        let ours = visitor.proof();
        // Of one length, so that comparing takes the same time whatever differs.
        if proof.len() != ours.len() || !openssl::memcmp::eq(proof.as_bytes(), ours.as_bytes()) {
            return Err(Refusal::NoProof);
        }
        visitor
    } else {
        Visitor::with(given)
    };
    let checked = shared.tokens.check(visitor.token(), method, SystemTime::now());
    let username = checked.map_err(|error| Refusal::Token(error.to_string()))?;
    Ok(Allowed { username, visitor })
}

/// Whether browsers say that a page of this very host made the request, or nothing at all, as programs do.
pub(in crate::pages) fn is_of_own_page(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    if text("sec-fetch-site").is_some_and(|site| site != "same-origin" && site != "none") {
        return false;
    }
    let Some(origin) = text("origin") else { return true };
    let host = text("host").unwrap_or_default();
    let of_origin = origin
        .strip_prefix("http://")
        .or_else(|| origin.strip_prefix("https://"));
    !host.is_empty() && of_origin == Some(host)
}

/// `POST /forgetToken`: takes the cookie away, and the token back, also from who has read it on the way.
pub(super) async fn forget(shared: web::Data<Shared>, request: HttpRequest) -> HttpResponse {
    if !is_of_own_page(request.headers()) {
        return HttpResponse::Forbidden().finish();
    }
    shared
        .tokens
        .revoke(Visitor::of(&request).token(), SystemTime::now());
    HttpResponse::SeeOther()
        .insert_header((header::LOCATION, "/"))
        .insert_header((header::SET_COOKIE, Visitor::no_cookie()))
        .finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    #[test]
    fn only_pages_of_this_host_and_programs_may_post() {
        let own = |headers: &[(&'static str, &'static str)]| {
            let request = headers.iter().fold(TestRequest::post(), |request, header| {
                request.insert_header(*header)
            });
            is_of_own_page(request.to_http_request().headers())
        };
        let host = ("host", "builder:6975");
        assert!(own(&[host]), "a program");
        assert!(own(&[
            host,
            ("origin", "http://builder:6975"),
            ("sec-fetch-site", "same-origin")
        ]));
        for origin in [
            "http://builder",
            "http://builder:80",
            "http://evil",
            "null",
            "",
            "http://builder:6975.evil",
        ] {
            assert!(!own(&[host, ("origin", origin)]), "{origin}");
        }
        assert!(!own(&[host, ("sec-fetch-site", "cross-site")]));
        assert!(!own(&[host, ("sec-fetch-site", "same-site")]));
        assert!(!own(&[("origin", "http://builder:6975"), ("host", "")]));
    }
}
