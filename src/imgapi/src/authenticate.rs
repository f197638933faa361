//! Who asks, before anything else of a request is looked at (imgapi.md §4).

use std::time::SystemTime;

use actix_web::HttpRequest;
use repository::configuration::{AuthType, Settings};
use repository::http::Authentication;
use repository::signature::{Policy, SignedRequest, User, authenticate};
use repository::{ApiError, Result};

use crate::request::header;
use crate::state::State;

/// The user, if the endpoint looks for one and the request names one.
///
/// # Errors
/// 401: nobody where somebody has to be, or a signature that is nobody's.
pub(crate) fn caller(
    state: &State,
    settings: &Settings,
    kind: Authentication,
    http: &HttpRequest,
    url: &str,
) -> Result<Option<User>> {
    if settings.auth_type == AuthType::None || kind == Authentication::Unchecked {
        return Ok(None);
    }
    let authorization = header(http, "authorization").filter(|value| !value.is_empty());
    let Some(authorization) = authorization else {
        return match kind {
            Authentication::Strict => Err(ApiError::unauthorized("Unauthorized")),
            Authentication::Passive | Authentication::Unchecked => Ok(None),
        };
    };
    let request = SignedRequest {
        method: http.method().as_str(),
        url,
        header: &|name| header(http, name).map(std::borrow::Cow::into_owned),
    };
    let policy = Policy {
        accept_sha1: settings.own.accept_sha1,
    };
    authenticate(
        Some(&authorization),
        &request,
        &state.keys(),
        SystemTime::now(),
        &policy,
    )
    .map(Some)
}
