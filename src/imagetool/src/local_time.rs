//! Times as the original shows them.

use gob::Time;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// `22 Nov 2026 04:46:40 UTC`: the listing's form, in the zone of this host.
pub(crate) fn listed(unix_seconds: i64) -> String {
    shown(unix_seconds, "%d %b %Y %H:%M:%S %Z")
}

/// `2026/11/22 04:46:40 ` or `2026/11/22 04:46:40.123456 `: now, in front of a message.
pub(crate) fn stamp(subseconds: bool) -> String {
    let format = if subseconds {
        "%Y/%m/%d %H:%M:%S%.6f "
    } else {
        "%Y/%m/%d %H:%M:%S "
    };
    Timestamp::now()
        .to_zoned(TimeZone::system())
        .strftime(format)
        .to_string()
}

fn shown(unix_seconds: i64, format: &str) -> String {
    match Timestamp::from_second(unix_seconds) {
        Ok(time) => time.to_zoned(TimeZone::system()).strftime(format).to_string(),
        // Beyond the year 9999: the number tells more than a wrong date.
        Err(_) => unix_seconds.to_string(),
    }
}

/// `2026-11-22 05:07:01.295896549 +0000 UTC`, without trailing zeros in the fraction.
pub(crate) fn precise(time: &Time) -> String {
    let fraction = format!("{:09}", time.nanoseconds());
    let fraction = fraction.trim_end_matches('0');
    let dot = if fraction.is_empty() { "" } else { "." };
    let Ok(timestamp) = Timestamp::from_second(time.unix_seconds()) else {
        return format!("{}{dot}{fraction}", time.unix_seconds());
    };
    let zoned = timestamp.to_zoned(TimeZone::UTC);
    format!("{}{dot}{fraction} +0000 UTC", zoned.strftime("%Y-%m-%d %H:%M:%S"))
}

/// Nanoseconds from now until `time`, negative if it has passed.
pub(crate) fn until(time: &Time) -> i64 {
    let now = Time::now();
    let seconds = SignedDuration::from_secs(time.unix_seconds().saturating_sub(now.unix_seconds()));
    let nanoseconds = i64::from(time.nanoseconds()) - i64::from(now.nanoseconds());
    let all = seconds.as_nanos().saturating_add(i128::from(nanoseconds));
    i64::try_from(all).unwrap_or(if all < 0 { i64::MIN } else { i64::MAX })
}
