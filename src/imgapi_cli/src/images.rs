//! What lists show of an image.

use repository::json::{self, Value};
use repository_client::Image;

use crate::failure::WrongUse;

/// Columns that a list can have.
pub(crate) const COLUMNS: &[&str] = &[
    "uuid",
    "owner",
    "name",
    "version",
    "state",
    "disabled",
    "public",
    "published",
    "published_at",
    "published_date",
    "type",
    "os",
    "urn",
    "nic_driver",
    "disk_driver",
    "cpu_type",
    "image_size",
    "generate_passwords",
    "description",
    "origin",
    "flags",
    "size",
    "compression",
    "sha1",
    "stor",
    "homepage",
    "channels",
];

/// Columns by their names.
pub(crate) fn columns(names: &str) -> anyhow::Result<Vec<String>> {
    let names: Vec<String> = names.split(',').map(|name| name.trim().to_owned()).collect();
    match names.iter().find(|name| !COLUMNS.contains(&name.as_str())) {
        None => Ok(names),
        Some(unknown) => {
            let what = format!("there is no field {unknown:?}; fields are {}", COLUMNS.join(", "));
            Err(WrongUse(what).into())
        }
    }
}

/// What a column shows of an image; empty for what it does not have.
pub(crate) fn cell(image: &Image, column: &str) -> String {
    let text = |field: &str| image.field(field).map(json::to_text).unwrap_or_default();
    let of_file = |field: &str| {
        let file = image.field("files").and_then(|files| files.get(0));
        file.and_then(|file| file.get(field))
            .map(json::to_text)
            .unwrap_or_default()
    };
    match column {
        // The day, and the second.
        "published_date" => text("published_at").chars().take(10).collect(),
        "published" => match text("published_at").split_once('.') {
            Some((seconds, _)) => format!("{seconds}Z"),
            None => text("published_at"),
        },
        "flags" => flags(image),
        "channels" => {
            let channels = image.field("channels").and_then(Value::as_array);
            let names = channels.map(Vec::as_slice).unwrap_or_default().iter();
            names.map(json::to_text).collect::<Vec<_>>().join(",")
        }
        "size" | "compression" | "sha1" | "stor" => of_file(column),
        field => text(field),
    }
}

/// `I` is based on another, `P` is public, `X` is not active.
fn flags(image: &Image) -> String {
    let is_public = image.field("public").is_some_and(json::is_truthy);
    let all = [
        (image.origin().is_some(), 'I'),
        (is_public, 'P'),
        (image.state() != "active", 'X'),
    ];
    all.iter()
        .filter(|(is_set, _)| *is_set)
        .map(|(_, letter)| letter)
        .collect()
}

/// How two cells are ordered: numbers by value, all else as texts.
pub(crate) fn compare(a: &str, b: &str) -> std::cmp::Ordering {
    match (a.parse::<u64>(), b.parse::<u64>()) {
        (Ok(a), Ok(b)) => a.cmp(&b),
        _ => a.cmp(b),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn cells_are_as_the_original_shows_them() {
        let image = Image::new(json!({
            "uuid": "c58161c0-2547-11e2-a75e-9fdca1940570", "state": "disabled", "public": true,
            "published_at": "2012-11-02T22:46:45.992Z", "files": [{"size": 10, "compression": "gzip"}],
            "channels": ["dev", "release"], "origin": "4ddb5bf1-6827-4d82-829f-ba3a4dc64c91",
        }));
        let image = image.unwrap();
        for (column, expected) in [
            ("published", "2012-11-02T22:46:45Z"),
            ("published_date", "2012-11-02"),
            ("flags", "IPX"),
            ("size", "10"),
            ("channels", "dev,release"),
            ("stor", ""),
            ("public", "true"),
        ] {
            assert_eq!(cell(&image, column), expected, "{column}");
        }
        assert!(columns("uuid,sise").is_err());
        assert_eq!(compare("9", "10"), std::cmp::Ordering::Less);
    }
}
