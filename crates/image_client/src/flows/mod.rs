//! Calls put together to what people want done.

mod deliver;
mod finish;
mod unpack;

pub use deliver::deliver;
pub use finish::{Finish, finish, in_the_future};
pub use unpack::{tar, unpack};
