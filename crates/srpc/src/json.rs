//! JSON as Go writes it, and finding the end of a JSON value in a stream (srpc.md §3.3, §3.6).

mod scan;
mod write;

pub(crate) use scan::{Scan, Scanner};
pub use write::to_vec;
pub(crate) use write::write;
