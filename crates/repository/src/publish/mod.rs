//! Images of a content-addressed store as images of this repository and back (imgapi.md §22): names and manifests, no bytes.

mod manifest;
mod name;
mod onto;
mod restored;

pub use manifest::{ImageFacts, PublishedAs, publication};
pub use name::{Published, published};
pub use onto::{link, linked, onto};
pub use restored::{Restored, restored, store_name};

/// The tag with the full name of an image in the store it came from, or was taken into: the table between the two.
pub const TAG_IMAGE: &str = "store:image";

/// Tags that hold what an archive has no place for, as compact JSON.
pub(crate) const TAG_FILTER: &str = "store:filter";
pub(crate) const TAG_TRIGGERS: &str = "store:triggers";
pub(crate) const TAG_PACKAGES: &str = "store:packages";
