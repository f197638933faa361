//! The values that are used, typed and checked.

use crate::channels::Channels;
use crate::configuration::{JoinSettings, OwnSettings};
use crate::json::{self, Object, Value};
use crate::manifest::{Mode, Rules};
use crate::uuid::Uuid;
use std::collections::BTreeMap;

/// Who may change things.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthType {
    /// Everybody.
    None,
    /// Who signs.
    Signature,
}

/// The object store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manta {
    /// Endpoint.
    pub url: String,
    /// Account there.
    pub user: String,
    /// Path of the private key.
    pub key: String,
    /// Fingerprint of the key.
    pub key_id: String,
    /// Whether certificates are not checked.
    pub is_insecure: bool,
    /// Whether it is across a wide network (imgapi.md §12.2).
    pub is_remote: bool,
    /// Directory of this repository there.
    pub root: String,
}

/// Settings of a repository.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Port to listen on.
    pub port: u16,
    /// Address to listen on.
    pub address: String,
    /// The `Server` header; `None` for the program's own.
    pub server_name: Option<String>,
    /// Level of logs: 10 to 60.
    pub log_level: u64,
    /// Outgoing connections, at most.
    pub maximum_sockets: usize,
    /// Mode.
    pub mode: Mode,
    /// Name of this datacenter.
    pub datacenter: Option<String>,
    /// Name of the service, a label of metrics.
    pub service: Option<String>,
    /// Name of this instance, a label of metrics.
    pub instance: Option<String>,
    /// Name of the host, a label of metrics.
    pub server: Option<String>,
    /// Account of the administrator.
    pub admin: Option<Uuid>,
    /// Address of the metrics in dc mode.
    pub admin_address: Option<String>,
    /// Channels.
    pub channels: Channels,
    /// Days after which images that were never made are forgotten.
    pub placeholder_days: f64,
    /// Whether images may be made without an object store.
    pub allow_local_create: bool,
    /// Whether certificates of other repositories are not checked.
    pub allow_insecure: bool,
    /// Who may change things.
    pub auth_type: AuthType,
    /// Keys of users.
    pub auth_keys: Object,
    /// Whether the object store takes files.
    pub stores_in_manta: bool,
    /// The object store.
    pub manta: Option<Manta>,
    /// Repositories of other datacenters, by name.
    pub datacenters: BTreeMap<String, String>,
    /// Proxy of outgoing calls.
    pub proxy: Option<String>,
    /// The join with an image server and an image builder.
    pub join: JoinSettings,
    /// What only this program has.
    pub own: OwnSettings,
}

impl Settings {
    /// What the rules of manifests depend on.
    pub fn rules(&self) -> Rules {
        Rules {
            mode: self.mode,
            has_channels: !self.channels.is_empty(),
        }
    }

    /// Of merged values.
    pub(crate) fn new(merged: &Object) -> Result<Self, Vec<String>> {
        let mut read = Reader {
            merged,
            problems: Vec::new(),
        };
        let mode = read.one_of("mode", &["public", "private", "dc"]);
        let mode = [Mode::Public, Mode::Private, Mode::Datacenter][mode];
        let auth_type =
            [AuthType::None, AuthType::Signature][read.one_of("authType", &["none", "signature"])];
        read.one_of("databaseType", &["local"]);
        let stores_in_manta = read.storage_types();
        let settings = Self {
            port: read.port("port").unwrap_or_default(),
            address: read.text("address").unwrap_or_default(),
            server_name: read.text("serverName"),
            log_level: read.log_level(),
            maximum_sockets: read.number("maxSockets").map_or(100, |number| number as usize),
            mode,
            datacenter: read.text("datacenterName"),
            service: read.text("serviceName"),
            instance: read.text("instanceUuid"),
            server: read.text("serverUuid"),
            admin: read.uuid("adminUuid"),
            admin_address: read.text("adminIp"),
            channels: read.channels(mode),
            placeholder_days: read.number("placeholderImageLifespanDays").unwrap_or(7.0),
            allow_local_create: read.boolean("allowLocalCreateImageFromVm"),
            allow_insecure: read.boolean("allowInsecure"),
            auth_type,
            auth_keys: read.auth_keys(),
            stores_in_manta,
            manta: read.manta(stores_in_manta),
            datacenters: read.datacenters(),
            proxy: read.text("httpProxy"),
            join: JoinSettings::new(&mut read),
            own: OwnSettings::new(&mut read),
        };
        if settings.mode == Mode::Datacenter && settings.datacenter.is_none() {
            read.problems
                .push("datacenterName must be given in dc mode".to_owned());
        }
        if read.problems.is_empty() {
            Ok(settings)
        } else {
            Err(read.problems)
        }
    }
}

/// Reads values and gathers problems.
pub(crate) struct Reader<'a> {
    merged: &'a Object,
    pub(crate) problems: Vec<String>,
}

