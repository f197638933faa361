//! The supervised actors and what others see of them: handles, snapshots, events.
//!
//! An actor owns state and takes typed messages; file contents never travel in one. Readers do not queue behind
//! writers: they read a published snapshot ([`IndexSnapshot`]) or a sharded table in place (objects).
//!
//! Promises:
//! * Acknowledged means durable: a reply that says "added" comes after data and directory entries are on the disk.
//! * A panic inside an actor ends its requests in flight with [`CallError::Restarted`]; it is started again, puts its
//!   state in agreement with the disk first, and serves the next request. An actor that keeps dying is given up, which
//!   [`System::given_up`] tells the daemon.
//! * Every queue and wait has a bound with a name; what exceeds it is [`CallError::Busy`].
//!
//! Lacks on purpose: any actix type in its public face, any listening, any page. Two of them call out: the
//! replicator and the scrubber.
//!
//! | module | what |
//! | --- | --- |
//! | [`system`] | starting and stopping everything; [`Config`] |
//! | [`handle`] | the one way to talk to an actor |
//! | [`supervise`](handle) | restart with back-off and a budget |
//! | [`object_store`] | objects: table, references, leases, group commit, verified reading, collection |
//! | [`image_index`] | images and directories: names, owners, expiry, adding and deleting, events |
//! | [`replicator`] | the link to the server this one follows |
//! | [`scrubber`] | reading everything again from time to time, and repairing it |
//! | [`builder_system`] | starting and stopping what builds images |
//! | [`stream_scheduler`] | what is built, when, and for whom |
//! | [`build_runner`] | one build: its log, its phases, its thread |
//! | [`log_archive`] | logs of builds that have ended |
//! | [`image_repository`] | images of a repository with a REST API |
//! | [`config_watcher`] | the configuration of the image builder, kept up to date |
//! | [`repository_system`] | starting and stopping what serves a repository of images with a REST API |
//! | [`repository_settings`] | its settings, kept up to date |
//! | [`key_ring`] | keys of users, kept up to date |
//! | [`image_jobs`] | what those jobs do: imports, builds, the join with an image server |
//! | [`publisher`] | follows an image server: what is to be published by itself, what is gone there |
//! | [`jobs`] | imports, copies and builds that outlive a request |

mod actor_thread;
mod backoff;
pub mod build_runner;
pub mod builder_system;
mod clock;
mod config;
pub mod config_watcher;
mod file_bell;
mod file_watcher;
pub mod handle;
pub mod image_index;
pub mod image_jobs;
pub mod image_repository;
mod index_writer;
pub mod jobs;
pub mod key_ring;
pub mod log_archive;
pub mod object_store;
mod pool;
pub mod publisher;
pub mod replicator;
pub mod repository_settings;
pub mod repository_system;
pub mod scrubber;
mod start_report;
pub mod stream_scheduler;
mod supervise;
pub mod system;
mod task;

pub use builder_system::{BuilderStartError, BuilderSystem, start_builder};
pub use clock::Clock;
pub use config::{CollectorLimits, Config, ExpirationLimits};
pub use file_bell::FileBell;
pub use handle::{ActorState, CallError, Health};
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub use image_index::fuzzing;
pub use image_index::{ImageIndex, IndexError, IndexEvent, IndexSnapshot};
pub use image_jobs::Workroom;
pub use image_repository::{ImageRepository, RepositoryError, RepositoryStore};
pub use jobs::{JobBody, JobFailure, JobProgress, JobRun, JobTable, Jobs, JobsError};
pub use key_ring::{KeyRing, KeyRingProblem};
pub use log_archive::{Archiving, LogArchive};
pub use object_store::{Lease, ObjectError, ObjectStore};
pub use publisher::{
    Publisher, PublisherLink, PublisherOutcome, PublisherStatus, PublisherSystem, Publishing, start_publisher,
};
pub use replicator::{Archive, Replication, ReplicationStatus, Replicator};
pub use repository_settings::{SettingsError, SettingsSystem, SettingsWatcher};
pub use repository_system::{RepositoryConfig, RepositoryStartError, RepositorySystem, start_repository};
pub use scrubber::{RepairSource, ScrubPass, ScrubStatus, Scrubber, Scrubbing};
pub use start_report::StartReport;
pub use storage::IndexUse;
pub use stream_scheduler::{Scheduling, StreamScheduler};
pub use system::{StartError, System, start};
