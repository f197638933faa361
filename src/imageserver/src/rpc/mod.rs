//! The SRPC methods of the image server, one file each, grouped by service (`imageserver.md §1.1`).

pub(crate) mod image_server;
pub(crate) mod limits;
pub(crate) mod object_server;
pub(crate) mod requester;

/// What nearly every method file needs.
mod prelude {
    pub(crate) use super::limits;
    pub(crate) use super::requester::{by, requester};
    pub(crate) use crate::state::Shared;
    pub(crate) use srpc::{Access, Call, Conn, MethodError, Raw, RawError, RequestReply};
}
