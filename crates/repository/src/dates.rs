//! Times as manifests, markers and headers write them.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use std::time::SystemTime;

/// A time of publication in a form that sorts: the digits of its text, milliseconds last. Two texts of one instant
/// (`…00Z`, `…00.000Z`) are equal, which a comparison of texts would not give.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Published(u64);

impl Published {
    /// Before every image that was published: what an image without the date sorts as.
    pub const NEVER: Self = Self(0);

    /// Reads `YYYY-MM-DDTHH:MM:SS[.sss]Z`, the one form manifests may have (imgapi.md §5.1). Like the original it does
    /// not ask whether there is such a day.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        let pattern: &[u8] = match bytes.len() {
            20 => b"dddd-dd-ddTdd:dd:ddZ",
            24 => b"dddd-dd-ddTdd:dd:dd.dddZ",
            _ => return None,
        };
        let mut number = 0_u64;
        for (&byte, &expected) in bytes.iter().zip(pattern) {
            match expected {
                b'd' if byte.is_ascii_digit() => number = number * 10 + u64::from(byte - b'0'),
                b'd' => return None,
                _ if byte == expected => {}
                _ => return None,
            }
        }
        // One more, so that the year 0 is later than never.
        Some(Self(if bytes.len() == 20 { number * 1000 } else { number } + 1))
    }

    pub(crate) fn as_number(self) -> u64 {
        self.0
    }

    pub(crate) fn of_number(number: u64) -> Self {
        Self(number)
    }
}

/// A time as new manifests hold it: `2012-11-02T22:46:45.992Z`.
pub fn iso(time: SystemTime) -> String {
    // A clock beyond the year 9999 is as good as one before 1970.
    let timestamp = Timestamp::try_from(time).unwrap_or_default();
    timestamp.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// A time as headers hold it.
pub fn http(time: SystemTime) -> String {
    httpdate::fmt_http_date(time)
}

/// Reads what people and programs write for a time: the three forms of HTTP, and ISO 8601 from a lone year to
/// milliseconds with an offset; without an offset it is UTC. Nothing else, while the original takes what its
/// JavaScript engine makes of a text.
pub fn parse(text: &str) -> Option<SystemTime> {
    let text = text.trim();
    httpdate::parse_http_date(text).ok().or_else(|| parse_iso(text))
}

fn parse_iso(text: &str) -> Option<SystemTime> {
    let date_length = text.find(['T', ' ']).unwrap_or(text.len());
    let (date, time) = text.split_at(date_length);
    let missing = match date_length {
        4 => "-01-01",
        7 => "-01",
        _ => "",
    };
    let text = format!("{}{missing}{time}", date.replace('/', "-"));
    let timestamp = text.parse::<Timestamp>().ok().or_else(|| {
        let local = text.parse::<DateTime>().ok()?;
        local.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
    })?;
    Some(SystemTime::from(timestamp))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::time::{Duration, UNIX_EPOCH};

    #[test]
    fn dates_of_publication_have_one_form_and_sort_by_instant() {
        let whole = Published::parse("2020-01-01T00:00:00Z").unwrap();
        assert_eq!(Published::parse("2020-01-01T00:00:00.000Z"), Some(whole));
        assert!(Published::parse("2020-01-01T00:00:00.001Z").unwrap() > whole);
        assert!(whole > Published::NEVER);
        assert!(Published::parse("0000-00-00T00:00:00Z").unwrap() > Published::NEVER);
        for text in [
            "",
            "2020-01-01",
            "2020-01-01T00:00:00",
            "2020-01-01T00:00:00.0Z",
            "2020-01-01 00:00:00Z",
        ] {
            assert_eq!(Published::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn markers_may_be_written_as_dates_of_several_forms() {
        let day = parse("2020-01-03").unwrap();
        for text in [
            "2020-01-03T00:00:00Z",
            "2020-01-03T00:00:00.000Z",
            "2020-01-03T01:30:00+01:30",
            "2020-01-03 00:00",
            "2020/01/03",
            "Fri, 03 Jan 2020 00:00:00 GMT",
        ] {
            assert_eq!(parse(text), Some(day), "{text:?}");
        }
        assert_eq!(parse("2020"), parse("2020-01-01"));
        for text in [
            "bogus",
            "",
            "2020-13-01",
            "2021-02-29",
            "2020-01-03T25:00",
            "20",
            "é",
            "2020-01-03T00:00:00+é",
        ] {
            assert_eq!(parse(text), None, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(milliseconds in 0_u64..200_000_000_000_000) {
            let time = UNIX_EPOCH + Duration::from_millis(milliseconds);
            let text = iso(time);
            prop_assert_eq!(parse(&text), Some(time));
            prop_assert!(Published::parse(&text).is_some());
        }

        #[test]
        fn no_text_makes_it_panic(text in ".*") {
            let _ = parse(&text);
            let _ = Published::parse(&text);
        }
    }
}
