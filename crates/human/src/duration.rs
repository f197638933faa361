//! Durations for reading.

use std::time::Duration;

use crate::go_duration::go_duration_ns;

const SECOND: u64 = 1_000_000_000;
const MINUTE: u64 = 60 * SECOND;
const DAY: u64 = 24 * 60 * MINUTE;
const WEEK: u64 = 7 * DAY;
/// 365.25 days.
const YEAR: u64 = 365 * DAY + DAY / 4;

/// A duration for reading: `532ms`, `5m7s`, `1d2h0m0s`, `4y51w6d23h59m25s` (imagetool.md §4.2).
///
/// Under a minute three significant digits, from there whole seconds, the rest dropped.
pub fn duration(duration: Duration) -> String {
    unsigned(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX))
}

/// The same for a number of nanoseconds that may be negative.
pub fn duration_ns(nanoseconds: i64) -> String {
    let text = unsigned(nanoseconds.unsigned_abs());
    if nanoseconds < 0 { format!("-{text}") } else { text }
}

fn unsigned(nanoseconds: u64) -> String {
    match nanoseconds {
        0 => return "0s".to_owned(),
        1..1000 => return format!("{nanoseconds}ns"),
        _ => {}
    }
    for (unit, name, limit) in [(1000, "µs", 1000), (1_000_000, "ms", 1000), (SECOND, "s", 60)] {
        if let Some(number) = three_digits(nanoseconds, unit, limit) {
            return number + name;
        }
    }
    let mut rest = nanoseconds - nanoseconds % SECOND;
    let mut text = String::new();
    for (unit, letter) in [(YEAR, 'y'), (WEEK, 'w'), (DAY, 'd')] {
        // Once there is a unit, the smaller ones follow even if they are zero.
        if rest >= unit || !text.is_empty() {
            text += &format!("{}{letter}", rest / unit);
            rest %= unit;
        }
    }
    text + &go_duration_ns(i64::try_from(rest).unwrap_or(i64::MAX))
}

/// The quotient with three significant digits, without trailing zeros; `None` from the limit on, or when four digits
/// would be needed.
fn three_digits(value: u64, unit: u64, limit: u64) -> Option<String> {
    let whole = value / unit;
    let decimals = match whole {
        0..10 => 2,
        10..100 => 1,
        _ => 0,
    };
    let scale = 10_u64.pow(decimals);
    // Far below overflow: whoever asks has a value under a minute, or one that is over the limit anyway.
    let scaled = (u128::from(value) * u128::from(scale) + u128::from(unit / 2)) / u128::from(unit);
    let scaled = u64::try_from(scaled).ok()?;
    if whole >= limit || scaled >= 1000 * scale {
        return None;
    }
    let (whole, fraction) = (scaled / scale, scaled % scale);
    if fraction == 0 {
        return Some(whole.to_string());
    }
    let fraction = format!("{fraction:0width$}", width = decimals as usize);
    Some(format!("{whole}.{}", fraction.trim_end_matches('0')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_as_recorded() {
        const HOUR: u64 = 60 * MINUTE;
        let cases = [
            (0, "0s"),
            (999, "999ns"),
            (1000, "1µs"),
            (1500, "1.5µs"),
            (12_345, "12.3µs"),
            (532_400_000, "532ms"),
            (999_700, "1ms"),
            (SECOND, "1s"),
            (1_234_000_000, "1.23s"),
            (59_900_000_000, "59.9s"),
            (59_960_000_000, "60s"),
            (MINUTE, "1m0s"),
            (5 * MINUTE + 7 * SECOND + 999, "5m7s"),
            (HOUR, "1h0m0s"),
            (DAY, "1d0s"),
            (DAY + 2 * HOUR, "1d2h0m0s"),
            (730 * HOUR, "4w2d10h0m0s"),
            (WEEK, "1w0d0s"),
            (30 * YEAR + 76_728 * SECOND, "30y0w0d21h18m48s"),
            (3 * WEEK - SECOND - DAY, "2w5d23h59m59s"),
            (4 * YEAR + 52 * WEEK - 35 * SECOND, "4y51w6d23h59m25s"),
        ];
        for (value, text) in cases {
            assert_eq!(unsigned(value), text, "{value}");
        }
        assert_eq!(duration_ns(-1_500_000_000), "-1.5s");
        assert_eq!(duration(Duration::MAX), unsigned(u64::MAX));
        assert_eq!(duration_ns(i64::MIN), format!("-{}", unsigned(1 << 63)));
    }
}
