//! What was made for one visitor is kept by nobody on the way to him, nor by his browser.

use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{CACHE_CONTROL, COOKIE, ETAG, HeaderValue, SET_COOKIE};
use actix_web::middleware::Next;

/// The middleware that marks answers to who showed a cookie, or that set one, as not to be stored: such pages have a token's proof in
/// their forms. What has an entity tag is the same for everybody.
pub async fn private(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let has_cookie = request.headers().contains_key(COOKIE);
    let mut response = next.call(request).await?;
    let headers = response.headers_mut();
    if headers.contains_key(SET_COOKIE) || (has_cookie && !headers.contains_key(ETAG)) {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    Ok(response)
}
