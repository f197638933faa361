//! From the texts to what is used.

use crate::configuration::{KEYS, Meaning, Settings, defaults};
use crate::json::{self, Object, Value};

/// Where a value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The defaults.
    Default,
    /// The instance file: it replaces the whole value of a top-level key.
    File,
    /// Computed of others.
    Computed,
}

/// Why a configuration is not used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigurationError {
    /// The file is neither JSON nor YAML.
    #[error("neither JSON nor YAML: {0}")]
    Text(String),
    /// The file holds something else than keys and values.
    #[error("must be an object of keys and values")]
    NotAnObject,
    /// Values that may not be; every problem, one a line.
    #[error("{}", .0.join("; "))]
    Invalid(Vec<String>),
}

/// A configuration that is good.
#[derive(Clone, Debug)]
pub struct Configuration {
    merged: Object,
    given: Vec<String>,
    settings: Settings,
}

impl Configuration {
    /// Of the text of an instance file, JSON or YAML.
    ///
    /// # Errors
    /// It cannot be read or has wrong values, all of which are told.
    pub fn read(text: &str) -> Result<Self, ConfigurationError> {
        Self::of(parse(text)?)
    }

    /// Of the text of an instance file, with a value that goes before the file's.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn read_with(text: &str, key: &str, value: Value) -> Result<Self, ConfigurationError> {
        let mut file = parse(text)?;
        file.insert(key.to_owned(), value);
        Self::of(file)
    }

    /// Of the values of an instance file.
    ///
    /// # Errors
    /// Wrong values, all of them.
    pub fn of(file: Object) -> Result<Self, ConfigurationError> {
        let given = file.keys().cloned().collect();
        let mut merged = defaults();
        for (key, value) in file {
            merged.insert(key, value);
        }
        compute(&mut merged);
        let settings = Settings::new(&merged).map_err(ConfigurationError::Invalid)?;
        Ok(Self {
            merged,
            given,
            settings,
        })
    }

    /// The values that are used, typed.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// All values, merged and computed; with secrets.
    pub fn merged(&self) -> &Object {
        &self.merged
    }

    /// A value by its dotted path, such as `manta.rootDir`.
    pub fn look_up(&self, path: &str) -> Option<&Value> {
        let (first, rest) = path
            .split_once('.')
            .map_or((path, None), |(first, rest)| (first, Some(rest)));
        let mut value = self.merged.get(first)?;
        for part in rest.into_iter().flat_map(|rest| rest.split('.')) {
            value = value.get(part)?;
        }
        Some(value)
    }

    /// What a look-up prints: texts as they are, other values as JSON indented by four.
    pub fn printed(value: &Value) -> String {
        match value {
            Value::String(text) => text.clone(),
            other => json::pretty(other, 4),
        }
    }

    /// Where the value of a top-level key comes from.
    pub fn origin(&self, key: &str) -> Origin {
        if self.given.iter().any(|given| given == key) {
            Origin::File
        } else {
            Origin::Default
        }
    }

    /// Keys of the instance file that mean nothing here, known ones and unknown ones.
    pub fn without_meaning(&self) -> Vec<&str> {
        let has_meaning = |name: &str| {
            KEYS.iter()
                .any(|key| key.name == name && key.meaning != Meaning::Nothing)
        };
        self.given
            .iter()
            .map(String::as_str)
            .filter(|name| !has_meaning(name))
            .collect()
    }

    /// Whether the step from another configuration needs a restart: which keys do.
    pub fn needs_restart_for(&self, old: &Self) -> Vec<&'static str> {
        let at_start = KEYS.iter().filter(|key| key.meaning == Meaning::AtStart);
        at_start
            .map(|key| key.name)
            .filter(|name| self.merged.get(*name) != old.merged.get(*name))
            .collect()
    }

    /// All values as they may be logged: secrets starred.
    pub fn censored(&self) -> Value {
        censor(&Value::Object(self.merged.clone()))
    }
}

/// A text that holds keys and values.
pub(crate) fn parse(text: &str) -> Result<Object, ConfigurationError> {
    // Nearly every JSON text is YAML, too, and many that are wrong as JSON are: a brace decides.
    let value = if text.trim_start().starts_with('{') {
        json::parse(text.as_bytes()).map_err(|error| {
            // In a file people look for a line.
            let placed = serde_json::from_str::<serde::de::IgnoredAny>(text).err();
            ConfigurationError::Text(placed.map_or(error, |placed| placed.to_string()))
        })?
    } else {
        serde_yaml::from_str::<Value>(text).map_err(|error| ConfigurationError::Text(error.to_string()))?
    };
    match value {
        Value::Object(object) => Ok(object),
        _ => Err(ConfigurationError::NotAnObject),
    }
}

