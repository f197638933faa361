//! SHA-512 names of objects.
//!
//! An object is known everywhere by the SHA-512 of its bytes: on disk, on the wire and inside images. This crate has
//! the name ([`Hash`]), its text form, the streaming [`Hasher`], [`of_each`] for many objects at once, and the keyed [`hmac`]; with the features `gob` and `serde` also its
//! forms in those formats. It knows nothing about where objects are kept.

mod compress;
mod hasher;
mod hmac;
mod many;
mod text;
mod value;

#[cfg(feature = "serde")]
mod json;

pub use hasher::{Hasher, of};
pub use hmac::{hmac, hmac_equal};
pub use many::of_each;
pub use text::ParseHashError;
pub use value::Hash;
