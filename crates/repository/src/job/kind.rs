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
    /// Publishes an image of the image server.
    Publish,
    /// Takes an image's file into the image server.
    TakeIn,
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

/// Not the original's.
const PUBLISH: [Step; 1] = [step("publish_image", 7200)];

/// Not the original's.
const TAKE_IN: [Step; 1] = [step("take_in_image", 7200)];

const ALL: [JobKind; 4] = [
    JobKind::ImportRemote,
    JobKind::CreateFromVm,
    JobKind::Publish,
    JobKind::TakeIn,
];

impl JobKind {
    /// Its word in `task`.
    pub fn task(self) -> &'static str {
        match self {
            Self::ImportRemote => "import-remote-image",
            Self::CreateFromVm => "create-from-vm",
            Self::Publish => "publish-image",
            Self::TakeIn => "take-in-image",
        }
    }

    /// Reads the word.
    pub fn of_task(word: &str) -> Option<Self> {
        ALL.into_iter().find(|kind| kind.task() == word)
    }

    /// Its name with the version of the original's definition.
    pub fn name(self) -> &'static str {
        match self {
            Self::ImportRemote => "import-remote-image-7.0.7",
            Self::CreateFromVm => "create-from-vm-7.0.7",
            Self::Publish => "publish-image-1",
            Self::TakeIn => "take-in-image-1",
        }
    }

    /// What two jobs that do the same have in common.
    pub fn target(self, image: Uuid) -> String {
        match self {
            Self::ImportRemote => format!("/import-remote-{image}"),
            Self::CreateFromVm => format!("/create-from-vm-{image}"),
            Self::Publish => format!("/publish-{image}"),
            Self::TakeIn => format!("/take-in-{image}"),
        }
    }

    /// Its steps.
    pub fn steps(self) -> &'static [Step] {
        match self {
            Self::ImportRemote => &IMPORT,
            Self::CreateFromVm => &CREATE,
            Self::Publish => &PUBLISH,
            Self::TakeIn => &TAKE_IN,
        }
    }

    /// Seconds all of it may take.
    pub fn total_seconds(self) -> u64 {
        match self {
            Self::ImportRemote => 7250,
            Self::CreateFromVm => 3630,
            Self::Publish | Self::TakeIn => 7200,
        }
    }
}
