//! One method per call (`imageserver.md §3`, `§4`).

mod archive;
mod directories;
mod expiration;
mod images;
mod lists;
mod objects;
mod scrub;

pub use images::Selection;
