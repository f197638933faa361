//! The one real [`Engine`]: directories, limits, object cache and connections that all builds of a process share.

mod directories;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use image_client::Connect;
use tree_io::Tick;

use crate::build::{self, Names};
use crate::kept_tree::KeptTrees;
use crate::object_cache::{DirectoryLock, ObjectCache};
use crate::{BuildError, Built, Engine, Order, Watcher};
use directories::Directory;

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
pub struct Workshop(Arc<Shop>);

/// What all builds of a process share.
pub(crate) struct Shop {
    pub(crate) config: WorkshopConfig,
    /// Where the trees are.
    pub(crate) directory: PathBuf,
    /// What names of control groups begin with.
    pub(crate) group_prefix: String,
    pub(crate) cache: Option<Arc<ObjectCache>>,
    /// Only where objects are kept, too.
    pub(crate) kept: Option<KeptTrees>,
    /// Of the file system of the trees.
    pub(crate) tick: Tick,
    pub(crate) names: Names,
    _locks: [DirectoryLock; 2],
}

impl Workshop {
    /// Opens the directories and removes what an earlier process left there: trees, mounts, control groups. May take a while, and
    /// blocks.
    ///
    /// # Errors
    /// [`WorkshopError::InUse`] if another process has them.
    pub fn new(config: WorkshopConfig) -> Result<Workshop, WorkshopError> {
        let Directory {
            path,
            group_prefix,
            locks,
        } = directories::open(&config.temporary, &config.state_directory)?;
        let cache = match &config.object_cache {
            Some(cache) => Some(ObjectCache::open(cache.directory.clone(), cache.most_bytes)?),
            None => None,
        };
        let kept = cache.is_some().then(|| KeptTrees::new(&path)).transpose();
        let kept = kept.map_err(|source| WorkshopError::Io {
            doing: "cannot make a directory in",
            path: path.clone(),
            source,
        })?;
        let tick = Tick::measure(&path).map_err(|source| WorkshopError::Io {
            doing: "cannot measure the clock of",
            path: path.clone(),
            source,
        })?;
        Ok(Workshop(Arc::new(Shop {
            config,
            directory: path,
            group_prefix,
            cache,
            kept,
            tick,
            names: Names::default(),
            _locks: locks,
        })))
    }

    /// Builds the tree of an order, without image, tests, filters and tags, and moves it into a new directory `tree*` in `place`, which
    /// is on the file system of the trees. Scripts see the order's variables and no others (`builder-tool.md §2.2`).
    ///
    /// # Errors
    /// As [`Engine::build`].
    pub fn build_tree(
        &self,
        order: &Order,
        place: &Path,
        watcher: &Arc<dyn Watcher>,
    ) -> Result<PathBuf, BuildError> {
        build::build_tree(&self.0, order, place, watcher)
    }

    /// As of now.
    pub fn figures(&self) -> WorkshopFigures {
        let cache = self
            .0
            .cache
            .as_ref()
            .map(|cache| cache.figures())
            .unwrap_or_default();
        WorkshopFigures {
            temporary: self.0.directory.clone(),
            cached_objects: cache.objects,
            cached_bytes: cache.bytes,
            most_cached_bytes: cache.most_bytes,
            cache_hits: cache.hits,
            cache_misses: cache.misses,
        }
    }
}

impl Engine for Workshop {
    fn build(&self, order: &Order, watcher: &Arc<dyn Watcher>) -> Result<Built, BuildError> {
        build::build(&self.0, order, watcher)
    }
}

impl BuildLimits {
    /// Those that one command has.
    pub fn of_a_command(&self) -> sandbox::Limits {
        sandbox::Limits {
            time: None,
            memory_bytes: self.memory_bytes,
            processes: self.processes,
            file_bytes: self.file_bytes,
            disk_bytes: self.disk_bytes,
        }
    }
}
