//! What is kept of a build that has ended.

use builder::Phase;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// A build in the archive.
#[derive(Debug, Clone, PartialEq)]
pub struct ArchivedBuild {
    /// `STREAM/TIMESTAMP`: the name of the image if there is one, else a name of the same form. Also its directory.
    pub name: String,
    /// The stream.
    pub stream: String,
    /// When it ended, as the file's modification time says.
    pub finished_at: SystemTime,
    /// How long it took.
    pub duration: Duration,
    /// What was wrong; empty if nothing was.
    pub error: String,
    /// Who asked; empty for automatic builds.
    pub requester: String,
    /// Bytes of its log.
    pub log_bytes: u64,
    /// Number of the build in the life of the daemon that built it; 0 if another program did.
    pub number: u64,
    /// Why it ran; empty if that is not known.
    pub why: String,
    /// Somebody ended it.
    pub is_cancelled: bool,
    /// It was not made as automatic rebuilds make it: from another branch, with variables, or only handed back.
    pub is_unusual: bool,
    /// How long each phase of this stream took, in order.
    pub phases: Vec<(Phase, Duration)>,
}

impl ArchivedBuild {
    /// It went well.
    pub fn is_good(&self) -> bool {
        self.error.is_empty()
    }
}

/// What is in the archive at one moment.
#[derive(Debug, Clone, Default)]
pub struct ArchiveListing {
    /// All builds, oldest first.
    pub builds: Vec<Arc<ArchivedBuild>>,
    /// Those of each stream, oldest first.
    pub by_stream: BTreeMap<String, Vec<Arc<ArchivedBuild>>>,
    /// Those of each requester, oldest first; empty for automatic builds.
    pub by_requester: BTreeMap<String, Vec<Arc<ArchivedBuild>>>,
    /// Bytes they take on the disk.
    pub bytes: u64,
    /// Bytes they may take.
    pub quota_bytes: u64,
    /// What went wrong last, if anything has.
    pub last_error: Option<String>,
}

impl ArchiveListing {
    /// A build by its name.
    pub fn find(&self, name: &str) -> Option<&Arc<ArchivedBuild>> {
        let (stream, _) = name.rsplit_once('/')?;
        let builds = self.by_stream.get(stream)?;
        builds.iter().find(|build| build.name == name)
    }

    pub(super) fn new(builds: Vec<Arc<ArchivedBuild>>, bytes: u64, quota_bytes: u64) -> ArchiveListing {
        let mut listing = ArchiveListing {
            bytes,
            quota_bytes,
            ..ArchiveListing::default()
        };
        for build in &builds {
            let by_stream = listing.by_stream.entry(build.stream.clone()).or_default();
            by_stream.push(build.clone());
            let by_requester = listing.by_requester.entry(build.requester.clone()).or_default();
            by_requester.push(build.clone());
        }
        listing.builds = builds;
        listing
    }
}
