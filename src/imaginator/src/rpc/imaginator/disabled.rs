//! Until when something is disabled, as a caller is told.

use std::time::SystemTime;

use gob::Time;

/// Only those with a name are told (`builder-tool.md §3.2`).
pub(super) fn told(call: &srpc::Call, moment: Option<SystemTime>) -> Time {
    crate::rpc::by::time(moment.filter(|_| call.caller.is_authenticated()))
}
