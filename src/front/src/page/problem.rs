//! Pages and passages for when there is nothing to show: what, why, what next.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};

use super::{Page, escape};
use crate::site::Site;

/// A page that says what went wrong, why, and what to do next. `next` is HTML, the others are text.
pub fn problem(site: &Site, status: StatusCode, what: &str, why: &str, next: &str) -> HttpResponse {
    let body = format!(
        "<section class=\"problem\"><p><strong>{}</strong></p><p>{}</p></section>",
        escape(why),
        if next.is_empty() {
            format!("<a href=\"{}\">go to the front page</a>", site.home())
        } else {
            next.to_owned()
        }
    );
    Page::new(site, what).status(status).body(body).respond()
}

/// Instead of an empty table: why it is empty (text), and what to do (HTML).
pub fn empty(why: &str, next: &str) -> String {
    format!(
        "<section class=\"empty\"><p>{}</p><p>{next}</p></section>",
        escape(why)
    )
}

/// The answer to every path nobody claims: a page for people, a line for scripts.
pub async fn not_found(request: HttpRequest, site: web::Data<Site>) -> HttpResponse {
    let accepts = request
        .headers()
        .get("Accept")
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    if accepts.contains("text/html") {
        let why = format!("There is no page {} here.", request.path());
        return problem(&site, StatusCode::NOT_FOUND, "page not found", &why, "");
    }
    HttpResponse::NotFound()
        .content_type("text/plain; charset=utf-8")
        .body("404 page not found\n")
}
