//! What an image of a content-addressed store is called here (imgapi.md §22.1).

use crate::uuid::Uuid;

/// Of which names of images the UUIDs are made. Fixed for ever: an image that is published again keeps its UUID.
const NAMESPACE: &[u8] = b"imagewright image names";

/// Characters of a name, at most.
const MAXIMUM_NAME: usize = 1024;
/// Characters of a version, at most.
const MAXIMUM_VERSION: usize = 512;

/// What an image is called here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// Always the same for one full name.
    pub uuid: Uuid,
    /// Of the stream: the directory part of the full name.
    pub name: String,
    /// The last part of the full name, mostly a time.
    pub version: String,
}

/// What the image with that full name is called here. A name without a directory is name and version alike.
pub fn published(full_name: &str) -> Published {
    let (stream, last) = full_name.rsplit_once('/').unwrap_or((full_name, full_name));
    let namespace = Uuid::of_name(Uuid::NIL, NAMESPACE);
    Published {
        uuid: Uuid::of_name(namespace, full_name.as_bytes()),
        name: allowed(stream, "._/- ", MAXIMUM_NAME),
        version: allowed(last, "._/+-", MAXIMUM_VERSION),
    }
}

/// The text with a dash for each character that may not be there.
fn allowed(text: &str, others: &str, maximum: usize) -> String {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || others.contains(c);
    let kept: String = text
        .chars()
        .take(maximum)
        .map(|c| if is_allowed(c) { c } else { '-' })
        .collect();
    if kept.is_empty() { "-".to_owned() } else { kept }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::{Mode, Rules, validate};
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn a_stream_is_the_name_and_its_time_the_version() {
        let image = published("debian/12/2026-11-22:18:20:00");
        assert_eq!(
            (image.name.as_str(), image.version.as_str()),
            ("debian/12", "2026-11-22-18-20-00")
        );
        assert_eq!(image.uuid, published("debian/12/2026-11-22:18:20:00").uuid);
        assert_ne!(image.uuid, published("debian/12/2026-11-22:18:20:01").uuid);
    }

    #[test]
    fn the_uuid_of_a_name_is_the_same_in_every_release() {
        assert_eq!(
            published("a/b").uuid.to_string(),
            "8c83f9c8-5de6-552c-b94c-f4e42a4241ac"
        );
    }

    proptest! {
        #[test]
        fn every_name_gives_a_manifest_that_keeps_the_rules(name in "\\PC{0,1100}") {
            let image = published(&name);
            let object = json!({
                "v": 2, "uuid": image.uuid.to_string(), "owner": Uuid::NIL.to_string(), "name": image.name,
                "version": image.version, "disabled": false, "activated": false, "public": true, "type": "other", "os": "linux",
            });
            let rules = Rules { mode: Mode::Public, has_channels: false };
            prop_assert_eq!(validate(object.as_object().unwrap(), &rules), Vec::new());
        }
    }
}
