//! `POST /debug/panicActor?name=ImageIndex|ObjectStore|Scrubber|Replicator`: makes an actor panic, so that tests can watch it come back.
//!
//! Off unless the process was started with [`TEST_PANIC`] set to 1; without it neither the route exists nor do the actors take
//! the message.

use crate::state::Shared;
use actix_web::{HttpRequest, HttpResponse, web};
use front::page::Query;

/// Environment variable of tests.
pub(crate) const TEST_PANIC: &str = "IMAGEWRIGHT_TEST_PANIC";

/// Whether this process is under test.
pub(crate) fn is_allowed() -> bool {
    std::env::var_os(TEST_PANIC).is_some_and(|value| value == "1")
}

/// Makes the named actor panic.
pub(super) async fn panic_actor(shared: web::Data<Shared>, request: HttpRequest) -> HttpResponse {
    let name = Query::new(request.query_string())
        .get("name")
        .unwrap_or_default()
        .into_owned();
    // The reply never comes: the actor is gone.
    let result = match name.as_str() {
        "ImageIndex" => shared.images.debug_panic().await,
        "ObjectStore" => shared.objects.debug_panic().await,
        "Scrubber" => shared.scrubber.debug_panic().await,
        "Replicator" => match &shared.replicator {
            Some(replicator) => replicator.debug_panic().await,
            None => return HttpResponse::BadRequest().body("a master has no replicator\n"),
        },
        _ => {
            return HttpResponse::BadRequest()
                .body("name=ImageIndex, name=ObjectStore, name=Scrubber or name=Replicator\n");
        }
    };
    match result {
        Ok(()) => HttpResponse::Ok().body("not allowed by the configuration\n"),
        Err(error) => HttpResponse::Ok().body(format!("{error}\n")),
    }
}
