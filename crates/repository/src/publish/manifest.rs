//! What is said about a published image (imgapi.md §22.1).

use super::{TAG_FILTER, TAG_IMAGE, TAG_PACKAGES, TAG_TRIGGERS, published};
use crate::dates;
use crate::error::Result;
use crate::json::{self, Object, Value};
use crate::manifest::{Compression, Mode, Record, Rules};
use crate::uuid::Uuid;
use std::collections::BTreeMap;
use std::time::SystemTime;

/// Characters of the tags, as JSON, at most: the rules allow 102,400, and clients add some of theirs.
const MAXIMUM_TAGS: usize = 90_000;

/// Characters of a description, at most.
const MAXIMUM_DESCRIPTION: usize = 10_240;

/// Characters of a URL, at most.
const MAXIMUM_URL: usize = 1024;

/// What is known of an image where it is stored.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ImageFacts {
    /// Its name, with the directories.
    pub full_name: String,
    /// When it was added there.
    pub created_on: Option<SystemTime>,
    /// Who may be its owner here, by the name there: who it was made for, who added it, its users, its groups.
    pub owners: Vec<String>,
    /// What it was built from: branch, commit, repository; empty for nothing.
    pub build_branch: String,
    /// Commit.
    pub build_commit: String,
    /// Repository.
    pub build_url: String,
    /// Where its build log is.
    pub build_log_url: String,
    /// Where its release notes are.
    pub release_notes_url: String,
    /// Its release notes, if they are a text.
    pub release_notes: String,
    /// The image it was built from.
    pub source_image: String,
    /// Its labels.
    pub tags: BTreeMap<String, String>,
    /// Different contents of its files.
    pub objects: u64,
    /// Bytes of its files.
    pub bytes: u64,
    /// What updates leave alone, line by line.
    pub filter: Option<Vec<String>>,
    /// What to restart when files change, in the store's own JSON.
    pub triggers: Option<Value>,
    /// Packages in it, in the store's own JSON.
    pub packages: Option<Value>,
}

/// What the operator says about published images.
#[derive(Clone, Debug, PartialEq)]
pub struct PublishedAs {
    /// How files are compressed.
    pub compression: Compression,
    /// Whether they are public; the mode's own way if it is not said.
    pub public: Option<bool>,
    /// Owner of those whose users and groups have no account.
    pub owner: Uuid,
    /// `type`.
    pub kind: String,
    /// `os`.
    pub os: String,
    /// `requirements`.
    pub requirements: Option<Object>,
    /// Tags for all of them.
    pub tags: Object,
}

impl Default for PublishedAs {
    fn default() -> Self {
        Self {
            compression: Compression::Gzip,
            public: None,
            owner: Uuid::NIL,
            kind: "other".to_owned(),
            os: "linux".to_owned(),
            requirements: None,
            tags: Object::new(),
        }
    }
}

/// The record of an image that is about to be published: not activated, without a file.
///
/// # Errors
/// What the operator wants said breaks the rules of manifests.
pub fn publication(
    facts: &ImageFacts,
    said: &PublishedAs,
    accounts: &BTreeMap<String, Uuid>,
    channel: Option<&str>,
    rules: &Rules,
) -> Result<Record> {
    let image = published(&facts.full_name);
    let owner = facts.owners.iter().find_map(|name| accounts.get(name));
    let public = said.public.unwrap_or(rules.mode == Mode::Public);
    let mut object = Object::new();
    let mut set = |key: &str, value: Value| object.insert(key.to_owned(), value);
    set("v", 2.into());
    set("uuid", image.uuid.to_string().into());
    set("owner", owner.unwrap_or(&said.owner).to_string().into());
    set("name", image.name.into());
    set("version", image.version.into());
    set("state", "unactivated".into());
    set("disabled", false.into());
    set("activated", false.into());
    set("public", public.into());
    if let Some(created) = facts.created_on {
        set("published_at", dates::iso(created).into());
    }
    set("type", said.kind.as_str().into());
    set("os", said.os.as_str().into());
    set("files", Value::Array(Vec::new()));
    if !facts.release_notes.is_empty() {
        let text: String = facts.release_notes.chars().take(MAXIMUM_DESCRIPTION).collect();
        set("description", text.into());
    }
    if is_url(&facts.build_url) {
        set("homepage", facts.build_url.as_str().into());
    }
    if let Some(requirements) = &said.requirements {
        set("requirements", Value::Object(requirements.clone()));
    }
    if let Some(channel) = channel {
        set("channels", Value::Array(vec![channel.into()]));
    }
    let tags = tags(facts, said);
    crate::manifest::set_tags(&mut object, Value::Object(tags));
    Record::of_client(object, rules)
}

