//! The archive of build logs (`imaginator-web.md §3`): counts by stream and requester, tables of builds, the logs, searching.

mod builds;
mod counts;
mod log;
mod search;

pub(super) use builds::{all, error, good};
pub(super) use builds::{
    requestor_all, requestor_error, requestor_good, stream_all, stream_error, stream_good,
};
pub(super) use counts::page as counts;
pub(super) use log::get as log;
pub(super) use search::get as search;

/// Who automatic builds are shown to be of.
const NOBODY: &str = "imaginator";

/// How automatic builds are shown.
fn shown_requester(requester: &str) -> &str {
    if requester.is_empty() { NOBODY } else { requester }
}
