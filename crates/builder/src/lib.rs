//! Builds images: runs a bootstrap command, or unpacks a source image and carries out a manifest, in sandboxes; packs the result
//! and publishes it to an image server.
//!
//! The daemon's build runners and the tool's local builds call the same functions. Everything here may block: a build has a thread of its
//! own. It knows nothing of queues, requests, pages or actors.
//!
//! | module | what |
//! | --- | --- |
//! | [`object_cache`] | objects kept on this host |
//! | [`order`] | what to build, and what watches it |
//! | [`workshop`] | the real [`Engine`]: what all builds of a process share |

pub mod object_cache;
pub mod order;
pub mod workshop;

pub use order::{BuildError, Built, Delivery, Engine, NeededSource, Order, Phase, Recipe, Watcher};
pub use workshop::{
    BuildLimits, ObjectCacheConfig, Workshop, WorkshopConfig, WorkshopError, WorkshopFigures,
};
