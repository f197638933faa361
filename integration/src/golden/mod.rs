//! Recorded conversations of the original, and how to hold ours against them.
//!
//! A recording is a directory with every byte each side sent. [`Recording::replay`] sends the client's bytes to a
//! running server; [`tokens::parse`] cuts what a server said into lines, values and raw bytes, with a gob reader of
//! this crate's own ([`gob_value`]), so that the crate under test is not its own judge.

pub mod gob_value;
mod recording;
pub mod tokens;

pub use recording::{Recording, shared_golden};
