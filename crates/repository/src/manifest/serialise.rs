//! The public form: what clients get (imgapi.md §5.6).

use crate::http::ApiVersion;
use crate::json::{self, Object, Value};
use crate::manifest::fields::PUBLIC_ORDER;
use crate::manifest::{Mode, Record};
use openssl::sha::Sha1;

/// Who looks, as far as the form depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct View {
    /// Mode of the repository: public ones hide billing tags and traits.
    pub mode: Mode,
    /// Version of the interface: version 1 knows no channels.
    pub version: ApiVersion,
    /// Whether the fields for administrators are wanted: which store has a file.
    pub is_admin: bool,
}

/// The public form.
pub fn public_form(record: &Record, view: &View) -> Value {
    let mut form = Object::new();
    for key in PUBLIC_ORDER {
        if let Some(value) = shown(record, key, view) {
            form.insert(key.to_owned(), value);
        }
    }
    if record.state() == "failed"
        && let Some(error) = record.object().get("error")
    {
        form.insert("error".to_owned(), error.clone());
    }
    if view.version == ApiVersion::Two
        && let Some(channels) = record.object().get("channels")
    {
        form.insert("channels".to_owned(), channels.clone());
    }
    Value::Object(form)
}

/// The entity tag of an answer: SHA-1 of its compact text, in hex, never in quotes.
pub fn entity_tag(form: &Value) -> String {
    let mut hasher = Sha1::new();
    hasher.update(json::compact(form).as_bytes());
    hex::encode(hasher.finish())
}

fn shown(record: &Record, key: &str, view: &View) -> Option<Value> {
    let stored = record.object().get(key);
    match key {
        "uuid" => Some(record.uuid().to_string().into()),
        "state" => Some(record.state().into()),
        "disabled" => Some(record.is_disabled().into()),
        "public" => Some(record.is_public().into()),
        "type" | "os" => stored.filter(|value| value.as_str() != Some("null")).cloned(),
        "files" => Some(files(record, view.is_admin)),
        "icon" => stored.filter(|icon| json::is_truthy(icon)).map(|_| true.into()),
        "acl" => stored
            .filter(|acl| acl.as_array().is_some_and(|acl| !acl.is_empty()))
            .cloned(),
        "billing_tags" | "traits" => {
            let is_empty = |value: &Value| match value {
                Value::Array(list) => list.is_empty(),
                Value::Object(object) => object.is_empty(),
                _ => true,
            };
            stored
                .filter(|value| view.mode != Mode::Public && !is_empty(value))
                .cloned()
        }
        "generate_passwords" => stored
            .and_then(json::boolean)
            .filter(|&is_on| is_on)
            .map(Value::Bool),
        "tags" => record
            .object()
            .get("tagsObj")
            .filter(|tags| json::is_truthy(tags))
            .cloned(),
        "v" | "owner" | "name" | "version" => stored.cloned(),
        _ => stored.filter(|value| json::is_truthy(value)).cloned(),
    }
}

fn files(record: &Record, is_admin: bool) -> Value {
    let entries = record.object().get("files").and_then(Value::as_array);
    let form = |entry: &Value| {
        let mut form = Object::new();
        for key in ["sha1", "size", "compression", "dataset_guid", "stor"] {
            if let Some(value) = entry.get(key)
                && (key != "stor" || is_admin)
            {
                form.insert(key.to_owned(), value.clone());
            }
        }
        Value::Object(form)
    };
    Value::Array(entries.into_iter().flatten().map(form).collect())
}
