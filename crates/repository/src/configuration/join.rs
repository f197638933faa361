//! Settings of the join with an image server and an image builder (imgapi.md §22).

use crate::configuration::settings::Reader;
use crate::json::{self, Object, Value};
use crate::manifest::Compression;
use crate::publish::PublishedAs;
use crate::uuid::Uuid;
use std::collections::BTreeMap;

/// What becomes of a published image whose original the store has no more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WhenGone {
    /// It stays: its file is a copy.
    #[default]
    Keep,
    /// It is disabled.
    Disable,
    /// It is deleted.
    Delete,
}

/// Which images are published by themselves, and how.
#[derive(Clone, Debug, PartialEq)]
pub struct PublishRule {
    /// Directory of the images; with `/**` at the end all below it too.
    pub stream: String,
    /// Channel they are published on; the default one if it is not said.
    pub channel: Option<String>,
    /// Of those that are there at the start of a link only so many of each stream, the newest; all if it is not said.
    pub newest: Option<usize>,
    /// Whether images that expire are published too.
    pub includes_expiring: bool,
    /// What becomes of them when the store has them no more.
    pub when_gone: WhenGone,
    /// What is said about them.
    pub said: PublishedAs,
}

impl PublishRule {
    /// Whether it is about images of that directory.
    pub fn is_about(&self, stream: &str) -> bool {
        match self.stream.strip_suffix("**") {
            // What is left ends in a slash, or is empty: everything.
            Some(above) => {
                stream.starts_with(above) || (!above.is_empty() && stream == &above[..above.len() - 1])
            }
            None => self.stream == stream,
        }
    }
}

/// Uploaded images that are taken into the image server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TakeIn {
    /// Directory there that all of them go below; empty for none.
    pub directory: String,
    /// Whether each image is, once it is activated; else only those that somebody asks for.
    pub is_automatic: bool,
}

/// What is built for a machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuildTarget {
    /// Stream of the image builder.
    pub stream: String,
    /// Branch; empty for the default one.
    pub branch: String,
}

/// The join.
#[derive(Clone, Debug, PartialEq)]
pub struct JoinSettings {
    /// `HOST:PORT` of the image server.
    pub image_server: Option<String>,
    /// `HOST:PORT` of the image builder.
    pub imaginator: Option<String>,
    /// Directory of the certificates that this program shows them; `None` for connections without.
    pub certificates: Option<String>,
    /// What is published by itself. The first rule about an image counts.
    pub rules: Vec<PublishRule>,
    /// How images are published that somebody asks for and no rule is about.
    pub otherwise: PublishedAs,
    /// Uploaded images in the image server.
    pub take_in: TakeIn,
    /// Streams to build, by the machine that a request to make an image names.
    pub targets: BTreeMap<Uuid, BuildTarget>,
    /// Accounts by users and groups of the image server.
    pub accounts: BTreeMap<String, Uuid>,
}

impl JoinSettings {
    pub(crate) fn new(read: &mut Reader<'_>) -> Self {
        let image_server = address(read, "imageServer");
        let imaginator = address(read, "imaginator");
        let rules = rules(read);
        let settings = Self {
            certificates: read.text("certDirectory"),
            otherwise: PublishedAs::default(),
            take_in: take_in(read),
            targets: targets(read),
            accounts: accounts(read),
            image_server,
            imaginator,
            rules,
        };
        if settings.image_server.is_none() && !settings.rules.is_empty() {
            read.problems
                .push("imageServer must be given: publish is".to_owned());
        }
        if settings.image_server.is_none() && settings.take_in.is_automatic {
            read.problems
                .push("imageServer must be given: takeIn is automatic".to_owned());
        }
        settings
    }

    /// The first rule about an image of that full name.
    pub fn rule_about(&self, full_name: &str) -> Option<&PublishRule> {
        let stream = full_name.rsplit_once('/').map_or("", |(stream, _)| stream);
        self.rules.iter().find(|rule| rule.is_about(stream))
    }
}

/// `HOST:PORT`.
fn address(read: &mut Reader<'_>, key: &str) -> Option<String> {
    let text = read.text(key)?;
    let is_address = text
        .rsplit_once(':')
        .is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok());
    if !is_address {
        read.problem(key, "HOST:PORT");
    }
    Some(text)
}

