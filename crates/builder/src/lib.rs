//! Builds images: runs a bootstrap command, or unpacks a source image and carries out a manifest, in sandboxes; packs the result
//! and publishes it to an image server.
//!
//! The daemon's build runners and the tool's local builds call the same functions. Everything here may block: a build has a thread of its
//! own. It knows nothing of queues, requests, pages or actors.
//!
//! | module | what |
//! | --- | --- |
//! | [`bootstrap`] | filling an empty directory by a command |
//! | [`delete`] | deleting in trees of strangers |
//! | [`manifest`] | fetching a manifest, and what it says |
//! | [`object_cache`] | objects kept on this host |
//! | [`order`] | what to build, and what watches it |
//! | [`packages`] | installing, cleaning up and listing packages |
//! | [`process`] | carrying out a manifest in an unpacked tree |
//! | [`sandbox_run`] | where the commands of a build run |
//! | [`tests`] | running the tests of an image |
//! | [`trees`] | files of a manifest put into an image |
//! | [`workshop`] | the real [`Engine`]: what all builds of a process share |

pub mod bootstrap;
mod build;
mod cursor;
pub mod delete;
mod disk_use;
mod filters;
mod in_root;
mod kept_tree;
pub mod manifest;
mod mount_points;
pub mod object_cache;
pub mod order;
pub mod packages;
pub mod process;
mod resolv_conf;
pub mod sandbox_run;
mod scripts;
mod silent;
mod step_error;
pub mod tests;
pub mod trees;
pub mod workshop;

pub use order::{BuildError, Built, Delivery, Engine, NeededSource, Order, Phase, Recipe, Watcher};
pub use sandbox_run::{Environment, Room, RoomConfig, Run, read_only};
pub use step_error::StepError;
pub use workshop::{
    BuildLimits, ObjectCacheConfig, Workshop, WorkshopConfig, WorkshopError, WorkshopFigures,
};
