//! What the actors are told at the start.

use crate::Clock;
use crate::replicator::Replication;
use crate::scrubber::Scrubbing;
use std::path::PathBuf;
use std::time::Duration;

/// Settings of [`start`](crate::start); the defaults are those of the flags (`imageserver.md §8`).
#[derive(Debug, Clone)]
pub struct Config {
    /// Existing directory of images.
    pub image_dir: PathBuf,
    /// Existing directory of objects.
    pub object_dir: PathBuf,
    /// How far ahead expirations may be set.
    pub expiration: ExpirationLimits,
    /// When unreferenced objects are collected.
    pub collector: CollectorLimits,
    /// How long objects stay protected after the connection that added or found them has ended. The original keeps
    /// them 11 s.
    pub lease: Duration,
    /// Memory for decoded trees, bytes.
    pub tree_cache_bytes: u64,
    /// Time between two updates of the indexes that speed the next start, while there are changes.
    pub index_pause: Duration,
    /// This server follows a master: writes go over tombstones (`imageserver.md §3.2`). Implied by `replication`.
    pub replica: bool,
    /// How often it is looked whether a quarantined image was repaired: one `stat` each.
    pub look_at_damage: Duration,
    /// Whom it follows, and how.
    pub replication: Option<Replication>,
    /// How everything is read again from time to time, and repaired.
    pub scrubbing: Scrubbing,
    /// By which images expire.
    pub clock: Clock,
    /// How often that clock is looked at, at least, while an image has an expiration: it may be set, and the machine may be
    /// suspended.
    pub look_at_clock: Duration,
    /// Lets [`handle`](crate::handle) messages that panic on purpose through: for tests alone.
    pub allow_debug_panic: bool,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            image_dir: PathBuf::from("/var/lib/imageserver"),
            object_dir: PathBuf::from("/var/lib/objectserver"),
            expiration: ExpirationLimits::default(),
            collector: CollectorLimits::default(),
            lease: Duration::from_secs(11),
            tree_cache_bytes: 128 << 20,
            index_pause: Duration::from_secs(60),
            replica: false,
            look_at_damage: Duration::from_secs(10),
            replication: None,
            scrubbing: Scrubbing::default(),
            clock: Clock::default(),
            look_at_clock: Duration::from_secs(30),
            allow_debug_panic: false,
        }
    }
}

/// How far ahead an expiration may be set (`imageserver.md §2.3`).
#[derive(Debug, Clone, Copy)]
pub struct ExpirationLimits {
    /// For callers without method access.
    pub ordinary: Duration,
    /// For callers with method access and a username; raised to `ordinary` if it is less.
    pub privileged: Duration,
}

impl Default for ExpirationLimits {
    fn default() -> Self {
        ExpirationLimits {
            ordinary: Duration::from_secs(24 * 3600),
            privileged: Duration::from_secs(730 * 3600),
        }
    }
}

/// When unreferenced objects are collected (`imageserver.md §6.8`).
#[derive(Debug, Clone, Copy)]
pub struct CollectorLimits {
    /// Utilisation of the file system, whole percent, from which on objects are deleted.
    pub start_percent: u64,
    /// Utilisation down to which they are.
    pub stop_percent: u64,
    /// Bytes of unreferenced objects from which on they are deleted; off unless `stop_bytes` is less.
    pub start_bytes: u64,
    /// Bytes of unreferenced objects down to which they are.
    pub stop_bytes: u64,
}

impl Default for CollectorLimits {
    fn default() -> Self {
        CollectorLimits {
            start_percent: 95,
            stop_percent: 90,
            start_bytes: 0,
            stop_bytes: 0,
        }
    }
}