impl Reader<'_> {
    pub(crate) fn given(&self, key: &str) -> Option<&Value> {
        self.merged.get(key).filter(|value| !value.is_null())
    }

    pub(crate) fn problem(&mut self, key: &str, what: &str) {
        let value = self.merged.get(key).map(json::compact).unwrap_or_default();
        self.problems.push(format!("{key} must be {what}, not {value}"));
    }

    /// A text; nothing if it is empty.
    pub(crate) fn text(&mut self, key: &str) -> Option<String> {
        let value = self.given(key)?.clone();
        if !value.is_string() {
            self.problem(key, "a text");
        }
        value.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
    }

    /// A number from 0 on.
    fn number(&mut self, key: &str) -> Option<f64> {
        let number = self.given(key)?.as_f64().filter(|number| *number >= 0.0);
        if number.is_none() {
            self.problem(key, "a number from 0 on");
        }
        number
    }

    pub(crate) fn boolean(&mut self, key: &str) -> bool {
        let Some(value) = self.given(key) else {
            return false;
        };
        let value = json::boolean(value);
        if value.is_none() {
            self.problem(key, "true or false");
        }
        value.unwrap_or(false)
    }

    /// Index of a word; the first if it is none.
    fn one_of(&mut self, key: &str, words: &[&str]) -> usize {
        let text = self.given(key).and_then(Value::as_str);
        let index = words.iter().position(|word| Some(*word) == text);
        if index.is_none() {
            self.problem(key, &format!("one of {}", words.join(", ")));
        }
        index.unwrap_or(0)
    }

    fn uuid(&mut self, key: &str) -> Option<Uuid> {
        let text = self.text(key)?;
        let uuid = Uuid::parse(&text);
        if uuid.is_none() {
            self.problem(key, "a UUID in lower case");
        }
        uuid
    }

    /// A port; nothing if it is not given.
    pub(crate) fn port(&mut self, key: &str) -> Option<u16> {
        let port = self.given(key).map(json::number)?;
        let port = port.filter(|port| port.fract() == 0.0 && (1.0..65_536.0).contains(port));
        if port.is_none() {
            self.problem(key, "a number from 1 to 65535");
        }
        port.map(|port| port as u16)
    }

    fn log_level(&mut self) -> u64 {
        const LEVELS: [&str; 6] = ["trace", "debug", "info", "warn", "error", "fatal"];
        let level = match self.given("logLevel") {
            None => Some(20),
            Some(Value::String(word)) => LEVELS
                .iter()
                .position(|level| level == word)
                .map(|index| 10 * (index as u64 + 1)),
            Some(value) => value.as_u64().filter(|level| (1..=60).contains(level)),
        };
        if level.is_none() {
            self.problem(
                "logLevel",
                "one of trace, debug, info, warn, error, fatal, or 1 to 60",
            );
        }
        level.unwrap_or(20)
    }

    fn channels(&mut self, mode: Mode) -> Channels {
        let channels = match Channels::new(self.merged.get("channels")) {
            Ok(channels) => channels,
            Err(problem) => {
                self.problems.push(problem);
                return Channels::default();
            }
        };
        if mode == Mode::Datacenter && !channels.is_empty() {
            self.problems.push("channels are for the modes public and private only: in dc mode every new image would be refused".to_owned());
        }
        channels
    }

    fn auth_keys(&mut self) -> Object {
        let keys = match self.given("authKeys") {
            None => return Object::new(),
            Some(keys) => keys.as_object().cloned(),
        };
        let is_list = |list: &Value| {
            list.is_string()
                || list
                    .as_array()
                    .is_some_and(|list| list.iter().all(Value::is_string))
        };
        let keys = keys.filter(|keys| keys.values().all(is_list));
        if keys.is_none() {
            self.problems
                .push("authKeys must be an object of lists of keys, by user".to_owned());
        }
        keys.unwrap_or_default()
    }

    fn storage_types(&mut self) -> bool {
        let list = self
            .given("storageTypes")
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default();
        let has = |word: &str| list.iter().any(|storage| storage.as_str() == Some(word));
        let is_known = list
            .iter()
            .all(|storage| matches!(storage.as_str(), Some("local" | "manta")));
        if !is_known || !has("local") {
            self.problem("storageTypes", "a list of local and manta, with local in it");
        }
        has("manta")
    }

    fn manta(&mut self, is_needed: bool) -> Option<Manta> {
        let Some(value) = self.given("manta") else {
            if is_needed {
                self.problems
                    .push("manta must be given: storageTypes has it".to_owned());
            }
            return None;
        };
        let Some(manta) = value.as_object().cloned() else {
            self.problem("manta", "an object");
            return None;
        };
        let text = |key: &str| {
            manta
                .get(key)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        for key in ["url", "user", "key", "keyId"] {
            if text(key).is_empty() {
                self.problems.push(format!("manta.{key} must be given"));
            }
        }
        let is_true = |key: &str| manta.get(key).and_then(json::boolean).unwrap_or(false);
        Some(Manta {
            url: text("url"),
            user: text("user"),
            key: text("key"),
            key_id: text("keyId"),
            is_insecure: is_true("insecure"),
            is_remote: is_true("remote"),
            root: text("rootDir"),
        })
    }

    fn datacenters(&mut self) -> BTreeMap<String, String> {
        let Some(value) = self.given("imgapiUrlFromDatacenter") else {
            return BTreeMap::new();
        };
        let entries = value.as_object().map(|object| {
            let entry = |(name, url): (&String, &Value)| Some((name.clone(), url.as_str()?.to_owned()));
            object.iter().map(entry).collect::<Option<BTreeMap<_, _>>>()
        });
        let entries = entries.flatten();
        if entries.is_none() {
            self.problem(
                "imgapiUrlFromDatacenter",
                "an object of URLs by name of datacenter",
            );
        }
        entries.unwrap_or_default()
    }
}
