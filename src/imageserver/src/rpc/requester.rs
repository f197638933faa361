//! Who asks, in the words of the image index and of the log.

use actors::image_index::Requester;
use srpc::Call;

/// The caller as the image index judges it (`imageserver.md §2.2`).
pub(crate) fn requester(call: &Call) -> Requester {
    Requester {
        username: call.caller.username.clone(),
        groups: call.caller.groups.clone(),
        method_access: call.have_method_access,
        authenticated: call.caller.is_authenticated() || call.caller.insecure,
    }
}

/// ` by USER`, or nothing for a caller without a name: the end of log lines (`imageserver.md §10.2`).
pub(crate) fn by(call: &Call) -> String {
    if call.caller.username.is_empty() {
        String::new()
    } else {
        format!(" by {}", call.caller.username)
    }
}
