//! The SRPC paths as seen by ordinary requests: helper pages, and refusals (`srpc.md §2.3, §9`).

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use srpc::Decision;

/// Adds the paths.
pub(super) fn configure(config: &mut web::ServiceConfig) {
    for path in [
        "/_goSRPC_/{rest:.*}",
        "/_go_TLS_SRPC_/{rest:.*}",
        "/_SRPC_/unsecured/JSON",
        "/_SRPC_/TLS/JSON",
    ] {
        config.service(web::resource(path).to(answer));
    }
}

async fn answer(request: HttpRequest, server: web::Data<srpc::Server>) -> HttpResponse {
    match server.endpoint(request.method().as_str(), request.path(), request.uri().query()) {
        Decision::Page(page) => page_text(page, server.into_inner()).await,
        Decision::Refuse(status) => plain(
            StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST),
            "",
        ),
        // A CONNECT never comes here.
        Decision::Accept(_) => plain(StatusCode::BAD_REQUEST, ""),
        Decision::Elsewhere => plain(StatusCode::NOT_FOUND, "404 page not found\n"),
    }
}

/// The host name is looked up by a program, which may take a while the first time.
async fn page_text(page: srpc::pages::Page, server: Arc<srpc::Server>) -> HttpResponse {
    match web::block(move || page.text(server.registry())).await {
        Ok(Ok(text)) => plain(StatusCode::OK, text),
        Ok(Err(error)) => plain(StatusCode::INTERNAL_SERVER_ERROR, error + "\n"),
        Err(error) => plain(StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")),
    }
}

fn plain(status: StatusCode, text: impl Into<String>) -> HttpResponse {
    HttpResponse::build(status)
        .content_type("text/plain; charset=utf-8")
        .body(text.into())
}
