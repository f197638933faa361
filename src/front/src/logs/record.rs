//! Lines as JSON objects, in the form of bunyan (`imgapi-operations.md §9`), which existing tools read: `name`, `hostname`, `pid`, `level`, the
//! event's own fields, `msg`, `time`, `v`.

use jiff::Timestamp;
use serde_json::{Map, Value};

/// What all records of a process begin with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordHead {
    name: String,
    host: String,
    process: u32,
}

/// How grave a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Severity(u8);

impl Severity {
    /// 10.
    pub const TRACE: Self = Self(10);
    /// 20.
    pub const DEBUG: Self = Self(20);
    /// 30.
    pub const INFO: Self = Self(30);
    /// 40.
    pub const WARN: Self = Self(40);
    /// 50.
    pub const ERROR: Self = Self(50);
    /// 60: the process ends of it.
    pub const FATAL: Self = Self(60);

    /// The lowest of the six that is not below a number of the configuration, 1 to 60.
    pub fn of_number(number: u64) -> Self {
        let all = [Self::TRACE, Self::DEBUG, Self::INFO, Self::WARN, Self::ERROR];
        all.into_iter()
            .find(|severity| u64::from(severity.0) >= number)
            .unwrap_or(Self::FATAL)
    }

    /// Its number.
    pub fn number(self) -> u8 {
        self.0
    }

    /// The debug level of this log that such records have: -1 from [`Self::INFO`] on.
    pub fn debug_level(self) -> i16 {
        match self {
            Self::TRACE => super::layer::OWN_TRACE,
            Self::DEBUG => super::layer::OWN_DEBUG,
            _ => super::ALWAYS,
        }
    }

    pub(super) fn of_level(level: i16) -> Self {
        if level <= super::ALWAYS {
            Self::INFO
        } else if level < super::layer::OWN_TRACE {
            Self::DEBUG
        } else {
            Self::TRACE
        }
    }
}

impl RecordHead {
    /// Of this process, under this name.
    pub fn new(name: impl Into<String>) -> Self {
        let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
        Self {
            name: name.into(),
            host,
            process: std::process::id(),
        }
    }

    /// A record, without a line end. Fields such as `req.method` become objects.
    pub(super) fn record(
        &self,
        severity: Severity,
        message: &str,
        fields: Vec<(&'static str, Value)>,
        at: Timestamp,
    ) -> String {
        let mut record = Map::new();
        record.insert("name".to_owned(), self.name.as_str().into());
        record.insert("hostname".to_owned(), self.host.as_str().into());
        record.insert("pid".to_owned(), self.process.into());
        record.insert("level".to_owned(), severity.0.into());
        for (name, value) in fields {
            put(&mut record, name, value);
        }
        record.insert("msg".to_owned(), message.into());
        record.insert(
            "time".to_owned(),
            format!("{}Z", at.strftime("%Y-%m-%dT%H:%M:%S.%3f")).into(),
        );
        record.insert("v".to_owned(), 0.into());
        Value::Object(record).to_string()
    }
}

/// What would replace one of the head's is put beside it.
fn put(record: &mut Map<String, Value>, name: &str, value: Value) {
    const HEAD: [&str; 4] = ["name", "hostname", "pid", "level"];
    match name.split_once('.') {
        Some((outer, inner)) => {
            let object = record.entry(outer).or_insert_with(|| Value::Object(Map::new()));
            if let Some(object) = object.as_object_mut() {
                object.insert(inner.to_owned(), value);
            }
        }
        None if HEAD.contains(&name) => {
            record.insert(format!("{name}_"), value);
        }
        None => {
            record.insert(name.to_owned(), value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_have_the_form_of_bunyan() {
        let head = RecordHead::new("imgapi");
        let fields = vec![
            ("req.method", "GET".into()),
            ("req.url", "/ping".into()),
            ("latency", 3.into()),
            ("pid", 7.into()),
        ];
        let at: Timestamp = "2026-11-22T04:05:06.789Z".parse().unwrap();
        let text = head.record(Severity::INFO, "a\nb \"c\"", fields, at);
        assert!(!text.contains('\n'), "{text}");
        let value: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["name"], "imgapi");
        assert_eq!(value["pid"], std::process::id());
        assert_eq!((&value["level"], &value["v"]), (&30.into(), &0.into()));
        assert_eq!(value["req"], serde_json::json!({"method": "GET", "url": "/ping"}));
        assert_eq!((&value["latency"], &value["pid_"]), (&3.into(), &7.into()));
        assert_eq!(value["msg"], "a\nb \"c\"");
        assert_eq!(value["time"], "2026-11-22T04:05:06.789Z");
    }

    #[test]
    fn numbers_of_the_configuration_name_the_next_higher_level() {
        let number = |number| Severity::of_number(number).number();
        assert_eq!([1, 10, 11, 30, 60].map(number), [10, 10, 20, 30, 60]);
    }
}
