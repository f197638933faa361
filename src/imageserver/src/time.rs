//! Times as log lines and pages show them.

use gob::Time;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::time::{Duration, SystemTime};

/// `expire in 1h0m0s`, `expired 5s ago` or `never expire`: what becomes of an image.
pub(crate) fn until(expires_at: Time) -> String {
    if expires_at.is_zero() {
        return "never expire".to_owned();
    }
    let now = SystemTime::now();
    match expires_at.to_system_time().unwrap_or(now).duration_since(now) {
        Ok(left) => format!("expire in {}", human::duration(whole_seconds(left))),
        Err(error) => format!("expired {} ago", human::duration(whole_seconds(error.duration()))),
    }
}

/// Relative, with the exact time at hand; nothing for the zero time.
pub(crate) fn html(time: Time) -> String {
    match Timestamp::from_second(time.unix_seconds()) {
        Ok(at) if !time.is_zero() => front::page::time(at),
        _ => String::new(),
    }
}

/// For cells of tables; nothing for what has not happened.
pub(crate) fn moment(at: Option<SystemTime>) -> Option<Timestamp> {
    at?.try_into().ok()
}

/// `02 Jan 2006 15:04:05 MST` in the host's zone, for listings (`imagetool.md §4.1`).
pub(crate) fn listing(unix_seconds: i64) -> String {
    // Beyond the year 9999 there is no such form.
    Timestamp::from_second(unix_seconds)
        .map(|at| {
            at.to_zoned(TimeZone::system())
                .strftime("%d %b %Y %H:%M:%S %Z")
                .to_string()
        })
        .unwrap_or_else(|_| unix_seconds.to_string())
}

/// Fractions mean nothing to people once a minute is in sight.
fn whole_seconds(duration: Duration) -> Duration {
    if duration.as_secs() >= 60 {
        Duration::from_secs(duration.as_secs())
    } else {
        duration
    }
}

/// As the front's pages take it; `None` for the zero time, and beyond the year 9999.
pub(crate) fn timestamp(time: Time) -> Option<Timestamp> {
    if time.is_zero() {
        return None;
    }
    Timestamp::new(time.unix_seconds(), time.nanoseconds().cast_signed()).ok()
}
