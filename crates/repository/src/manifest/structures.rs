//! Rules of lists and objects.

use crate::error::FieldError;
use crate::json::{self, Object, Value, compact, to_text, utf16_length};
use crate::manifest::record::Compression;
use crate::uuid::Uuid;

/// Characters of the tags as compact JSON, at most.
const MAXIMUM_TAGS: usize = 102_400;
/// Characters of a billing tag, at most.
const MAXIMUM_BILLING_TAG: usize = 128;
/// Problems of one field that are told, at most.
const MAXIMUM_TOLD: usize = 100;

fn not_a_list(field: &str, shown: &str) -> Vec<FieldError> {
    vec![FieldError::invalid(
        field,
        format!("invalid image \"{field}\" (not an array): {shown}"),
    )]
}

pub(crate) fn not_an_object(field: &str, value: &Value) -> Vec<FieldError> {
    let message = format!("invalid image \"{field}\" (not an object): {}", compact(value));
    vec![FieldError::invalid(field, message)]
}

/// The first item that is no UUID: its index and text.
pub(crate) fn bad_account(list: &[Value]) -> Option<(usize, String)> {
    let is_uuid = |item: &Value| item.as_str().and_then(Uuid::parse).is_some();
    let index = list.iter().position(|item| !is_uuid(item))?;
    Some((index, to_text(&list[index])))
}

pub(crate) fn acl(value: &Value) -> Vec<FieldError> {
    let Value::Array(list) = value else {
        return not_a_list("acl", &to_text(value));
    };
    let message = |(index, item)| format!("invalid image \"acl\" (item {index} is not a UUID): {item}");
    bad_account(list)
        .map(|bad| FieldError::invalid("acl", message(bad)))
        .into_iter()
        .collect()
}

pub(crate) fn users(value: &Value) -> Vec<FieldError> {
    let Value::Array(list) = value else {
        return not_a_list("users", &compact(value));
    };
    let is_user = |item: &Value| {
        item.as_object()
            .is_some_and(|user| user.len() == 1 && user.contains_key("name"))
    };
    let bad = list.iter().filter(|item| !is_user(item)).take(MAXIMUM_TOLD);
    bad.map(|item| {
        FieldError::invalid(
            "users",
            format!("invalid image \"users\" entry: {}", compact(item)),
        )
    })
    .collect()
}

pub(crate) fn billing_tags(value: &Value) -> Vec<FieldError> {
    let Value::Array(list) = value else {
        return not_a_list("billing_tags", &to_text(value));
    };
    let is_tag = |item: &Value| {
        item.as_str()
            .is_some_and(|tag| utf16_length(tag) <= MAXIMUM_BILLING_TAG)
    };
    let bad = list.iter().filter(|item| !is_tag(item)).take(MAXIMUM_TOLD);
    bad.map(|item| {
        FieldError::invalid(
            "billing_tags",
            format!("invalid image \"billing_tags\" entry : {}", to_text(item)),
        )
    })
    .collect()
}

pub(crate) fn traits(value: &Value) -> Vec<FieldError> {
    let Value::Object(traits) = value else {
        return not_an_object("traits", value);
    };
    let is_trait = |value: &Value| value.is_string() || value.is_boolean() || value.is_array();
    let bad = traits
        .iter()
        .filter(|(_, value)| !is_trait(value))
        .take(MAXIMUM_TOLD);
    bad.map(|(key, value)| {
        FieldError::invalid(
            "traits",
            format!("invalid image \"traits\" entry: ({key}, {})", compact(value)),
        )
    })
    .collect()
}

pub(crate) fn tags(value: &Value) -> Vec<FieldError> {
    if !value.is_object() {
        return not_an_object("tags", value);
    }
    let length = utf16_length(&compact(value));
    if length <= MAXIMUM_TAGS {
        return Vec::new();
    }
    let message = format!("image \"tags\" object is too big: {length} characters (max {MAXIMUM_TAGS})");
    vec![FieldError::invalid("tags", message)]
}

pub(crate) fn inherited_directories(value: &Value, is_zone: bool) -> Vec<FieldError> {
    let field = "inherited_directories";
    if !is_zone {
        let message = format!(
            "invalid image \"{field}\" (only valid for a type:zone-dataset image): {}",
            compact(value)
        );
        return vec![FieldError::invalid(field, message)];
    }
    let Value::Array(list) = value else {
        return not_a_list(field, &compact(value));
    };
    let bad = list.iter().filter(|item| !item.is_string()).take(MAXIMUM_TOLD);
    bad.map(|item| {
        FieldError::invalid(
            field,
            format!("invalid image \"{field}\" entry: {}", compact(item)),
        )
    })
    .collect()
}

pub(crate) fn channels(value: &Value, has_channels: bool) -> Vec<FieldError> {
    if !has_channels {
        let message = "channels is invalid with an IMGAPI not configured for channels";
        return vec![FieldError::invalid("channels", message)];
    }
    if value.is_array() {
        Vec::new()
    } else {
        not_a_list("channels", &compact(value))
    }
}

/// Entries of files, in the stored form.
pub(crate) fn files(value: &Value, is_lxd: bool) -> Vec<FieldError> {
    let invalid = |what: &str| {
        vec![FieldError::invalid(
            "files",
            format!("invalid image \"files\"{what}"),
        )]
    };
    let Value::Array(list) = value else {
        return invalid(&format!(" (not an array): {}", to_text(value)));
    };
    if list.len() > if is_lxd { 2 } else { 1 } {
        return invalid(": too many files");
    }
    let nothing = Object::new();
    for entry in list {
        let entry = entry.as_object().unwrap_or(&nothing);
        for key in ["sha1", "size", "compression"] {
            if !entry.get(key).is_some_and(json::is_truthy) {
                return invalid(&format!(": file missing \"{key}\" field"));
            }
        }
        let compression = to_text(&entry["compression"]);
        if Compression::parse(&compression).is_none() {
            return invalid(&format!(
                ": invalid compression \"{compression}\" (must be one of gzip, bzip2, xz, none)"
            ));
        }
        // Not the original's: whoever counts on these must not be surprised later.
        let is_size = entry["size"].as_u64().is_some();
        if !is_size || !entry["sha1"].is_string() {
            return invalid(": file has an invalid \"sha1\" or \"size\" field");
        }
    }
    Vec::new()
}

/// The icon, in the stored form.
pub(crate) fn icon(value: &Value) -> Option<FieldError> {
    let missing = |key: &str| {
        let message = format!("invalid image \"icon\": icon missing \"{key}\" field");
        Some(FieldError::invalid("icon", message))
    };
    let keys = ["contentMD5", "size", "contentType"];
    keys.into_iter()
        .find(|key| !value.get(key).is_some_and(json::is_truthy))
        .and_then(missing)
}
