//! The types that travel as they are.

mod byte;
mod map;
mod number;
mod pointer;
mod sequence;
mod text;

pub use map::Pairs;
pub(crate) use sequence::decode_elements;
