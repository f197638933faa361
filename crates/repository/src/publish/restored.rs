//! The way back: what a store is told about an image that is taken into it (imgapi.md §22.3).

use super::{TAG_FILTER, TAG_PACKAGES, TAG_TRIGGERS};
use crate::json::{self, Value};
use crate::manifest::Record;

/// What published images carry in their tags; of an image that somebody uploaded nothing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Restored {
    /// What updates leave alone. Without it an image is sparse: updates touch what it names alone.
    pub filter: Option<Vec<String>>,
    /// What to restart when files change, in the store's own JSON.
    pub triggers: Option<Value>,
    /// Packages, in the store's own JSON.
    pub packages: Option<Value>,
}

/// What the tags say. What cannot be read is as good as absent: anybody may have written it.
pub fn restored(record: &Record) -> Restored {
    let tags = record.object().get("tagsObj");
    let read = |key: &str| {
        let text = tags?.get(key)?.as_str()?;
        json::parse(text.as_bytes()).ok()
    };
    let lines = |value: Value| -> Option<Vec<String>> {
        let line = |line: &Value| line.as_str().map(str::to_owned);
        value.as_array()?.iter().map(line).collect()
    };
    Restored {
        filter: read(TAG_FILTER).and_then(lines),
        triggers: read(TAG_TRIGGERS),
        packages: read(TAG_PACKAGES),
    }
}

/// What an image is called in a store: the directory, its name and its version, each part such as the store takes it. With
/// `is_taken` its UUID too, since names and versions may come again.
pub fn store_name(record: &Record, directory: &str, is_taken: bool) -> String {
    let path = [directory, record.text("name"), record.text("version")].join("/");
    let parts = path.split('/').filter(|part| !part.is_empty()).map(part);
    let mut name = parts.collect::<Vec<_>>().join("/");
    if is_taken {
        name.push('.');
        name.push_str(&record.uuid().to_string());
    }
    name
}

/// Bytes of one part, at most: a file name, with room for the UUID.
const MAXIMUM_PART: usize = 200;

fn part(text: &str) -> String {
    let text = text.trim_start_matches('.').trim_end_matches('~');
    let cut: String = text
        .chars()
        .map(|c| if c.is_ascii_graphic() { c } else { '-' })
        .take(MAXIMUM_PART)
        .collect();
    if cut.is_empty() { "-".to_owned() } else { cut }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::{Mode, Rules, create};
    use crate::uuid::Uuid;
    use serde_json::json;

    struct All;

    impl crate::manifest::Known for All {
        fn has_owner(&self, _: Uuid) -> bool {
            true
        }
        fn has_image(&self, _: Uuid) -> bool {
            true
        }
    }

    fn record(name: &str, version: &str, tags: Value) -> Record {
        let body = json!({
            "owner": Uuid::NIL.to_string(), "name": name, "version": version, "type": "other", "os": "linux", "public": true,
            "tags": tags,
        });
        let rules = Rules {
            mode: Mode::Public,
            has_channels: false,
        };
        create(Some(&body), None, None, Uuid::from_random([1; 16]), &rules, &All).unwrap()
    }

    #[test]
    fn names_are_such_as_a_store_takes() {
        let name = |name, version| store_name(&record(name, version, json!({})), "uploads", false);
        assert_eq!(name("debian 12", "1.0"), "uploads/debian-12/1.0");
        assert_eq!(name("../../etc", "..."), "uploads/-/-/etc/-");
        assert_eq!(name("/a//b/", "1"), "uploads/a/b/1");
        let taken = store_name(&record("a", "1", json!({})), "", true);
        assert_eq!(taken, format!("a/1.{}", Uuid::from_random([1; 16])));
    }

    #[test]
    fn what_tags_say_of_a_published_image_comes_back_and_nonsense_is_nothing() {
        let tags = json!({"store:filter": "[\"/tmp/.*\"]", "store:triggers": "{}", "store:packages": "}"});
        let image = restored(&record("a", "1", tags));
        assert_eq!(image.filter, Some(vec!["/tmp/.*".to_owned()]));
        assert_eq!((image.triggers, image.packages), (Some(json!({})), None));
        let image = restored(&record("a", "1", json!({"store:filter": "[1]"})));
        assert_eq!(image, Restored::default());
    }
}
