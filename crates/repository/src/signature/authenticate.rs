//! Who asks.

use crate::dates;
use crate::error::{ApiError, Result};
use crate::json;
use crate::signature::{Algorithm, Authorization, KeyId, KeyTable, SignedRequest, signing_string};
use std::time::{Duration, SystemTime};

/// Difference of the clocks, at most. Within it a request may be replayed: there is no other protection.
pub const MAXIMUM_SKEW: Duration = Duration::from_secs(300);

/// What is accepted.
#[derive(Clone, Copy, Debug)]
pub struct Policy {
    /// Signatures over SHA-1, which the oldest clients make.
    pub accept_sha1: bool,
}

/// Who asks, proven.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Name.
    pub name: String,
    /// Fingerprint of the key that signed.
    pub fingerprint: String,
}

/// Checks the `Authorization` of a request at a time.
///
/// # Errors
/// 401, with the original's texts: they never say whether a user exists.
pub fn authenticate(
    authorization: Option<&str>,
    request: &SignedRequest<'_>,
    keys: &KeyTable,
    now: SystemTime,
    policy: &Policy,
) -> Result<User> {
    let user = match authorization {
        Some(header) => check(header, request, keys, now, policy).map_err(ApiError::unauthorized)?,
        None => None,
    };
    user.ok_or_else(|| ApiError::unauthorized("Unauthorized"))
}

/// `Ok(None)`: the signature is nobody's.
fn check(
    header: &str,
    request: &SignedRequest<'_>,
    keys: &KeyTable,
    now: SystemTime,
    policy: &Policy,
) -> std::result::Result<Option<User>, String> {
    let authorization = Authorization::parse(header)?;
    let algorithm = Algorithm::parse(&authorization.algorithm, policy.accept_sha1)?;
    let x_date = (request.header)("x-date").filter(|date| !date.is_empty());
    let dated = if x_date.is_some() { "x-date" } else { "date" };
    let names = authorization.headers.unwrap_or_else(|| vec![dated.to_owned()]);
    let text = signing_string(request, &names)?;
    if let Some(date) = x_date.or_else(|| (request.header)("date")) {
        check_skew(&date, now)?;
    }
    if !names.iter().any(|name| name == dated) {
        return Err(format!("{dated} was not a signed header"));
    }
    let Some(id) = KeyId::parse(&authorization.key_id) else {
        return Ok(None);
    };
    let Ok(signature) = openssl::base64::decode_block(&authorization.signature) else {
        return Ok(None);
    };
    let is_named = |fingerprint: &String, key: &crate::signature::PublicKey| key.has_fingerprint(fingerprint);
    let mut candidates = keys
        .keys(&id.user)
        .iter()
        .filter(|key| id.fingerprint.as_ref().is_none_or(|named| is_named(named, key)));
    let key = candidates.find(|key| key.verifies(algorithm, text.as_bytes(), &signature));
    Ok(key.map(|key| User {
        name: id.user.clone(),
        fingerprint: key.fingerprint().to_owned(),
    }))
}

fn check_skew(date: &str, now: SystemTime) -> std::result::Result<(), String> {
    // The original lets pass what it cannot read, and with it a signature for ever.
    let date = dates::parse(date).ok_or_else(|| "the date of the request is no date".to_owned())?;
    let skew = now.duration_since(date).unwrap_or_else(|error| error.duration());
    if skew <= MAXIMUM_SKEW {
        return Ok(());
    }
    let seconds = json::from_number(skew.as_millis() as f64 / 1000.0);
    Err(format!(
        "clock skew of {}s was greater than {}s",
        json::to_text(&seconds),
        MAXIMUM_SKEW.as_secs()
    ))
}
