//! Times as text: RFC 3339 with as many digits of the second as there are, as Go's `MarshalJSON` prints them.

use std::fmt;
use std::str::FromStr;

use super::{Time, Zone};

/// A text that is not an RFC 3339 time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not an RFC 3339 time")]
pub struct ParseTimeError(String);

const DAY_SECONDS: i64 = 86_400;
/// Years after which the Gregorian calendar repeats itself, and their days.
const ERA_YEARS: i64 = 400;
const ERA_DAYS: i64 = 146_097;
/// From 1 March of the year 0, where the arithmetic starts, to the Unix epoch.
const MARCH_0_TO_UNIX_DAYS: i64 = 719_468;

impl Time {
    /// The year shown in the time's zone. JSON has room for 0 to 9999 only.
    pub fn year(&self) -> i64 {
        civil(self.shown_seconds().div_euclid(i128::from(DAY_SECONDS)) as i64).0
    }

    /// Seconds since the Unix epoch on the clocks of the zone, which may be more than an `i64` holds.
    fn shown_seconds(&self) -> i128 {
        i128::from(self.unix_seconds) + i128::from(self.zone.offset_seconds())
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.shown_seconds();
        let days = shown.div_euclid(i128::from(DAY_SECONDS)) as i64;
        let second = shown.rem_euclid(i128::from(DAY_SECONDS)) as i64;
        let (year, month, day) = civil(days);
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        write!(
            f,
            "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}"
        )?;
        if self.nanoseconds > 0 {
            let digits = format!("{:09}", self.nanoseconds);
            write!(f, ".{}", digits.trim_end_matches('0'))?;
        }
        match self.zone.offset_seconds() {
            0 => f.write_str("Z"),
            offset => {
                // Seconds of the offset are not shown.
                let (sign, minutes) = (if offset < 0 { '-' } else { '+' }, offset.unsigned_abs() / 60);
                write!(f, "{sign}{:02}:{:02}", minutes / 60, minutes % 60)
            }
        }
    }
}

impl FromStr for Time {
    type Err = ParseTimeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse(text.as_bytes()).ok_or_else(|| ParseTimeError(text.to_owned()))
    }
}

fn parse(text: &[u8]) -> Option<Time> {
    let (date, rest) = text.split_at_checked(19)?;
    for (at, separator) in [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')] {
        if date[at] != separator {
            return None;
        }
    }
    let field = |from: usize, to: usize, least: i64, most: i64| number(&date[from..to], least, most);
    let (year, month) = (field(0, 4, 0, 9999)?, field(5, 7, 1, 12)?);
    let day = field(8, 10, 1, days_of_month(year, month))?;
    let (hour, minute, second) = (
        field(11, 13, 0, 23)?,
        field(14, 16, 0, 59)?,
        field(17, 19, 0, 59)?,
    );
    let (nanoseconds, rest) = fraction(rest)?;
    let zone = match *rest {
        [b'Z'] => Zone::Utc,
        [sign @ (b'+' | b'-'), h0, h1, b':', m0, m1] => {
            let seconds = number(&[h0, h1], 0, 23)? * 3600 + number(&[m0, m1], 0, 59)? * 60;
            Zone::Offset(if sign == b'-' { -seconds } else { seconds } as i32)
        }
        _ => return None,
    };
    let shown = days(year, month, day) * DAY_SECONDS + hour * 3600 + minute * 60 + second;
    Some(Time::new(
        shown - i64::from(zone.offset_seconds()),
        nanoseconds,
        zone,
    ))
}

/// Nanoseconds of an optional fraction, cut off after nine digits, and what follows it.
fn fraction(text: &[u8]) -> Option<(u32, &[u8])> {
    let Some(text) = text.strip_prefix(b".") else {
        return Some((0, text));
    };
    let len = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, rest) = text.split_at(len);
    if digits.is_empty() {
        return None;
    }
    let padded = digits
        .iter()
        .map(|digit| u32::from(digit - b'0'))
        .chain(std::iter::repeat(0));
    Some((padded.take(9).fold(0, |value, digit| value * 10 + digit), rest))
}

