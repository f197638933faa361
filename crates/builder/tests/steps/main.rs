//! What happens in a build, with real sandboxes, real git and a small real tree. As root; without root only what needs no sandbox runs.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a helper that fails is a test that fails

mod bootstrap;
mod git;
mod git_place;
mod git_secrets;
mod order_of_steps;
mod packages;
mod recorder;
mod room;
mod scripts;
mod side_files;
mod tests;
mod tree;
mod trees;
