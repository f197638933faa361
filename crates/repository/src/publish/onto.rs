//! Records of images that are there already: placeholders that get what was built, images that were taken into a store.

use super::TAG_IMAGE;
use crate::error::Result;
use crate::json::{Object, Value};
use crate::manifest::{Record, Rules, set_tags};

/// What a placeholder says itself, and what is built does not change.
const KEPT: [&str; 12] = [
    "uuid",
    "owner",
    "name",
    "version",
    "homepage",
    "eula",
    "description",
    "acl",
    "disabled",
    "public",
    "channels",
    "expires_at",
];

/// The record of an image that was built for a placeholder: what the placeholder says, else what is said of the image. The
/// placeholder's time of life goes with its activation.
///
/// # Errors
/// Together they break the rules of manifests.
pub fn onto(placeholder: &Record, publication: Record, rules: &Rules) -> Result<Record> {
    let mut object = publication.into_object();
    // The image is published now, not when something was built.
    object.shift_remove("published_at");
    for key in KEPT {
        if let Some(value) = placeholder.object().get(key) {
            object.insert(key.to_owned(), value.clone());
        }
    }
    let tags_of = |object: &Object| object.get("tagsObj").and_then(Value::as_object).cloned();
    let mut tags = tags_of(&object).unwrap_or_default();
    tags.extend(tags_of(placeholder.object()).unwrap_or_default());
    set_tags(&mut object, Value::Object(tags));
    Record::of_client(object, rules)
}

/// The record with the link to the image of the store it was taken into.
///
/// # Errors
/// Its tags are too long with it.
pub fn linked(record: &Record, full_name: &str, rules: &Rules) -> Result<Record> {
    let mut object = record.clone().into_object();
    let tags = object.get("tagsObj").and_then(Value::as_object);
    let mut tags = tags.cloned().unwrap_or_default();
    tags.insert(TAG_IMAGE.to_owned(), full_name.into());
    set_tags(&mut object, Value::Object(tags));
    Record::of_client(object, rules)
}

/// The image of the store that a record is linked to.
pub fn link(record: &Record) -> Option<&str> {
    record.object().get("tagsObj")?.get(TAG_IMAGE)?.as_str()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::{Mode, placeholder};
    use crate::publish::{ImageFacts, PublishedAs, publication};
    use crate::uuid::Uuid;
    use serde_json::json;
    use std::collections::BTreeMap;
    use std::time::{Duration, UNIX_EPOCH};

    const RULES: Rules = Rules {
        mode: Mode::Datacenter,
        has_channels: false,
    };

    #[test]
    fn what_was_asked_for_stays_and_what_was_built_is_added() {
        let body = json!({"name": "mine", "version": "1", "tags": {"a": "b"}, "owner": Uuid::from_random([2; 16]).to_string()});
        let uuid = Uuid::from_random([1; 16]);
        let kept = placeholder(
            Some(&body),
            uuid,
            None,
            None,
            UNIX_EPOCH,
            Duration::from_secs(60),
            &RULES,
        )
        .unwrap();
        let facts = ImageFacts {
            full_name: "debian/12/1".to_owned(),
            build_url: "https://git.example.com/x".to_owned(),
            created_on: Some(UNIX_EPOCH),
            ..ImageFacts::default()
        };
        let said = PublishedAs::default();
        let built = publication(&facts, &said, &BTreeMap::new(), None, &RULES).unwrap();
        let record = onto(&kept, built, &RULES).unwrap();
        assert_eq!((record.uuid(), record.text("name")), (uuid, "mine"));
        assert_eq!(
            (record.state(), record.text("type"), record.text("os")),
            ("unactivated", "other", "linux")
        );
        assert_eq!(record.text("homepage"), "https://git.example.com/x");
        assert_eq!(link(&record), Some("debian/12/1"));
        assert!(record.search_tags().any(|tag| tag == "a=b") && record.expires().is_some());
        assert_eq!(record.text("published_at"), "");
    }

    #[test]
    fn a_link_is_a_tag_beside_the_others() {
        let facts = ImageFacts {
            full_name: "a/1".to_owned(),
            ..ImageFacts::default()
        };
        let record = publication(&facts, &PublishedAs::default(), &BTreeMap::new(), None, &RULES).unwrap();
        let record = linked(&record, "uploads/a/1", &RULES).unwrap();
        assert_eq!(link(&record), Some("uploads/a/1"));
        assert!(record.search_tags().any(|tag| tag == "store:bytes=0"));
    }
}
