//! What the image builder is told follows its files, servers and repositories, and nothing bad takes the place of something good.
// Helpers and tests of one program: a failure here is the failure of the test.
#![allow(clippy::unwrap_used)]

mod files;
mod panics;
mod place;
mod repositories;
mod servers;
