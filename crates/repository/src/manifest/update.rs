//! UpdateImage (imgapi.md §10.3).

use crate::error::{ApiError, Code, FieldError, Result};
use crate::json::{Object, Value};
use crate::manifest::create::check_owner;
use crate::manifest::fields::{MUTABLE, OPERATOR_ONLY, UNACTIVATED_ONLY};
use crate::manifest::normalise::set_tags;
use crate::manifest::{Known, Record, Rules};
use crate::uuid::Uuid;

/// What became of an image.
#[derive(Clone, Debug)]
pub struct Updated {
    /// As it is now.
    pub record: Record,
    /// Its old name, if it has a new one: its file is to be moved, the old record to be deleted.
    pub renamed_from: Option<Uuid>,
}

const DIGESTS: [&str; 2] = ["digest", "uncompressedDigest"];

/// Applies an update's body.
///
/// # Errors
/// What is not allowed, or what rules the image would break.
pub fn update(
    record: &Record,
    body: Option<&Value>,
    account: Option<Uuid>,
    rules: &Rules,
    known: &dyn Known,
) -> Result<Updated> {
    let body = match body {
        Some(Value::Object(body)) => body,
        Some(Value::Array(list)) if list.is_empty() => return Err(no_parameters()),
        _ => return Err(ApiError::missing_body()),
    };
    if body.is_empty() {
        return Err(no_parameters());
    }
    check_allowed(record, body, account)?;
    let mut object = record.object().clone();
    apply(body, &mut object);
    let updated = Record::of_client(object, rules)?;
    if body.contains_key("owner") {
        check_owner(updated.object(), rules, known)?;
    }
    let renamed_from = (updated.uuid() != record.uuid()).then(|| record.uuid());
    if renamed_from.is_some() {
        if record.file_count() > 1 {
            return Err(ApiError::new(
                Code::NotImplemented,
                "cannot move images with multiple files",
            ));
        }
        if known.has_image(updated.uuid()) {
            return Err(ApiError::already_exists(updated.uuid()));
        }
    }
    Ok(Updated {
        record: updated,
        renamed_from,
    })
}

fn no_parameters() -> ApiError {
    let message = "invalid image update data: no parameters provided";
    ApiError::with_errors(Code::ValidationFailed, message, Vec::new())
}

fn check_allowed(record: &Record, body: &Object, account: Option<Uuid>) -> Result<()> {
    /// Fields told, at most.
    const MAXIMUM_TOLD: usize = 100;
    let refused = |key: &str, message: &str| Some(FieldError::new(key, "NotAllowed", message));
    let by_operators = "Can only be updated by operators";
    let mut errors = Vec::new();
    // The original looks at what is not mutable first.
    for (key, value) in body.iter().filter(|(key, _)| !MUTABLE.contains(&key.as_str())) {
        let error = if !OPERATOR_ONLY.contains(&key.as_str()) {
            refused(key, "Parameter cannot be updated")
        } else if account.is_some() {
            refused(key, by_operators)
        } else if UNACTIVATED_ONLY.contains(&key.as_str()) && record.is_activated() {
            refused(key, "Can only be updated on unactivated images")
        } else if key == "files" && !is_update_of_digests(record, value) {
            refused(
                key,
                "Can only update \"digest\" or \"uncompressedDigest\" fields on files",
            )
        } else {
            None
        };
        errors.extend(error);
    }
    let operators = body
        .keys()
        .filter(|key| MUTABLE.contains(&key.as_str()) && OPERATOR_ONLY.contains(&key.as_str()));
    if account.is_some() {
        errors.extend(operators.filter_map(|key| refused(key, by_operators)));
    }
    errors.truncate(MAXIMUM_TOLD);
    if errors.is_empty() {
        return Ok(());
    }
    let fields: Vec<&str> = errors.iter().map(|error| error.field.as_str()).collect();
    let message = format!("invalid image update data: {}", fields.join(", "));
    Err(ApiError::with_errors(Code::ValidationFailed, message, errors))
}

/// Whether a new `files` says nothing new but digests of the first file.
fn is_update_of_digests(record: &Record, files: &Value) -> bool {
    let nothing = Vec::new();
    let stored = record
        .object()
        .get("files")
        .and_then(Value::as_array)
        .unwrap_or(&nothing);
    let Some(files) = files.as_array() else {
        return false;
    };
    files.len() <= stored.len()
        && files
            .iter()
            .zip(stored)
            .enumerate()
            .all(|(index, (file, stored))| {
                let Some(file) = file.as_object() else {
                    return false;
                };
                file.iter().all(|(key, value)| {
                    (index == 0 && DIGESTS.contains(&key.as_str())) || stored.get(key) == Some(value)
                })
            })
}

fn apply(body: &Object, object: &mut Object) {
    for (key, value) in body {
        match (key.as_str(), value) {
            ("tags", Value::Null) => {
                object.shift_remove("tags");
                object.shift_remove("tagsObj");
            }
            ("tags", tags) => set_tags(object, tags.clone()),
            (key, Value::Null) => {
                object.shift_remove(key);
            }
            ("files", files) => apply_digests(files, object),
            (key, value) => {
                object.insert(key.to_owned(), value.clone());
            }
        }
    }
}

fn apply_digests(files: &Value, object: &mut Object) {
    let given = files.get(0).and_then(Value::as_object);
    let stored = object
        .get_mut("files")
        .and_then(|files| files.get_mut(0))
        .and_then(Value::as_object_mut);
    if let (Some(given), Some(stored)) = (given, stored) {
        for key in DIGESTS {
            if let Some(digest) = given.get(key) {
                stored.insert(key.to_owned(), digest.clone());
            }
        }
    }
}
