//! What each fuzz target does with the bytes it gets.
//!
//! A target is a function over bytes that panics when a promise is broken: no panic in the code under test, the same result
//! however the bytes are cut up, decode → encode → decode a fixpoint. `fuzz/` feeds them what a fuzzer invents, on the nightly
//! toolchain; `tests/corpus.rs` feeds them the seeds and everything that ever failed, on any toolchain.
//!
//! Lacks on purpose: assertions on time and memory. Those are limits of the fuzzer's own (`scripts/fuzz.sh`).

mod filters;
mod gob;
mod image;
mod index;
mod input;
mod manifest;
mod recipe;
mod requests;
mod signature;
mod srpc;
mod tar;
mod texts;

pub use crate::filters::filters;
pub use crate::gob::{gob, gob_seeds};
pub use crate::image::image;
pub use crate::index::index;
pub use crate::manifest::manifest;
pub use crate::recipe::recipe;
pub use crate::requests::requests;
pub use crate::signature::signature;
pub use crate::srpc::srpc;
pub use crate::tar::tar;
pub use crate::texts::texts;

/// A target: it panics when a promise is broken.
pub type Target = fn(&[u8]);

/// All targets by name; `fuzz/fuzz_targets` has a file for each.
pub const TARGETS: &[(&str, Target)] = &[
    ("filters", filters),
    ("gob", gob),
    ("image", image),
    ("index", index),
    ("manifest", manifest),
    ("recipe", recipe),
    ("requests", requests),
    ("signature", signature),
    ("srpc", srpc),
    ("tar", tar),
    ("texts", texts),
];
