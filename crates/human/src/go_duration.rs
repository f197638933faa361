//! Go's notation of durations: `24h0m0s`, `1.5s`, as in flags and in error texts.

use std::time::Duration;

/// Why a text is not a duration. The texts are Go's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseDurationError {
    /// Not a number with a unit, or more than 292 years.
    #[error("time: invalid duration {0:?}")]
    Invalid(String),
    /// A number without a unit.
    #[error("time: missing unit in duration {0:?}")]
    MissingUnit(String),
    /// A unit that is not one of ns, us, ms, s, m, h.
    #[error("time: unknown unit {unit:?} in duration {text:?}")]
    UnknownUnit {
        /// The unit.
        unit: String,
        /// The whole text.
        text: String,
    },
    /// Negative where that makes no sense.
    #[error("duration {0:?} is negative")]
    Negative(String),
}

/// The text of a duration in Go's notation.
pub fn go_duration(duration: Duration) -> String {
    go_duration_ns(i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX))
}

/// The text of a number of nanoseconds in Go's notation.
pub fn go_duration_ns(nanoseconds: i64) -> String {
    let sign = if nanoseconds < 0 { "-" } else { "" };
    let value = nanoseconds.unsigned_abs();
    let text = match value {
        0 => "0s".to_owned(),
        1..1000 => format!("{value}ns"),
        1000..1_000_000 => decimal(value, 3) + "µs",
        1_000_000..1_000_000_000 => decimal(value, 6) + "ms",
        _ => {
            let minutes = value / 60_000_000_000;
            let seconds = decimal(value % 60_000_000_000, 9);
            match (minutes / 60, minutes % 60) {
                (0, 0) => format!("{seconds}s"),
                (0, minutes) => format!("{minutes}m{seconds}s"),
                (hours, minutes) => format!("{hours}h{minutes}m{seconds}s"),
            }
        }
    };
    format!("{sign}{text}")
}

/// A number shifted right by so many decimal places, without trailing zeros.
fn decimal(value: u64, places: u32) -> String {
    let scale = 10_u64.pow(places);
    let (whole, fraction) = (value / scale, value % scale);
    if fraction == 0 {
        return whole.to_string();
    }
    let fraction = format!("{fraction:0width$}", width = places as usize);
    format!("{whole}.{}", fraction.trim_end_matches('0'))
}

/// Parses a duration that is not negative.
pub fn parse_go_duration(text: &str) -> Result<Duration, ParseDurationError> {
    let nanoseconds = parse_go_duration_ns(text)?;
    u64::try_from(nanoseconds)
        .map(Duration::from_nanos)
        .map_err(|_| ParseDurationError::Negative(text.to_owned()))
}

/// Parses a duration into nanoseconds: one or more decimal numbers with units, an optional sign in front; or `0`.
pub fn parse_go_duration_ns(text: &str) -> Result<i64, ParseDurationError> {
    let invalid = || ParseDurationError::Invalid(text.to_owned());
    let (negative, mut rest) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    if rest == "0" {
        return Ok(0);
    }
    if rest.is_empty() {
        return Err(invalid());
    }
    let mut total = 0_i128;
    while !rest.is_empty() {
        let whole = leading_digits(rest);
        rest = &rest[whole.len()..];
        let mut fraction = "";
        if let Some(after) = rest.strip_prefix('.') {
            fraction = leading_digits(after);
            rest = &after[fraction.len()..];
        }
        if whole.is_empty() && fraction.is_empty() {
            return Err(invalid());
        }
        let end = rest
            .find(|letter: char| letter == '.' || letter.is_ascii_digit())
            .unwrap_or(rest.len());
        let (unit, after) = rest.split_at(end);
        let unit = match unit {
            "" => return Err(ParseDurationError::MissingUnit(text.to_owned())),
            "ns" => 1_i128,
            "us" | "µs" | "μs" => 1_000,
            "ms" => 1_000_000,
            "s" => 1_000_000_000,
            "m" => 60_000_000_000,
            "h" => 3_600_000_000_000,
            _ => {
                return Err(ParseDurationError::UnknownUnit {
                    unit: unit.to_owned(),
                    text: text.to_owned(),
                });
            }
        };
        rest = after;
        // Twenty digits hold whatever fits 64 bits; what is longer after stripping zeros cannot fit.
        let whole = whole.trim_start_matches('0');
        if whole.len() > 19 {
            return Err(invalid());
        }
        let whole = if whole.is_empty() {
            0
        } else {
            whole.parse::<i128>().map_err(|_| invalid())?
        };
        total += whole * unit;
        // Digits below a nanosecond are dropped; eighteen are more than an hour has nanoseconds.
        let fraction = &fraction[..fraction.len().min(18)];
        let digits = fraction
            .bytes()
            .fold(0_i128, |number, digit| number * 10 + i128::from(digit - b'0'));
        total += digits * unit / 10_i128.pow(u32::try_from(fraction.len()).unwrap_or(0));
        if total > 1 << 63 {
            return Err(invalid());
        }
    }
    i64::try_from(if negative { -total } else { total }).map_err(|_| invalid())
}

fn leading_digits(text: &str) -> &str {
    let end = text
        .find(|letter: char| !letter.is_ascii_digit())
        .unwrap_or(text.len());
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_those_of_go() {
        let cases = [
            (0, "0s"),
            (1, "1ns"),
            (1100, "1.1µs"),
            (2_200_000, "2.2ms"),
            (3_300_000_000, "3.3s"),
            (300_000_000_000 + 1_001_000_000, "5m1.001s"),
            (86_400_000_000_000, "24h0m0s"),
            (900_000_000_000, "15m0s"),
            (i64::MAX, "2562047h47m16.854775807s"),
            (i64::MIN, "-2562047h47m16.854775808s"),
        ];
        for (value, text) in cases {
            assert_eq!(go_duration_ns(value), text);
            assert_eq!(parse_go_duration_ns(text), Ok(value), "{text}");
        }
    }

    #[test]
    fn what_go_parses_is_parsed() {
        let cases = [
            ("0", 0),
            ("-0", 0),
            ("+5s", 5_000_000_000),
            ("1.5h", 5_400_000_000_000),
            (".5s", 500_000_000),
            ("5.s", 5_000_000_000),
            ("1h15m30.918s", 4_530_918_000_000),
            ("10us", 10_000),
            ("0.3333333333333333333h", 1_199_999_999_999),
            ("39h9m14.425s", 140_954_425_000_000),
        ];
        for (text, value) in cases {
            assert_eq!(parse_go_duration_ns(text), Ok(value), "{text}");
        }
        assert!(matches!(
            parse_go_duration("-1s"),
            Err(ParseDurationError::Negative(_))
        ));
    }

    #[test]
    fn refusals_have_the_texts_of_go() {
        let cases = [
            ("", r#"time: invalid duration """#),
            ("3", r#"time: missing unit in duration "3""#),
            ("-", r#"time: invalid duration "-""#),
            ("s", r#"time: invalid duration "s""#),
            (".s", r#"time: invalid duration ".s""#),
            ("1d", r#"time: unknown unit "d" in duration "1d""#),
            ("1h 2m", r#"time: unknown unit "h " in duration "1h 2m""#),
            (
                "9223372036854775809ns",
                r#"time: invalid duration "9223372036854775809ns""#,
            ),
            (
                "99999999999999999999999h",
                r#"time: invalid duration "99999999999999999999999h""#,
            ),
        ];
        for (text, error) in cases {
            assert_eq!(
                parse_go_duration_ns(text).map_err(|error| error.to_string()),
                Err(error.to_owned())
            );
        }
    }
}
