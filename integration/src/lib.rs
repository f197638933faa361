//! What the tests that start the real programs share.
//!
//! | module | what it gives |
//! | --- | --- |
//! | `skip` | the one way a test may step aside: loudly, and counted |
//! | `programs` | where the programs of this workspace lie, built first if need be |
//!
//! The tests themselves are in `tests/`, one file per promise or family of promises. This crate promises that a
//! test which did not run is never mistaken for one that passed; it deliberately has no stand-ins for servers,
//! disks or networks.

pub mod programs;
mod skip;

pub use skip::{SKIP_LOG_VARIABLE, skip};
