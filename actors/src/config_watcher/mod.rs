//! What the image builder is told, kept up to date: the main configuration, the image streams, the variables file
//! (`imaginator.md §4, §5, §6.3, §7`).
//!
//! Everybody reads the published [`Current`] in place ([`Published`]); the actor looks for changes, reads what changed, and publishes it
//! if it is good. What is bad is told, and the last good one stays in force.
//!
//! Promises: nothing bad ever takes the place of something good; no secret is in what is published for people.
//! Lacks on purpose: knowledge of builds. Who needs to act on a change waits for it.

mod current;
mod settings;

pub use current::{Current, Published, SourceStatus};
pub use settings::ConfigWatching;
