//! `GET /docs/`: what there is, for people who come with a browser. The original has its manual there.

use std::fmt::Write as _;

use actix_web::http::header::CONTENT_TYPE;
use repository::http::ROUTES;

use crate::answer::{Answer, Content};

/// A page with all paths and methods.
pub(super) fn page() -> Answer {
    let mut rows = String::new();
    for route in ROUTES {
        // Writing to a text cannot fail.
        let _ = writeln!(
            rows,
            "<tr><td>{}</td><td><code>{}</code></td><td>{:?}</td></tr>",
            route.method,
            route.path.replace('*', "UUID"),
            route.endpoint,
        );
    }
    let text = format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>IMGAPI</title></head><body>\n\
         <h1>IMGAPI</h1>\n<p>A repository of machine images. Its interface is that of Triton's IMGAPI, version 2.</p>\n\
         <table>\n{rows}</table>\n</body></html>\n"
    );
    Answer::new(200, Content::Bytes(text.into())).with_name(CONTENT_TYPE, "text/html; charset=utf-8")
}