/// `manta.baseDir` and `manta.rootDir`.
fn compute(merged: &mut Object) {
    let is_datacenter = merged.get("mode").and_then(Value::as_str) == Some("dc");
    let datacenter = merged
        .get("datacenterName")
        .map(json::to_text)
        .filter(|_| is_datacenter);
    let Some(manta) = merged.get_mut("manta").and_then(Value::as_object_mut) else {
        return;
    };
    if !manta.contains_key("baseDir") {
        manta.insert("baseDir".to_owned(), "imgapi".into());
    }
    let text = |key: &str| manta.get(key).map(json::to_text).unwrap_or_default();
    let mut root = format!("/{}/stor/{}", text("user"), text("baseDir"));
    if let Some(datacenter) = datacenter {
        root = format!("{root}/{datacenter}");
    }
    manta.insert("rootDir".to_owned(), root.into());
}

fn censor(value: &Value) -> Value {
    const SECRET: [&str; 4] = ["password", "pass", "authToken", "bindPassword"];
    match value {
        Value::Object(object) => {
            let entry = |(key, value): (&String, &Value)| {
                let value = if SECRET.contains(&key.as_str()) {
                    "***".into()
                } else {
                    censor(value)
                };
                (key.clone(), value)
            };
            Value::Object(object.iter().map(entry).collect())
        }
        Value::Array(list) => list.iter().map(censor).collect(),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_of_the_file_replaces_the_whole_default() {
        let configuration = Configuration::read(r#"{"storageTypes": ["local", "manta"], "manta": {"url": "u", "user": "joe", "key": "k", "keyId": "i"}}"#).unwrap();
        assert_eq!(
            configuration.look_up("manta.rootDir").and_then(Value::as_str),
            Some("/joe/stor/imgapi")
        );
        assert_eq!(configuration.look_up("port"), Some(&8080.into()));
        assert_eq!(configuration.origin("storageTypes"), Origin::File);
        assert_eq!(configuration.origin("port"), Origin::Default);
        assert_eq!(configuration.look_up("manta.nothing"), None);
    }

    #[test]
    fn yaml_says_the_same() {
        let yaml = "mode: private\nport: 8081\nauthKeys:\n  joe: [ssh-rsa AAAA]\n";
        let configuration = Configuration::read(yaml).unwrap();
        assert_eq!(configuration.settings().port, 8081);
        // What is wrong in JSON is told by its line, as in YAML.
        for text in ["{\"port\": 1\n\"mode\": \"private\"}", "port: 1\nmode: [a\n"] {
            let told = Configuration::read(text).unwrap_err().to_string();
            assert!(told.contains("line 2"), "{told}");
        }
        assert_eq!(
            Configuration::read("[]").unwrap_err(),
            ConfigurationError::NotAnObject
        );
    }

    #[test]
    fn every_problem_is_told_at_once() {
        let text = r#"{"port": 0, "mode": "x", "authType": 1, "storageTypes": ["manta"], "channels": []}"#;
        let ConfigurationError::Invalid(problems) = Configuration::read(text).unwrap_err() else {
            panic!("read");
        };
        assert_eq!(problems.len(), 6, "{problems:?}");
    }

    #[test]
    fn what_belongs_together_is_asked_for_together() {
        let error = |text: &str| Configuration::read(text).unwrap_err().to_string();
        assert!(error(r#"{"tlsPort": 443}"#).contains("tlsCertificate"));
        assert!(error(r#"{"storageTypes": ["local", "manta"]}"#).contains("manta must be given"));
        assert!(error(r#"{"manta": {"url": "u"}}"#).contains("manta.keyId"));
        assert!(error(r#"{"mode": "dc"}"#).contains("datacenterName"));
        assert!(error(r#"{"trustedProxies": ["x"]}"#).contains("a list of addresses"));
        let channels =
            r#"{"mode": "dc", "datacenterName": "d", "channels": [{"name": "dev", "description": "d"}]}"#;
        assert!(error(channels).contains("public and private only"));
        let good = Configuration::read(r#"{"tlsPort": 443, "tlsCertificate": "/c.pem"}"#).unwrap();
        assert_eq!(
            good.settings().own.tls.as_ref().map(|tls| tls.key.as_str()),
            Some("/c.pem")
        );
    }

    #[test]
    fn secrets_do_not_reach_the_log() {
        let text = r#"{"ufds": {"bindPassword": "x1", "url": "u"}, "more": [{"authToken": "x2"}]}"#;
        let censored = json::compact(&Configuration::read(text).unwrap().censored());
        assert!(
            !censored.contains("x1") && !censored.contains("x2") && censored.contains("\"u\""),
            "{censored}"
        );
    }

    #[test]
    fn keys_without_meaning_are_named() {
        let configuration = Configuration::read(r#"{"moray": {}, "port": 1, "mine": 2}"#).unwrap();
        assert_eq!(configuration.without_meaning(), ["moray", "mine"]);
        let other = Configuration::read(r#"{"port": 2, "serverName": "x"}"#).unwrap();
        assert_eq!(other.needs_restart_for(&configuration), ["port"]);
    }
}
