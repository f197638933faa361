//! Sizes, durations and version order as people read them, and the two notations people write in flags;
//! errors with their causes.
//!
//! The formats are those users of the original tools know (imagetool.md §4.2). Pure functions on numbers and text.

mod bytes;
mod causes;
mod duration;
mod go_duration;
mod version;

pub use bytes::{ParseSizeError, bytes, parse_size, size};
pub use causes::with_causes;
pub use duration::{duration, duration_ns};
pub use go_duration::{
    ParseDurationError, go_duration, go_duration_ns, parse_go_duration, parse_go_duration_ns,
};
pub use version::{version_cmp, version_less};
