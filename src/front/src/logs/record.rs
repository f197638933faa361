//! Lines as JSON objects, in the form of bunyan (`imgapi-operations.md §9`), which existing tools read: `name`, `hostname`, `pid`, `level`, the
//! event's own fields, `msg`, `time`, `v`.
//!
//! A record is written straight into one text, without a tree of values: there is one for each request that is answered.

use jiff::Timestamp;
use jiff::fmt::temporal::DateTimePrinter;

use super::fields::{Fields, push};

/// `2026-11-22T04:05:06.789Z`.
const TIME: DateTimePrinter = DateTimePrinter::new().precision(Some(3));

/// Bytes of a record beside head, fields and message.
const FRAME_BYTES: usize = 64;

/// What all records of a process begin with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordHead {
    /// Up to the number of the level.
    text: Vec<u8>,
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
        let mut text = b"{\"name\":".to_vec();
        push(&mut text, &name.into());
        text.extend_from_slice(b",\"hostname\":");
        push(&mut text, &host);
        text.extend_from_slice(b",\"pid\":");
        push(&mut text, &std::process::id());
        text.extend_from_slice(b",\"level\":");
        Self { text }
    }

    /// A record, without a line end. Fields such as `req.method` become objects.
    pub(super) fn record(&self, severity: Severity, message: &str, fields: &Fields, at: Timestamp) -> String {
        let room = self.text.len() + fields.bytes() + message.len() + FRAME_BYTES;
        let mut record = Vec::with_capacity(room);
        record.extend_from_slice(&self.text);
        push(&mut record, &severity.0);
        fields.write_to(&mut record);
        record.extend_from_slice(b",\"msg\":");
        push(&mut record, message);
        record.extend_from_slice(b",\"time\":\"");
        // Writing to memory fails only where the time has no such form, as before the year 0.
        let _ = TIME.print_timestamp(&at, &mut record);
        record.extend_from_slice(b"\",\"v\":0}");
        // JSON is UTF-8; the other branch is for what cannot be.
        String::from_utf8(record)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    #[test]
    fn records_have_the_form_of_bunyan() {
        let head = RecordHead::new("imgapi");
        let mut fields = Fields::default();
        fields.add("req.method", "GET");
        fields.add("latency", &3);
        fields.add("req.url", "/ping");
        fields.add("pid", &7);
        fields.add("msg", "own");
        let at: Timestamp = "2026-11-22T04:05:06.789Z".parse().unwrap();
        let text = head.record(Severity::INFO, "a\nb \"c\"", &fields, at);
        assert!(!text.contains('\n'), "{text}");
        let value: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["name"], "imgapi");
        assert_eq!(value["pid"], std::process::id());
        assert_eq!((&value["level"], &value["v"]), (&30.into(), &0.into()));
        assert_eq!(value["req"], serde_json::json!({"method": "GET", "url": "/ping"}));
        assert_eq!((&value["latency"], &value["pid_"]), (&3.into(), &7.into()));
        assert_eq!(value["msg"], "a\nb \"c\"");
        assert_eq!(value["msg_"], "own");
        assert_eq!(value["time"], "2026-11-22T04:05:06.789Z");
    }

    #[test]
    fn numbers_of_the_configuration_name_the_next_higher_level() {
        let number = |number| Severity::of_number(number).number();
        assert_eq!([1, 10, 11, 30, 60].map(number), [10, 10, 20, 30, 60]);
    }
}
