//! Images that are being made (imgapi.md §14).

use crate::dates;
use crate::error::{ApiError, Result};
use crate::json::{Object, Value};
use crate::manifest::normalise::set_tags;
use crate::manifest::{Mode, Record, Rules};
use crate::uuid::Uuid;
use std::time::{Duration, SystemTime};

/// What the body of a request to make an image may hold.
const TAKEN: [&str; 9] = [
    "name",
    "version",
    "owner",
    "description",
    "homepage",
    "eula",
    "acl",
    "disabled",
    "public",
];

/// No configured number of days gives a date that is none.
const LONGEST_LIFE: Duration = Duration::from_secs(1000 * 365 * 24 * 3600);

/// The record that keeps an image's place until it is made, or for `lifetime`.
///
/// # Errors
/// The body is no manifest.
pub fn placeholder(
    body: Option<&Value>,
    uuid: Uuid,
    account: Option<Uuid>,
    channel: Option<&str>,
    now: SystemTime,
    lifetime: Duration,
    rules: &Rules,
) -> Result<Record> {
    let Some(Value::Object(body)) = body else {
        return Err(ApiError::missing_body());
    };
    let mut object = Object::new();
    object.insert("v".to_owned(), 2.into());
    object.insert("uuid".to_owned(), uuid.to_string().into());
    for key in TAKEN {
        if let Some(value) = body.get(key) {
            object.insert(key.to_owned(), value.clone());
        }
    }
    if let Some(account) = account {
        object.insert("owner".to_owned(), account.to_string().into());
    }
    if let Some(tags) = body.get("tags") {
        set_tags(&mut object, tags.clone());
    }
    for (key, value) in [("state", "creating"), ("type", "null"), ("os", "null")] {
        object.insert(key.to_owned(), value.into());
    }
    object.insert("activated".to_owned(), false.into());
    object.insert("files".to_owned(), Value::Array(Vec::new()));
    for (key, value) in [("disabled", false), ("public", rules.mode == Mode::Public)] {
        if !object.contains_key(key) {
            object.insert(key.to_owned(), value.into());
        }
    }
    if let Some(channel) = channel {
        object.insert("channels".to_owned(), Value::Array(vec![channel.into()]));
    }
    let expires_at = now + lifetime.min(LONGEST_LIFE);
    object.insert("expires_at".to_owned(), dates::iso(expires_at).into());
    Record::of_client(object, rules)
}
