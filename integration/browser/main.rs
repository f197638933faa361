//! The pages of a real server in a real Chromium, driven through the pipe of its DevTools protocol.
//!
//! | module | what |
//! | --- | --- |
//! | `chromium` | the browser's process and the protocol |
//! | `tab` | one page: go somewhere, look, press keys |
//! | `stage` | a server with images, and the list of its pages |
//! | `builder` | an image builder with real builds, and the promises of its pages |
//! | `repository` | an image repository, and the promises of its pages |
//! | the others | the promises, one family each |
//!
//! Nothing here waits for time to pass: each wait is for a condition, with a limit that only a broken page reaches.

// Helpers of tests are tests.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod builder;
mod chromium;
mod comparing;
mod hostile;
mod keyboard;
mod layout;
mod rendering;
mod repository;
mod scripts;
mod stage;
mod tab;
