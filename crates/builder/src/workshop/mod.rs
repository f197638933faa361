//! The one real [`Engine`]: directories, limits, object cache and connections that all builds of a process share.

use std::path::PathBuf;
use std::sync::Arc;

use image_client::Connect;

use crate::{BuildError, Built, Engine, Order, Watcher};

/// What builds need beside their orders.
#[derive(Clone)]
pub struct WorkshopConfig {
    /// Where the trees of builds are put, in a directory of our own that is closed to others: `$TMPDIR` of the daemon.
    pub temporary: PathBuf,
    /// The daemon's state directory. Tells the directories and control groups of several daemons of one host apart.
    pub state_directory: PathBuf,
    /// Objects kept on this host; without, every source image is fetched whole every time.
    pub object_cache: Option<ObjectCacheConfig>,
    /// How sandboxes are started.
    pub sandbox: sandbox::Command,
    /// What the commands of one build may use.
    pub limits: BuildLimits,
    /// Which network they have.
    pub network: sandbox::Network,
    /// How to connect to the image server.
    pub connect: Connect,
}

/// Where objects are kept, and how many.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectCacheConfig {
    /// The directory; made if it is not there.
    pub directory: PathBuf,
    /// Bytes of all objects together; those that were not used for the longest time go first.
    pub most_bytes: u64,
}

/// What the commands of one build may use; `None`: as much as there is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BuildLimits {
    /// Memory of all its processes together, bytes.
    pub memory_bytes: Option<u64>,
    /// Processes and threads at a time.
    pub processes: Option<u64>,
    /// Size of any one file, bytes.
    pub file_bytes: Option<u64>,
    /// What a build may add to its tree, bytes.
    pub disk_bytes: Option<u64>,
}

/// Figures for pages and metrics.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WorkshopFigures {
    /// The directory of the trees.
    pub temporary: PathBuf,
    /// Objects in the cache.
    pub cached_objects: u64,
    /// Their bytes.
    pub cached_bytes: u64,
    /// Bytes the cache may have; 0 without one.
    pub most_cached_bytes: u64,
    /// Objects that builds found in the cache, since the start.
    pub cache_hits: u64,
    /// Objects that had to be fetched.
    pub cache_misses: u64,
}

/// Why there is no workshop.
#[derive(Debug, thiserror::Error)]
pub enum WorkshopError {
    /// Another process uses the directories.
    #[error(
        "{directory} is in use by another process{holder}: stop it, or give this one another state directory"
    )]
    InUse {
        /// Which.
        directory: PathBuf,
        /// ` (pid N)` if known.
        holder: String,
    },
    /// A directory cannot be made, opened or cleaned.
    #[error("{doing} {path}: {source}")]
    Io {
        /// The verb.
        doing: &'static str,
        /// What it was done to.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
}

/// Builds images. Cheap to clone; may build several at a time.
#[derive(Clone)]
pub struct Workshop {
    config: Arc<WorkshopConfig>,
}

impl Workshop {
    /// Opens the directories and removes what an earlier process left there: trees, mounts, control groups. May take a while, and
    /// blocks.
    ///
    /// # Errors
    /// [`WorkshopError::InUse`] if another process has them.
    pub fn new(config: WorkshopConfig) -> Result<Workshop, WorkshopError> {
        Ok(Workshop {
            config: Arc::new(config),
        })
    }

    /// As of now.
    pub fn figures(&self) -> WorkshopFigures {
        WorkshopFigures {
            temporary: self.config.temporary.clone(),
            ..WorkshopFigures::default()
        }
    }
}

impl Engine for Workshop {
    fn build(&self, _order: &Order, _watcher: &Arc<dyn Watcher>) -> Result<Built, BuildError> {
        Err(BuildError {
            text: "this program cannot build images yet".to_owned(),
            phase: None,
            needs: None,
            is_cancelled: false,
        })
    }
}
