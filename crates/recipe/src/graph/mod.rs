//! Which stream is built from which: filtered, as the text Graphviz reads, as a picture of our own, as an indented text
//! (`imaginator-web.md §4, §5`).
//!
//! A stream has one source, so what they make is a forest, or a ring where somebody made a mistake. [`Layout`] therefore needs no
//! heuristic: layers are depths, and nothing ever crosses. Promises: the same relations give the same bytes; time and size are
//! bounded by the number of streams, whatever rings and chains there are; a name is never more than text.
//!
//! | module | what |
//! | --- | --- |
//! | [`relations`] | streams, their sources, what is known of them |
//! | `filter` | excluding and including with all that hangs on it |
//! | `dot` | Graphviz |
//! | [`layout`] | where each stream stands |
//! | [`svg`] | the picture |
//! | `text` | the same to read |

mod dot;
mod filter;
pub mod layout;
pub mod relations;
pub mod svg;
mod text;

pub use layout::{Layout, Place};
pub use relations::{Kind, Relations};
pub use svg::{Look, State, svg};

#[cfg(test)]
#[path = "tests/graph.rs"]
mod tests;
