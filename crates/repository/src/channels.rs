//! Channels: parts of a repository, such as `dev` and `release` (imgapi.md §8).

use crate::error::{ApiError, Code, FieldError, Result};
use crate::http::Parameters;
use crate::json::{self, Object, Value};
use crate::manifest::{Record, channel_of};

/// The channels of a repository; most repositories have none.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Channels {
    list: Vec<Object>,
}

/// Which part of the repository a request is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// There are no channels.
    Unused,
    /// All of it.
    All,
    /// One channel.
    One(String),
}

impl Scope {
    /// The channel, if it is one.
    pub fn channel(&self) -> Option<&str> {
        match self {
            Self::One(channel) => Some(channel),
            Self::Unused | Self::All => None,
        }
    }
}

/// What a deletion does.
#[derive(Clone, Debug)]
pub enum Deletion {
    /// The image loses one channel.
    OfOneChannel(Box<Record>),
    /// The image goes.
    OfAll,
}

impl Channels {
    /// Of the configuration's value.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn new(value: Option<&Value>) -> std::result::Result<Self, String> {
        let Some(value) = value.filter(|value| !value.is_null()) else {
            return Ok(Self::default());
        };
        let Some(list) = value.as_array() else {
            return Err("channels must be a list".to_owned());
        };
        if list.is_empty() {
            return Err("channels must not be empty; leave the key out for none".to_owned());
        }
        let mut channels = Vec::new();
        for (index, channel) in list.iter().enumerate() {
            let Some(channel) = channel.as_object() else {
                return Err(format!(
                    "channel {index} must be an object with name and description"
                ));
            };
            let text = |key: &str| channel.get(key).and_then(Value::as_str).unwrap_or_default();
            if !is_name(text("name")) {
                let name = channel.get("name").map(json::compact).unwrap_or_default();
                return Err(format!(
                    "channel {index} has the name {name}: must begin with a lower-case letter and have lower-case letters, digits, \"_\" and \"-\""
                ));
            }
            if text("description").is_empty() {
                return Err(format!("channel {:?} has no description", text("name")));
            }
            channels.push(channel.clone());
        }
        let channels = Self { list: channels };
        channels.check_unique().map(|()| channels)
    }

    fn check_unique(&self) -> std::result::Result<(), String> {
        let defaults: Vec<&str> = self
            .list
            .iter()
            .filter(|channel| is_default(channel))
            .map(name)
            .collect();
        if defaults.len() > 1 {
            return Err(format!(
                "more than one channel is the default: {}",
                defaults.join(", ")
            ));
        }
        let mut names: Vec<&str> = self.names().collect();
        names.sort_unstable();
        match names.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => Err(format!("there are two channels {:?}", pair[0])),
            None => Ok(()),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Their names, in the order of the configuration.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.list.iter().map(name)
    }

    /// The answer of `GET /channels`: what was configured.
    pub fn to_value(&self) -> Value {
        self.list.iter().cloned().map(Value::Object).collect()
    }

    /// What part of the repository a request asks for; `may_be_all` where `channel=*` is allowed.
    ///
    /// # Errors
    /// There is no such channel, or none is given and none is the default.
    pub fn scope(&self, parameters: &Parameters, may_be_all: bool) -> Result<Scope> {
        if self.is_empty() {
            return Ok(Scope::Unused);
        }
        match parameters.get_nonempty("channel") {
            Some(channel) if channel == "*" && may_be_all => Ok(Scope::All),
            Some(channel) => self.known(&channel).map(Scope::One),
            None => match self.list.iter().find(|channel| is_default(channel)) {
                Some(channel) => Ok(Scope::One(name(channel).to_owned())),
                None => Err(ApiError::validation_failed(
                    "channel",
                    "MissingParameter",
                    "channel not specified and the server has no default channel",
                )),
            },
        }
    }

    fn known(&self, channel: &str) -> Result<String> {
        if self.names().any(|name| name == channel) {
            return Ok(channel.to_owned());
        }
        let message = format!("unknown channel: {channel}");
        Err(ApiError::validation_failed("channel", "Invalid", message))
    }

    /// ChannelAddImage: the image in the channel that the body names.
    ///
    /// # Errors
    /// There is no such channel.
    pub fn add(&self, record: &Record, body: Option<&Value>) -> Result<Record> {
        let channel = self.known(&channel_of(body))?;
        Ok(record.with_channel(&channel))
    }

    /// What DeleteImage does to an image that is in more than one channel.
    pub fn deletion(record: &Record, scope: &Scope, force_all: bool) -> Deletion {
        match scope {
            Scope::One(channel) if !force_all && record.channels().count() > 1 => {
                Deletion::OfOneChannel(Box::new(record.without_channel(channel)))
            }
            _ => Deletion::OfAll,
        }
    }

    /// What a configuration in which they make no sense is refused with: in datacenter mode every image would be.
    pub fn refuse_in_datacenter() -> ApiError {
        let error = FieldError::bare("channels", "Invalid");
        ApiError::with_errors(
            Code::ValidationFailed,
            "channels are for public and private mode only",
            vec![error],
        )
    }
}

fn name(channel: &Object) -> &str {
    channel.get("name").and_then(Value::as_str).unwrap_or_default()
}

fn is_default(channel: &Object) -> bool {
    channel.get("default").is_some_and(json::is_truthy)
}

fn is_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|first| first.is_ascii_lowercase())
        && bytes.all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn standard() -> Channels {
        let value = json!([
            {"name": "dev", "description": "d", "default": true},
            {"name": "staging", "description": "s"},
        ]);
        Channels::new(Some(&value)).unwrap()
    }

    #[test]
    fn the_default_is_taken_and_a_star_only_on_reads() {
        let channels = standard();
        let scope = |query: &str, may_be_all| channels.scope(&Parameters::parse(query), may_be_all);
        assert_eq!(scope("", false), Ok(Scope::One("dev".to_owned())));
        assert_eq!(
            scope("channel=staging", false),
            Ok(Scope::One("staging".to_owned()))
        );
        assert_eq!(scope("channel=*", true), Ok(Scope::All));
        assert_eq!(
            scope("channel=*", false).unwrap_err().message(),
            "unknown channel: *"
        );
        assert_eq!(
            scope("channel=bogus", true).unwrap_err().message(),
            "unknown channel: bogus"
        );
        let none = Channels::default();
        assert_eq!(
            none.scope(&Parameters::parse("channel=bogus"), false),
            Ok(Scope::Unused)
        );
    }

    #[test]
    fn a_configuration_that_is_wrong_is_told() {
        let one = |name: &str| json!({"name": name, "description": "x", "default": true});
        let cases = [
            (json!({}), "must be a list"),
            (json!([]), "must not be empty"),
            (json!(["dev"]), "must be an object"),
            (json!([one("Dev")]), "has the name \"Dev\""),
            (json!([{"name": "dev"}]), "no description"),
            (
                json!([one("dev"), one("staging")]),
                "more than one channel is the default: dev, staging",
            ),
            (
                json!([one("dev"), {"name": "dev", "description": "y"}]),
                "two channels \"dev\"",
            ),
        ];
        for (value, part) in cases {
            let error = Channels::new(Some(&value)).unwrap_err();
            assert!(error.contains(part), "{error}");
        }
    }
}
