//! Rules of single texts.

use crate::error::FieldError;
use crate::json::{self, Value, utf16_length};
use crate::manifest::fields::{SYSTEMS, TYPES};

/// Characters of a name, at most.
const MAXIMUM_NAME: usize = 1024;
/// Characters of a version, at most.
const MAXIMUM_VERSION: usize = 512;
/// Characters of a description, at most.
const MAXIMUM_DESCRIPTION: usize = 10_240;
/// Characters of a URL, at most.
const MAXIMUM_URL: usize = 1024;

/// The text of a text or, as the original takes them, a number.
fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) => Some(json::to_text(value)),
        _ => None,
    }
}

fn has_only(text: &str, others: &str) -> bool {
    !text.is_empty()
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || others.contains(c))
}

pub(crate) fn name(value: &Value) -> Option<FieldError> {
    let text = text_of(value).unwrap_or_default();
    if utf16_length(&text) > MAXIMUM_NAME {
        let message = format!("image name is too long, max {MAXIMUM_NAME} characters");
        return Some(FieldError::invalid("name", message));
    }
    let message = "image name has invalid characters (only alpha-numeric characters and \" \", \".\", \"-\", \"_\" and \"/\" are allowed)";
    (!has_only(&text, "._/- ")).then(|| FieldError::invalid("name", message))
}

pub(crate) fn version(value: &Value) -> Option<FieldError> {
    let text = text_of(value).unwrap_or_default();
    if utf16_length(&text) > MAXIMUM_VERSION {
        let message = format!("image version is too long, max {MAXIMUM_VERSION} characters");
        return Some(FieldError::invalid("version", message));
    }
    let message = "image version has invalid characters (only alpha-numeric characters and \".\", \"-\", \"_\" and \"/\" are allowed)";
    (!has_only(&text, "._/+-")).then(|| FieldError::invalid("version", message))
}

pub(crate) fn description(value: &Value) -> Option<FieldError> {
    let is_too_long = value
        .as_str()
        .is_some_and(|text| utf16_length(text) > MAXIMUM_DESCRIPTION);
    let message = format!("image description is too long, max {MAXIMUM_DESCRIPTION} characters");
    is_too_long.then(|| FieldError::invalid("description", message))
}

/// `homepage` and `eula`.
pub(crate) fn url(field: &str, value: &Value) -> Option<FieldError> {
    let called = if field == "eula" { "EULA" } else { "homepage" };
    let text = value.as_str().unwrap_or_default();
    if text.is_empty() && value.is_string() {
        return None;
    }
    let scheme = text
        .split_once(':')
        .map(|(scheme, _)| scheme.to_ascii_lowercase());
    if !matches!(scheme.as_deref(), Some("http" | "https")) {
        return Some(FieldError::invalid(
            field,
            format!("invalid image {called} URL protocol"),
        ));
    }
    let message = format!("image {called} URL is too long (max {MAXIMUM_URL} characters)");
    (utf16_length(text) > MAXIMUM_URL).then(|| FieldError::invalid(field, message))
}

/// `type` and `os`; placeholders may have the text `null` there.
pub(crate) fn one_of(field: &str, value: &Value, is_placeholder: bool) -> Option<FieldError> {
    let allowed = if field == "type" { TYPES } else { SYSTEMS };
    let text = json::to_text(value);
    if value.is_string() && (allowed.contains(&text.as_str()) || (text == "null" && is_placeholder)) {
        return None;
    }
    let message = if text == "null" {
        format!("invalid image {field}, \"null\"")
    } else {
        format!(
            "invalid image {field}, \"{text}\", must be one of: {}",
            allowed.join(", ")
        )
    };
    Some(FieldError::invalid(field, message))
}

/// `nic_driver`, `disk_driver`, `cpu_type`, `image_size`, where they are given.
pub(crate) fn of_zvol(field: &str, value: &Value, is_zvol: bool) -> Option<FieldError> {
    let text = json::to_text(value);
    if !is_zvol {
        // The original has two spaces there for this one.
        let space = if field == "disk_driver" { "  " } else { " " };
        let message =
            format!("invalid image {field}: \"{text}\" (cannot have a value{space}when image type is zvol)");
        return Some(FieldError::invalid(field, message));
    }
    if field == "image_size" {
        let is_good = value
            .as_f64()
            .is_some_and(|number| number.fract() == 0.0 && number > 0.0);
        let message = format!("invalid image {field}: \"{text}\" (must be a positive integer)");
        return (!is_good).then(|| FieldError::invalid(field, message));
    }
    let message = format!("invalid image {field}: \"{text}\" (must be a string)");
    (!value.is_string()).then(|| FieldError::invalid(field, message))
}