/// What has a place of its own in no manifest. What would make the tags too long is left out, the largest last.
fn tags(facts: &ImageFacts, said: &PublishedAs) -> Object {
    let mut tags = said.tags.clone();
    let mut length = json::compact(&Value::Object(tags.clone())).chars().count();
    let mut add = |key: &str, value: Value| {
        length += key.chars().count() + json::compact(&value).chars().count() + 8;
        if length <= MAXIMUM_TAGS {
            tags.insert(key.to_owned(), value);
        }
    };
    add(TAG_IMAGE, facts.full_name.as_str().into());
    let texts = [
        ("build:branch", &facts.build_branch),
        ("build:commit", &facts.build_commit),
        ("build:url", &facts.build_url),
        ("build:log", &facts.build_log_url),
        ("build:release-notes", &facts.release_notes_url),
        ("source:image", &facts.source_image),
    ];
    for (key, text) in texts.into_iter().filter(|(_, text)| !text.is_empty()) {
        add(key, text.as_str().into());
    }
    if let Some((stream, _)) = facts.source_image.rsplit_once('/') {
        add("source:stream", stream.into());
    }
    add("store:object-count", facts.objects.into());
    add("store:bytes", facts.bytes.into());
    for (key, value) in &facts.tags {
        add(key, value.as_str().into());
    }
    let kept = [
        (
            TAG_FILTER,
            facts.filter.as_ref().map(|lines| Value::from(lines.clone())),
        ),
        (TAG_TRIGGERS, facts.triggers.clone()),
        (TAG_PACKAGES, facts.packages.clone()),
    ];
    for (key, value) in kept {
        if let Some(value) = value {
            add(key, json::compact(&value).into());
        }
    }
    tags
}

fn is_url(text: &str) -> bool {
    let is_web = text.starts_with("https://") || text.starts_with("http://");
    is_web && text.len() <= MAXIMUM_URL
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::time::{Duration, UNIX_EPOCH};

    fn facts() -> ImageFacts {
        ImageFacts {
            full_name: "debian/12/2026-11-22:18:20:00".to_owned(),
            created_on: Some(UNIX_EPOCH + Duration::from_secs(1_700_000_000)),
            owners: vec!["alice".to_owned(), "staff".to_owned()],
            build_commit: "0123abcd".to_owned(),
            source_image: "bootstrap/12/1".to_owned(),
            filter: Some(vec!["/tmp/.*".to_owned()]),
            packages: Some(json!([{"Name": "libc6", "Size": 1, "Version": "2"}])),
            ..ImageFacts::default()
        }
    }

    const PUBLIC: Rules = Rules {
        mode: Mode::Public,
        has_channels: true,
    };

    fn record(facts: &ImageFacts) -> Record {
        publication(
            facts,
            &PublishedAs::default(),
            &BTreeMap::from([("staff".to_owned(), Uuid::from_random([3; 16]))]),
            Some("dev"),
            &PUBLIC,
        )
        .unwrap()
    }

    #[test]
    fn a_manifest_says_what_was_built_of_what_and_when() {
        let record = record(&facts());
        assert_eq!(record.state(), "unactivated");
        assert_eq!(record.owner(), Uuid::from_random([3; 16]));
        assert_eq!(record.text("published_at"), "2023-11-14T22:13:20.000Z");
        assert!(record.is_in_channel("dev") && record.is_public() && record.origin().is_none());
        let tags: Vec<&str> = record.search_tags().collect();
        for tag in [
            "store:image=debian/12/2026-11-22:18:20:00",
            "build:commit=0123abcd",
            "source:stream=bootstrap/12",
        ] {
            assert!(tags.contains(&tag), "{tag} in {tags:?}");
        }
    }

    #[test]
    fn what_is_too_long_for_tags_is_left_out_and_the_rest_stays() {
        let mut facts = facts();
        facts.packages = Some(json!("x".repeat(100_000)));
        let record = record(&facts);
        let tags = record.object()["tagsObj"].as_object().unwrap();
        assert!(tags.contains_key(TAG_FILTER) && !tags.contains_key(TAG_PACKAGES));
    }

    #[test]
    fn what_an_operator_may_not_say_is_told() {
        let said = PublishedAs {
            kind: "tar".to_owned(),
            ..PublishedAs::default()
        };
        let error = publication(&facts(), &said, &BTreeMap::new(), Some("dev"), &PUBLIC).unwrap_err();
        assert!(error.message().contains("type"), "{}", error.message());
    }
}
