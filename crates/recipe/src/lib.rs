//! What the image builder is told: its configuration, image streams, variables, packagers and manifests, as plain data.
//!
//! Promises: pure functions on texts; whatever is wrong with a text is told at once, with line and field; secrets cannot be
//! printed by accident. Lacks on purpose: reading files, fetching anything, running anything.
//!
//! | module | what | specification |
//! | --- | --- | --- |
//! | [`packager`] | commands of a package manager | `imaginator.md §9` |
//! | [`secrets`] | the variables file | `imaginator.md §6.3` |
//! | [`stream`] | bootstrap streams and user streams, ready to be built | `imaginator.md §5, §8` |

pub mod packager;
pub mod secrets;
pub mod stream;

pub use packager::Packager;
pub use secrets::Secrets;
pub use stream::{BootstrapStream, Cache, Owners, UserStream};
