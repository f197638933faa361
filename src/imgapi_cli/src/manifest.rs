//! Manifests and changes as people give them: files, standard input, FIELD=VALUE.

use std::io::{IsTerminal, Read};
use std::path::Path;

use anyhow::Context;
use repository::json::{Object, Value};

use crate::failure::WrongUse;

/// Bytes of a manifest, at most: what a repository takes.
const MAXIMUM_MANIFEST: u64 = 16 << 20;

/// A manifest: of a file (`-` for standard input), of FIELD=VALUE, or else of standard input if that is no terminal. FIELD=VALUE
/// beside a file change what is in it.
pub(crate) fn read(file: Option<&Path>, fields: &[String]) -> anyhow::Result<Object> {
    let mut object = match file {
        Some(path) if path == Path::new("-") => read_object("standard input", std::io::stdin().lock())?,
        Some(path) => {
            let name = path.display().to_string();
            let file = std::fs::File::open(path).with_context(|| format!("cannot read {name}"))?;
            read_object(&name, file)?
        }
        None if !fields.is_empty() => Object::new(),
        None if !std::io::stdin().is_terminal() => read_object("standard input", std::io::stdin().lock())?,
        None => {
            return Err(WrongUse(
                "no manifest: give a file, FIELD=VALUE, or JSON on standard input".to_owned(),
            )
            .into());
        }
    };
    merge(&mut object, fields_of(fields)?);
    Ok(object)
}

fn read_object(name: &str, reader: impl Read) -> anyhow::Result<Object> {
    let mut text = Vec::new();
    let mut bounded = reader.take(MAXIMUM_MANIFEST + 1);
    bounded.read_to_end(&mut text).with_context(|| name.to_owned())?;
    anyhow::ensure!(
        text.len() as u64 <= MAXIMUM_MANIFEST,
        "{name}: more than {MAXIMUM_MANIFEST} bytes"
    );
    match serde_json::from_slice(&text).with_context(|| format!("{name} is not JSON"))? {
        Value::Object(object) => Ok(object),
        _ => anyhow::bail!("{name} is no JSON object"),
    }
}

/// Fields that are texts whatever they look like: `version=1.0` is no number.
const TEXTS: [&str; 14] = [
    "name",
    "version",
    "description",
    "homepage",
    "eula",
    "urn",
    "type",
    "os",
    "owner",
    "origin",
    "uuid",
    "nic_driver",
    "disk_driver",
    "cpu_type",
];

/// FIELD=VALUE, or FIELD.KEY=VALUE for a value inside an object. What is JSON is that, except in [`TEXTS`]; anything else is
/// a text; nothing behind the `=` is null, which removes.
pub(crate) fn fields_of(arguments: &[String]) -> anyhow::Result<Object> {
    let mut object = Object::new();
    for argument in arguments {
        let Some((field, text)) = argument.split_once('=') else {
            let what = format!("{argument:?} is not FIELD=VALUE");
            return Err(WrongUse(what).into());
        };
        let value = match text {
            "" | "null" => Value::Null,
            text if TEXTS.contains(&field) => text.into(),
            text => serde_json::from_str(text).unwrap_or_else(|_| text.into()),
        };
        match field.split_once('.') {
            None => object.insert(field.to_owned(), value),
            Some((field, key)) => {
                let inner = object
                    .entry(field)
                    .or_insert_with(|| Value::Object(Object::new()));
                match inner {
                    Value::Object(inner) => inner.insert(key.to_owned(), value),
                    _ => return Err(WrongUse(format!("{field:?} is given as a whole and by parts")).into()),
                }
            }
        };
    }
    Ok(object)
}

/// Changes, objects key by key: what is null inside one is taken out of it.
pub(crate) fn merge(object: &mut Object, changes: Object) {
    for (field, change) in changes {
        match (object.get_mut(&field), change) {
            (Some(Value::Object(known)), Value::Object(change)) => {
                for (key, value) in change {
                    if value.is_null() {
                        known.shift_remove(&key);
                    } else {
                        known.insert(key, value);
                    }
                }
            }
            (_, change) => {
                object.insert(field, change);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn fields(arguments: &[&str]) -> Value {
        let arguments: Vec<String> = arguments.iter().map(|&argument| argument.to_owned()).collect();
        Value::Object(fields_of(&arguments).unwrap())
    }

    #[test]
    fn values_are_json_where_they_can_be_and_texts_elsewhere() {
        assert_eq!(
            fields(&[
                "name=a b",
                "public=true",
                "tags.role=db",
                "tags.n=1",
                "homepage=",
                "acl=[\"x\"]",
                "version=1.0"
            ]),
            json!({"name": "a b", "public": true, "tags": {"role": "db", "n": 1}, "homepage": null, "acl": ["x"], "version": "1.0"})
        );
        assert!(fields_of(&["name".to_owned()]).is_err());
        assert!(fields_of(&["tags=1".to_owned(), "tags.a=1".to_owned()]).is_err());
    }

    #[test]
    fn objects_are_changed_key_by_key() {
        let mut known = json!({"tags": {"a": 1, "b": 2}, "name": "x"})
            .as_object()
            .cloned()
            .unwrap();
        let changes = json!({"tags": {"a": null, "c": 3}, "name": "y", "users": {"n": 1}});
        merge(&mut known, changes.as_object().cloned().unwrap());
        assert_eq!(
            Value::Object(known),
            json!({"tags": {"b": 2, "c": 3}, "name": "y", "users": {"n": 1}})
        );
    }
}