fn number(digits: &[u8], least: i64, most: i64) -> Option<i64> {
    if !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let value = digits
        .iter()
        .fold(0, |value, digit| value * 10 + i64::from(digit - b'0'));
    (least..=most).contains(&value).then_some(value)
}

fn days_of_month(year: i64, month: i64) -> i64 {
    let (next_year, next) = if month == 12 {
        (year + 1, 1)
    } else {
        (year, month + 1)
    };
    days(next_year, next, 1) - days(year, month, 1)
}

/// Days from the Unix epoch to a date. Years start in March here, so that the leap day is their last.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, year) = (year.div_euclid(ERA_YEARS), year.rem_euclid(ERA_YEARS));
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * ERA_DAYS + year * 365 + year / 4 - year / 100 + day_of_year - MARCH_0_TO_UNIX_DAYS
}

/// The reverse of [`days`]: year, month, day.
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + MARCH_0_TO_UNIX_DAYS;
    let (era, day) = (days.div_euclid(ERA_DAYS), days.rem_euclid(ERA_DAYS));
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day_of_year = day - (365 * year + year / 4 - year / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 {
        march_month + 3
    } else {
        march_month - 9
    };
    (era * ERA_YEARS + year + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_as_go_does() {
        for (seconds, nanoseconds, zone, text) in [
            (
                1_700_000_000,
                123_456_789,
                Zone::Utc,
                "2023-11-14T22:13:20.123456789Z",
            ),
            (
                1_700_000_000,
                120_000_000,
                Zone::Offset(0),
                "2023-11-14T22:13:20.12Z",
            ),
            (1_700_000_000, 0, Zone::Offset(7200), "2023-11-15T00:13:20+02:00"),
            (
                1_700_000_000,
                0,
                Zone::Offset(-12_600),
                "2023-11-14T18:43:20-03:30",
            ),
            (951_782_400, 0, Zone::Utc, "2000-02-29T00:00:00Z"),
            (-1, 0, Zone::Utc, "1969-12-31T23:59:59Z"),
        ] {
            let time = Time::new(seconds, nanoseconds, zone);
            assert_eq!(time.to_string(), text);
            let back: Time = text.parse().unwrap();
            assert_eq!(
                (back, back.zone().offset_seconds()),
                (time, zone.offset_seconds())
            );
        }
        assert_eq!(Time::ZERO.to_string(), "0001-01-01T00:00:00Z");
        assert!("0001-01-01T00:00:00Z".parse::<Time>().unwrap().is_zero());
    }

    #[test]
    fn every_day_of_four_centuries_comes_back() {
        for day in -ERA_DAYS..ERA_DAYS {
            let (year, month, day_of_month) = civil(day);
            assert_eq!(days(year, month, day_of_month), day);
        }
    }

    #[test]
    fn extremes_do_not_panic() {
        for seconds in [i64::MIN, i64::MAX] {
            for zone in [Zone::Utc, Zone::Offset(i32::MIN), Zone::Offset(i32::MAX)] {
                assert!(!Time::new(seconds, u32::MAX, zone).to_string().is_empty());
            }
        }
    }

    #[test]
    fn refuses_what_is_no_time() {
        for text in [
            "",
            "2023-11-14",
            "2023-11-14T22:13:20",
            "2023-11-14 22:13:20Z",
            "2023-02-29T00:00:00Z",
            "2023-13-01T00:00:00Z",
            "2023-11-14T24:00:00Z",
            "2023-11-14T22:13:60Z",
            "2023-11-14T22:13:20.Z",
            "2023-11-14T22:13:20+25:00",
            "2023-11-14T22:13:20Zx",
            "+023-11-14T22:13:20Z",
            "2023-11-14T22:13:2\u{e9}Z",
        ] {
            assert!(text.parse::<Time>().is_err(), "{text}");
        }
    }
}
