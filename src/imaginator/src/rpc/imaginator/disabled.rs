//! Until when something is disabled, as the log says it.

use std::time::SystemTime;

use gob::Time;
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// `until 22 Nov 2026 04:57:04 UTC (5m0s)`.
pub(super) fn until(moment: SystemTime) -> String {
    let left = moment.duration_since(SystemTime::now()).unwrap_or_default();
    let text = Timestamp::try_from(moment).map_or_else(
        |_| String::new(),
        |moment| {
            let zoned = moment.to_zoned(TimeZone::system());
            zoned.strftime("%d %b %Y %H:%M:%S %Z").to_string()
        },
    );
    format!("until {text} ({})", human::duration(left))
}

/// The same for a caller: only those with a name are told (`builder-tool.md §3.2`).
pub(super) fn told(call: &srpc::Call, moment: Option<SystemTime>) -> Time {
    crate::rpc::by::time(moment.filter(|_| call.caller.is_authenticated()))
}
