//! The SRPC methods of the image builder, one file each (`builder-tool.md §3`).

mod by;
pub(crate) mod imaginator;
pub(crate) mod limits;

/// What nearly every method file needs.
mod prelude {
    pub(crate) use super::by::{time, username};
    pub(crate) use super::limits;
    pub(crate) use crate::state::Shared;
    pub(crate) use srpc::{Access, Call, Conn, MethodError, Raw, RawError, RequestReply};
}
