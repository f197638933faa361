//! What is taken from other repositories (imgapi.md §13.2–§13.4): where from, which images in which order, what is refused.

mod copy;
mod origins;
mod source;

pub use copy::{CopyRequest, check_copied, copy_request};
pub use origins::OriginWalk;
pub use source::{Source, request_without_secrets, without_secrets};
