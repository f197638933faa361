//! The name of a request in logs and in the header `x-request-id` (imgapi.md §3.1).

use actix_web::HttpRequest;
use actix_web::http::header::HeaderValue;
use repository::Uuid;

/// What the client calls its request, word for word, else a new UUID.
pub(crate) fn request_id(http: &HttpRequest) -> HeaderValue {
    let headers = http.headers();
    let given = ["request-id", "x-request-id"]
        .into_iter()
        .filter_map(|name| headers.get(name))
        .find(|value| !value.is_empty());
    given.cloned().unwrap_or_else(made)
}

fn made() -> HeaderValue {
    let mut bytes = [0; 16];
    // Without random bytes the name is the nil UUID: a log line without a name is better than a refused request.
    if let Err(error) = openssl::rand::rand_bytes(&mut bytes) {
        tracing::warn!(%error, "no random bytes for the name of a request");
    }
    HeaderValue::from_str(&Uuid::from_random(bytes).to_string())
        .unwrap_or_else(|_| HeaderValue::from_static("unknown"))
}
