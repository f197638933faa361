//! The command line.

use super::repository::Given;
use super::works::Work;
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// Rounds that anybody has the patience for.
const MAX_ROUNDS: i64 = 1000;
/// Images that a store is filled with at most: 100,000 real ones are some 100 GB.
const MAX_IMAGES: i64 = 100_000;
/// Small ones, some 10 kB each with what they have of their own.
const MAX_SMALL_IMAGES: i64 = 1_000_000;
/// Machines of the fleet at most: each is a connection with files and memory of its own.
const MAX_MACHINES: i64 = 100_000;
/// Megabytes of a repository's file at most: as much as a repository takes.
const MAX_FILE_MEGABYTES: i64 = 20_000;
/// Seconds of one measurement of calls.
const MAX_CALL_SECONDS: i64 = 600;

/// Arguments of the verb.
#[derive(Args)]
#[command(
    after_help = "Figures are only as good as the machine is quiet: see docs/benchmarks.md for the traps."
)]
pub(crate) struct BenchArgs {
    /// Directory with our programs [default: where imagewright itself is]
    #[arg(long, value_name = "DIR")]
    pub(super) programs: Option<PathBuf>,
    /// Directory with another implementation's programs (imageserver and imagetool; imaginator and builder-tool for builds), to be measured in turn with ours
    #[arg(long, value_name = "DIR")]
    pub(super) peer: Option<PathBuf>,
    /// Also: our client on their server and theirs on ours, for add, get and tar
    #[arg(long, requires = "peer")]
    pub(super) cross: bool,
    /// Tree to work with [default: one like a minimal Debian is made: 6,800 entries, 200 MB, the same every time]
    #[arg(long, value_name = "DIR")]
    pub(super) tree: Option<PathBuf>,
    /// How often each kind of work is done
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=MAX_ROUNDS))]
    pub(super) rounds: u32,
    /// Only these kinds of work
    #[arg(long, value_enum, value_delimiter = ',', value_name = "WORK")]
    only: Vec<Work>,
    /// Numbers of images with which start-up is measured
    #[arg(long, value_delimiter = ',', default_value = "1,100,1000,10000", value_name = "NUMBERS",
          value_parser = clap::value_parser!(u32).range(1..=MAX_IMAGES))]
    images: Vec<u32>,
    /// The peer is not started with more images than this: it may keep all of them in memory, decoded
    #[arg(long, default_value_t = 1000, value_name = "NUMBER")]
    pub(super) peer_images_max: u32,
    /// Small images for `many`
    #[arg(long, default_value_t = 100_000, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..=MAX_SMALL_IMAGES))]
    pub(super) many: u32,
    /// Machines that fetch an update in the simulated fleet
    #[arg(long, default_value_t = 200, value_name = "MACHINES", value_parser = clap::value_parser!(u32).range(1..=MAX_MACHINES))]
    pub(super) fleet: u32,
    /// Images of the repository with a REST API
    #[arg(long, default_value_t = 1000, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..=MAX_SMALL_IMAGES))]
    repository_images: u32,
    /// Size of the file that is downloaded from it, in megabytes
    #[arg(long, default_value_t = 200, value_name = "MEGABYTES", value_parser = clap::value_parser!(u32).range(1..=MAX_FILE_MEGABYTES))]
    repository_file: u32,
    /// Another implementation's repository that is running, with images of its own, to be measured in turn with ours: http://HOST:PORT
    #[arg(long, value_name = "URL")]
    peer_repository: Option<String>,
    /// Number of its process, if it runs here: for what it costs
    #[arg(long, requires = "peer_repository", value_name = "PID")]
    peer_repository_process: Option<u32>,
    /// File of an RSA key, in PEM, whose signatures it takes
    #[arg(long, requires = "peer_repository", value_name = "FILE")]
    peer_repository_key: Option<PathBuf>,
    /// User whose key that is
    #[arg(long, default_value = "bench", value_name = "NAME")]
    peer_repository_user: String,
    /// How long each measurement of small calls takes
    #[arg(long, default_value_t = 1, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..=MAX_CALL_SECONDS))]
    pub(super) call_seconds: u32,
    /// Where scratch data go; the file system that is to be measured, with some gigabytes to spare
    #[arg(long, default_value = "/var/tmp", value_name = "SCRATCH")]
    pub(super) dir: PathBuf,
    /// User, by name or number, that servers run as when this runs as root: they refuse to be root
    #[arg(long, default_value = "nobody")]
    pub(super) user: String,
    /// Write all samples to this file
    #[arg(long, value_name = "FILE")]
    pub(super) json: Option<PathBuf>,
    /// Write a report to this file
    #[arg(long, value_name = "FILE")]
    pub(super) markdown: Option<PathBuf>,
    /// Leave the scratch data there
    #[arg(long)]
    pub(super) keep: bool,
    /// Tell the kinds of work, and do nothing
    #[arg(long)]
    pub(super) list: bool,
}

impl BenchArgs {
    /// What is to be done, in the usual order.
    pub(super) fn works(&self) -> Vec<Work> {
        let all = Work::value_variants().iter().copied();
        all.filter(|work| self.only.is_empty() || self.only.contains(work))
            .collect()
    }

    /// The size of our repository: images, bytes of its file.
    pub(super) fn repository_size(&self) -> (u32, usize) {
        (self.repository_images, self.repository_file as usize * 1_000_000)
    }

    /// The repository that somebody started.
    pub(super) fn peer_repository(&self) -> Option<Given> {
        Some(Given {
            url: self.peer_repository.clone()?,
            process: self.peer_repository_process,
            user: self.peer_repository_user.clone(),
            key: self.peer_repository_key.clone(),
        })
    }

    /// Numbers of images, ascending.
    pub(super) fn images(&self) -> Vec<u32> {
        let mut numbers = self.images.clone();
        numbers.sort_unstable();
        numbers.dedup();
        numbers
    }
}