fn rules(read: &mut Reader<'_>) -> Vec<PublishRule> {
    let Some(value) = read.given("publish").cloned() else {
        return Vec::new();
    };
    let Some(list) = value.as_array() else {
        read.problem("publish", "a list of rules");
        return Vec::new();
    };
    let mut rules = Vec::new();
    for (index, value) in list.iter().enumerate() {
        match rule(value) {
            Ok(rule) => rules.push(rule),
            Err(what) => read.problems.push(format!("publish, rule {index}: {what}")),
        }
    }
    rules
}

const RULE_KEYS: [&str; 12] = [
    "stream",
    "channel",
    "newest",
    "includeExpiring",
    "whenGone",
    "compression",
    "public",
    "owner",
    "type",
    "os",
    "requirements",
    "tags",
];

/// The values of one rule.
struct Given<'a>(&'a Object);

impl Given<'_> {
    fn get(&self, key: &str) -> Option<&Value> {
        self.0.get(key).filter(|value| !value.is_null())
    }

    fn text(&self, key: &str) -> Result<Option<String>, String> {
        match self.get(key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(format!("{key} must be a text")),
        }
    }

    fn boolean(&self, key: &str) -> Result<Option<bool>, String> {
        let value = self.get(key).map(json::boolean);
        match value {
            Some(None) => Err(format!("{key} must be true or false")),
            value => Ok(value.flatten()),
        }
    }

    fn object(&self, key: &str) -> Result<Option<Object>, String> {
        match self.get(key) {
            None => Ok(None),
            Some(Value::Object(object)) => Ok(Some(object.clone())),
            Some(_) => Err(format!("{key} must be an object")),
        }
    }

    /// A number from 1 on.
    fn count(&self, key: &str) -> Result<Option<usize>, String> {
        let Some(value) = self.get(key) else {
            return Ok(None);
        };
        let count = value.as_u64().filter(|count| *count > 0);
        let count = count.and_then(|count| usize::try_from(count).ok());
        count
            .map(Some)
            .ok_or_else(|| format!("{key} must be a number from 1 on"))
    }
}

/// One rule of `publish`.
fn rule(value: &Value) -> Result<PublishRule, String> {
    let rule = value.as_object().ok_or("must be an object")?;
    if let Some(unknown) = rule.keys().find(|key| !RULE_KEYS.contains(&key.as_str())) {
        return Err(format!("{unknown} is not one of {}", RULE_KEYS.join(", ")));
    }
    let given = Given(rule);
    let stream = given.text("stream")?.filter(|stream| !stream.is_empty());
    let stream = stream.ok_or("stream must be given: a directory of images, or with /** at its end")?;
    if stream.strip_suffix("**").unwrap_or(&stream).contains('*')
        || (stream.ends_with("**") && stream != "**" && !stream.ends_with("/**"))
    {
        return Err("stream may have a * at its end only, as /**".to_owned());
    }
    Ok(PublishRule {
        stream: stream.trim_end_matches('/').to_owned(),
        channel: given.text("channel")?,
        newest: given.count("newest")?,
        includes_expiring: given.boolean("includeExpiring")?.unwrap_or(false),
        when_gone: when_gone(given.text("whenGone")?.as_deref())?,
        said: said(&given)?,
    })
}

/// What a rule says about its images.
fn said(given: &Given<'_>) -> Result<PublishedAs, String> {
    let usual = PublishedAs::default();
    let compression = match given.text("compression")? {
        None => usual.compression,
        Some(word) => Compression::parse(&word).ok_or("compression must be one of gzip, bzip2, xz, none")?,
    };
    let owner = match given.text("owner")? {
        None => usual.owner,
        Some(owner) => Uuid::parse(&owner).ok_or("owner must be a UUID in lower case")?,
    };
    Ok(PublishedAs {
        compression,
        public: given.boolean("public")?,
        owner,
        kind: given.text("type")?.unwrap_or(usual.kind),
        os: given.text("os")?.unwrap_or(usual.os),
        requirements: given.object("requirements")?,
        tags: given.object("tags")?.unwrap_or_default(),
    })
}

fn when_gone(word: Option<&str>) -> Result<WhenGone, String> {
    match word {
        None | Some("keep") => Ok(WhenGone::Keep),
        Some("disable") => Ok(WhenGone::Disable),
        Some("delete") => Ok(WhenGone::Delete),
        Some(_) => Err("whenGone must be one of keep, disable, delete".to_owned()),
    }
}

