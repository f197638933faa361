//! Times as people read them: an exact one in UTC and how far away it is.

use anyhow::Context;
use jiff::Timestamp;

/// Seconds in a day.
pub(crate) const DAY_SECONDS: i64 = 86_400;

/// Now, in seconds since 1970.
pub(crate) fn now() -> i64 {
    Timestamp::now().as_second()
}

/// `2026-11-22 07:00:00 UTC`; a time outside the calendar is shown as its number of seconds.
pub(crate) fn exact(unix_seconds: i64) -> String {
    match Timestamp::from_second(unix_seconds) {
        Ok(time) => time.strftime("%Y-%m-%d %H:%M:%S UTC").to_string(),
        Err(_) => format!("{unix_seconds} seconds after 1970"),
    }
}

/// `in 52w1d`, `3d4h ago`, `now`: the two largest units.
pub(crate) fn relative(unix_seconds: i64, now: i64) -> String {
    let distance = unix_seconds.saturating_sub(now);
    match distance {
        0 => "now".to_owned(),
        1.. => format!("in {}", span(distance.unsigned_abs())),
        _ => format!("{} ago", span(distance.unsigned_abs())),
    }
}

/// The two largest units of a duration in seconds: `1y4w`, `3d4h`, `12s`.
pub(crate) fn span(seconds: u64) -> String {
    const UNITS: [(u64, &str); 6] = [
        (31_536_000, "y"),
        (604_800, "w"),
        (86_400, "d"),
        (3_600, "h"),
        (60, "m"),
        (1, "s"),
    ];
    let mut rest = seconds;
    let mut text = String::new();
    let mut shown = 0;
    for (unit, name) in UNITS {
        let count = rest / unit;
        rest %= unit;
        if count > 0 {
            text.push_str(&format!("{count}{name}"));
            shown += 1;
        }
        if shown == 2 || (shown == 1 && count == 0) {
            break;
        }
    }
    if text.is_empty() { "0s".to_owned() } else { text }
}

/// Reads a time in RFC 3339, such as `2026-11-22T07:00:00Z`, as seconds since 1970.
pub(crate) fn parse(text: &str) -> anyhow::Result<i64> {
    let time: Timestamp = text
        .parse()
        .with_context(|| format!("{text:?} is not a time like 2026-11-22T07:00:00Z"))?;
    Ok(time.as_second())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_told_in_at_most_two_neighbouring_units() {
        assert_eq!(relative(100, 100), "now");
        assert_eq!(relative(100 + 90, 100), "in 1m30s");
        assert_eq!(relative(0, 3 * DAY_SECONDS + 7_200), "3d2h ago");
        assert_eq!(relative(365 * DAY_SECONDS, 0), "in 1y");
        assert_eq!(span(86_405), "1d");
    }

    #[test]
    fn times_read_back_as_they_were_printed() {
        let seconds = parse("2026-11-22T07:00:00Z").unwrap();
        assert_eq!(exact(seconds), "2026-11-22 07:00:00 UTC");
        assert!(parse("yesterday").is_err());
    }
}
