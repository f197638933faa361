//! What the image builder is told: its configuration, image streams, variables, packagers and manifests, as plain data.
//!
//! Promises: pure functions on texts; whatever is wrong with a text is told at once, with line and field; secrets cannot be
//! printed by accident. Lacks on purpose: reading files, fetching anything, running anything.
//!
//! | module | what | specification |
//! | --- | --- | --- |
//! | [`configuration`] | the main configuration | `imaginator.md §4` |
//! | [`environment`] | variables of a build | `imaginator.md §6.4` |
//! | [`expand`] | `$NAME`, `${NAME}`, `${NAME[/1:2]}` | `imaginator.md §6.1` |
//! | [`graph`] | which stream is built from which, as Graphviz, as a picture, as text | `imaginator-web.md §4, §5` |
//! | [`location`] | where a manifest is | `imaginator.md §5, §6.2` |
//! | [`manifest`] | the file `manifest`, `package-list`, `owners.json`, expansion of tags | `image-manifest.md §2, §6` |
//! | [`packager`] | commands of a package manager, the script made of them, what it lists | `imaginator.md §9` |
//! | [`problem`] | what is wrong, where | |
//! | [`secrets`] | the variables file | `imaginator.md §6.3` |
//! | [`source`] | forms of URLs that configurations come from | `imaginator.md §4, §7` |
//! | [`stream`] | bootstrap streams and user streams, ready to be built | `imaginator.md §5, §8` |
//! | [`streams`] | the image streams file, and finding a stream by its name | `imaginator.md §5` |
//! | [`text`] | JSON as Go reads it, and YAML, with lines | `imaginator.md §4` |

pub mod configuration;
pub mod environment;
pub mod expand;
pub mod graph;
pub mod location;
pub mod manifest;
pub mod packager;
pub mod problem;
pub mod secrets;
pub mod source;
pub mod stream;
pub mod streams;
pub mod text;

pub use configuration::{Configuration, Found, QuickLink, Reading};
pub use environment::{architecture, environment};
pub use location::ManifestLocation;
pub use manifest::Manifest;
pub use packager::Packager;
pub use problem::{Checked, Problem, Problems, Severity};
pub use secrets::Secrets;
pub use source::Source;
pub use stream::{BootstrapStream, Cache, Owners, UserStream};
pub use streams::{FindError, Streams};
pub use text::Format;