fn take_in(read: &mut Reader<'_>) -> TakeIn {
    let none = TakeIn {
        directory: String::new(),
        is_automatic: false,
    };
    let Some(value) = read.given("takeIn").cloned() else {
        return none;
    };
    let directory = value.get("directory").and_then(Value::as_str);
    let automatic = value.get("automatic").map_or(Some(false), json::boolean);
    match (directory, automatic) {
        (Some(directory), Some(is_automatic)) => TakeIn {
            directory: directory.to_owned(),
            is_automatic,
        },
        _ => {
            read.problem("takeIn", "an object with directory, and automatic true or false");
            none
        }
    }
}

/// An object whose values are made by `entry`; anything else is a problem.
fn table<K: Ord, V>(
    read: &mut Reader<'_>,
    key: &str,
    what: &str,
    entry: impl Fn(&String, &Value) -> Option<(K, V)>,
) -> BTreeMap<K, V> {
    let Some(value) = read.given(key).cloned() else {
        return BTreeMap::new();
    };
    let table = value.as_object().and_then(|object: &Object| {
        let entries = object.iter().map(|(key, value)| entry(key, value));
        entries.collect::<Option<BTreeMap<K, V>>>()
    });
    if table.is_none() {
        read.problem(key, what);
    }
    table.unwrap_or_default()
}

fn targets(read: &mut Reader<'_>) -> BTreeMap<Uuid, BuildTarget> {
    let what = "an object of streams by UUID of a machine: a text, or an object with stream and branch";
    table(read, "buildTargets", what, |uuid, value| {
        let text = |key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default();
        let stream = value.as_str().unwrap_or_else(|| text("stream"));
        let target = BuildTarget {
            stream: stream.to_owned(),
            branch: text("branch").to_owned(),
        };
        (!stream.is_empty()).then_some((Uuid::parse(uuid)?, target))
    })
}

fn accounts(read: &mut Reader<'_>) -> BTreeMap<String, Uuid> {
    let what = "an object of UUIDs of accounts by user or group of the image server";
    table(read, "publishOwners", what, |name, value| {
        Some((name.clone(), Uuid::parse(value.as_str()?)?))
    })
}

#[cfg(test)]
mod tests {
    use crate::configuration::{Configuration, WhenGone};
    use serde_json::json;

    fn read(value: serde_json::Value) -> Result<Configuration, String> {
        let object = value.as_object().cloned().unwrap();
        Configuration::of(object).map_err(|error| error.to_string())
    }

    #[test]
    fn rules_are_about_a_directory_or_all_below_it_and_the_first_counts() {
        let configuration = read(json!({
            "imageServer": "images:6971",
            "publish": [
                {"stream": "debian/12", "channel": "dev", "compression": "xz", "whenGone": "disable"},
                {"stream": "debian/**", "newest": 1},
            ],
        }))
        .unwrap();
        let join = &configuration.settings().join;
        assert_eq!(
            join.rule_about("debian/12/1").unwrap().when_gone,
            WhenGone::Disable
        );
        assert_eq!(join.rule_about("debian/12/users/1").unwrap().newest, Some(1));
        assert_eq!(join.rule_about("debian/1").unwrap().newest, Some(1));
        assert!(join.rule_about("debian12/1").is_none() && join.rule_about("x").is_none());
    }

    #[test]
    fn what_is_wrong_with_a_rule_is_told_with_its_number() {
        for (rule, told) in [
            (json!({}), "rule 0: stream must be given"),
            (json!({"stream": "a*/b"}), "* at its end only"),
            (
                json!({"stream": "a", "compression": "zip"}),
                "compression must be one of",
            ),
            (json!({"stream": "a", "chanel": "dev"}), "chanel is not one of"),
            (json!({"stream": "a", "newest": 0}), "newest must be a number"),
        ] {
            let error = read(json!({"imageServer": "h:1", "publish": [rule]})).unwrap_err();
            assert!(error.contains(told), "{error}");
        }
        let error = read(json!({"publish": [{"stream": "a"}]})).unwrap_err();
        assert!(error.contains("imageServer must be given"), "{error}");
        assert!(read(json!({"imageServer": "nowhere"})).is_err());
    }

    #[test]
    fn machines_stand_for_streams() {
        let machine = "86055c40-2547-11e2-8a6b-4bb37edc84ba";
        let configuration =
            read(json!({"imaginator": "b:6975", "buildTargets": {machine: "debian/12"}})).unwrap();
        let join = &configuration.settings().join;
        assert_eq!(join.targets.values().next().unwrap().stream, "debian/12");
        assert!(read(json!({"buildTargets": {"x": "debian/12"}})).is_err());
    }
}
