//! The common frame of all pages, tables with their other forms, times, sizes and hashes as people read them.
//!
//! A page is a [`Page`] with a body; the body is HTML the caller made, usually from its own askama template and a
//! [`Table`]. Everything works without JavaScript and without leaving the host.

mod cell;
mod format;
mod frame;
mod headers;
mod live;
mod pager;
mod private;
mod problem;
mod query;
mod table;

pub use cell::{Cell, Column};
pub use format::{escape, hash, relative, shell_word, size, time};
pub use frame::Page;
pub use headers::headers;
pub use live::{Event, live, live_events};
pub use pager::Pager;
pub use private::private;
pub use problem::{empty, not_found, problem};
pub use query::{Output, Query, encode};
pub use table::Table;

#[cfg(test)]
#[path = "tests/page.rs"]
mod tests;
