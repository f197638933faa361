//! What jobs there are, and of what steps (imgapi.md §15).

use crate::uuid::Uuid;

/// A step of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// Its name.
    pub name: &'static str,
    /// Seconds it may take.
    pub seconds: u64,
}

/// What a job does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum JobKind {
    /// Takes an image and what it is based on from another repository.
    ImportRemote,
    /// Has an image built.
    CreateFromVm,
}

const fn step(name: &'static str, seconds: u64) -> Step {
    Step { name, seconds }
}

/// Each of these is tried once more when it fails.
const IMPORT: [Step; 4] = [
    step("origin_import_images", 3600),
    step("import_image", 60),
    step("add_image_file", 3600),
    step("activate_image", 10),
];

/// A build reserves, builds, makes the file, records its digests, activates (imgapi.md §22.4); the names are the original's.
const CREATE: [Step; 3] = [
    step("vmapi.get_vm_server", 10),
    step("cnapi.queue_create_from_vm_task", 10),
    step("cnapi.poll_task", 3600),
];

impl JobKind {
    /// Its word in `task`.
    pub fn task(self) -> &'static str {
        match self {
            Self::ImportRemote => "import-remote-image",
            Self::CreateFromVm => "create-from-vm",
        }
    }

    /// Reads the word.
    pub fn of_task(word: &str) -> Option<Self> {
        [Self::ImportRemote, Self::CreateFromVm]
            .into_iter()
            .find(|kind| kind.task() == word)
    }

    /// Its name with the version of the original's definition.
    pub fn name(self) -> &'static str {
        match self {
            Self::ImportRemote => "import-remote-image-7.0.7",
            Self::CreateFromVm => "create-from-vm-7.0.7",
        }
    }

    /// What two jobs that do the same have in common.
    pub fn target(self, image: Uuid) -> String {
        match self {
            Self::ImportRemote => format!("/import-remote-{image}"),
            Self::CreateFromVm => format!("/create-from-vm-{image}"),
        }
    }

    /// Its steps.
    pub fn steps(self) -> &'static [Step] {
        match self {
            Self::ImportRemote => &IMPORT,
            Self::CreateFromVm => &CREATE,
        }
    }

    /// Seconds all of it may take.
    pub fn total_seconds(self) -> u64 {
        match self {
            Self::ImportRemote => 7250,
            Self::CreateFromVm => 3630,
        }
    }
}
