//! Who asks, and times, in the words of the protocol.

use std::time::SystemTime;

use gob::Time;
use srpc::Call;

/// The caller's name.
pub(crate) fn username(call: &Call) -> &str {
    &call.caller.username
}

/// A moment; zero for none.
pub(crate) fn time(moment: Option<SystemTime>) -> Time {
    moment.map(Time::from).unwrap_or_default()
}
