//! CreateImage (imgapi.md §5.4, §10.2).

use crate::error::{ApiError, FieldError, Result};
use crate::json::{Object, Value};
use crate::manifest::fields::{CREATE, ZVOL};
use crate::manifest::normalise::set_tags;
use crate::manifest::{Mode, Record, Rules};
use crate::uuid::Uuid;

/// What has to be looked up elsewhere while a manifest is checked.
pub trait Known {
    /// Whether the directory of users has this owner. Asked in datacenter mode only.
    fn has_owner(&self, owner: Uuid) -> bool;
    /// Whether there is such an image, in whatever state or channel.
    fn has_image(&self, uuid: Uuid) -> bool;
}

/// Makes the record of a new image of a request's body.
///
/// `channel` is the effective channel of the request, if the repository has channels; `uuid` is new.
///
/// # Errors
/// The first of the checks of imgapi.md §5.4 that fails.
pub fn create(
    body: Option<&Value>,
    account: Option<Uuid>,
    channel: Option<&str>,
    uuid: Uuid,
    rules: &Rules,
    known: &dyn Known,
) -> Result<Record> {
    let Some(Value::Object(body)) = body else {
        return Err(ApiError::missing_body());
    };
    let mut body = body.clone();
    check_account(&mut body, account)?;
    if body.contains_key("state") {
        let error = FieldError::new("state", "NotAllowed", "Parameter cannot be set");
        return Err(ApiError::with_errors(
            crate::error::Code::ValidationFailed,
            "invalid image data: \"state\"",
            vec![error],
        ));
    }
    check_owner(&body, rules, known)?;
    check_origin(&body, known)?;
    check_fields(&body, &[])?;
    if !body.contains_key("v") {
        body.insert("v".to_owned(), 2.into());
    }
    body.insert("uuid".to_owned(), uuid.to_string().into());
    build(body, channel, rules)
}

/// The account becomes the owner; an owner that is given must be the account.
fn check_account(body: &mut Object, account: Option<Uuid>) -> Result<()> {
    let Some(account) = account else { return Ok(()) };
    let account = account.to_string();
    match body.get("owner") {
        None => {
            body.insert("owner".to_owned(), account.into());
            Ok(())
        }
        Some(Value::String(owner)) if *owner == account => Ok(()),
        Some(owner) => {
            let owner = crate::json::to_text(owner);
            let message =
                format!("invalid owner: given owner, \"{owner}\", does not match account, \"{account}\"");
            Err(ApiError::invalid_parameter("owner", "Invalid", message))
        }
    }
}

/// What is no UUID is left to the rules of fields: the original dies of it.
pub(crate) fn check_owner(body: &Object, rules: &Rules, known: &dyn Known) -> Result<()> {
    let owner = body.get("owner").and_then(Value::as_str).and_then(Uuid::parse);
    match owner {
        Some(owner) if rules.mode == Mode::Datacenter && !known.has_owner(owner) => {
            Err(ApiError::no_such_owner(&owner.to_string()))
        }
        _ => Ok(()),
    }
}

/// The origin must be here; it need not be active.
pub(crate) fn check_origin(body: &Object, known: &dyn Known) -> Result<()> {
    let Some(origin) = body.get("origin").filter(|origin| !origin.is_null()) else {
        return Ok(());
    };
    let text = crate::json::to_text(origin);
    match Uuid::parse(&text) {
        Some(uuid) if known.has_image(uuid) => Ok(()),
        _ => Err(ApiError::no_such_origin(&text)),
    }
}

/// Refuses fields that are not for this, `more` besides those of a new image.
pub(crate) fn check_fields(body: &Object, more: &[&str]) -> Result<()> {
    /// Fields told, at most.
    const MAXIMUM_TOLD: usize = 100;
    let is_zvol = body.get("type").and_then(Value::as_str) == Some("zvol");
    let is_known =
        |key: &str| CREATE.contains(&key) || more.contains(&key) || (is_zvol && ZVOL.contains(&key));
    let extra: Vec<&str> = body
        .keys()
        .map(String::as_str)
        .filter(|key| !is_known(key))
        .take(MAXIMUM_TOLD)
        .collect();
    if extra.is_empty() {
        return Ok(());
    }
    let quoted: Vec<String> = extra.iter().map(|key| format!("\"{key}\"")).collect();
    let errors = extra
        .iter()
        .map(|key| FieldError::bare(*key, "Invalid"))
        .collect();
    Err(ApiError::with_errors(
        crate::error::Code::InvalidParameter,
        format!("invalid extra parameters: {}", quoted.join(", ")),
        errors,
    ))
}

/// The record of a body whose fields were sorted out.
pub(crate) fn build(mut body: Object, channel: Option<&str>, rules: &Rules) -> Result<Record> {
    for (key, value) in [("disabled", false), ("public", false)] {
        if body.get(key).is_none_or(Value::is_null) {
            body.insert(key.to_owned(), value.into());
        }
    }
    let is_zvol = body.get("type").and_then(Value::as_str) == Some("zvol");
    if is_zvol && body.get("image_size").and_then(crate::json::number).is_none() {
        // What a number that is none is in the original.
        body.insert("image_size".to_owned(), "NaN".into());
    }
    body.insert("activated".to_owned(), false.into());
    body.insert("state".to_owned(), "unactivated".into());
    body.insert("files".to_owned(), Value::Array(Vec::new()));
    match channel {
        Some(channel) => body.insert("channels".to_owned(), Value::Array(vec![channel.into()])),
        None => body.shift_remove("channels"),
    };
    if let Some(tags) = body.shift_remove("tags") {
        set_tags(&mut body, tags);
    }
    Record::of_client(body, rules)
}
