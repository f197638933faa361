//! What to build, what watches it, what comes out: the seam between those who decide what is built and those who build.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use image::Image;
use recipe::{BootstrapStream, Cache, Secrets, UserStream};

/// One image to be built.
#[derive(Clone, Debug)]
pub struct Order {
    /// Number of the build, unique in the life of the daemon. Names control groups and temporary directories.
    pub number: u64,
    /// Which range of identities its sandboxes use; no two running builds have the same.
    pub slot: u32,
    /// Name of the stream.
    pub stream: String,
    /// How it is made.
    pub recipe: Recipe,
    /// Variables of the request.
    pub variables: BTreeMap<String, String>,
    /// Branch, tag or commit of the manifest; empty for the default.
    pub branch: String,
    /// Greatest age of the source image; `None` for any.
    pub max_source_age: Option<Duration>,
    /// Life time of the image from its upload; `None` for ever.
    pub expires_in: Option<Duration>,
    /// Longest time the commands of the build may take together.
    pub deadline: Duration,
    /// Who asked; empty for automatic builds.
    pub created_for: String,
    /// What to do with the image.
    pub delivery: Delivery,
    /// The variables file as it was when the build began.
    pub secrets: Arc<Secrets>,
}

/// How an image is made.
#[derive(Clone, Debug)]
pub enum Recipe {
    /// By a command.
    Bootstrap(Arc<BootstrapStream>),
    /// From a source image and a manifest.
    User {
        /// The stream.
        stream: Arc<UserStream>,
        /// Directories of the host, seen read-only at the same path.
        bind_mounts: Vec<String>,
        /// Default of the files whose modification times are not copied; expressions as in a filter.
        mtimes_copy_filter_lines: Vec<String>,
        /// A directory kept from build to build.
        cache: Option<Cache>,
    },
}

/// What to do with the image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// Add it to the image server.
    Publish,
    /// Send its objects to the image server, and hand it back.
    Return,
}

/// What is being done (`imaginator.md §8.2, §11; image-manifest.md §3`). In the order of a build; some builds skip some.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// Fetching the manifest.
    FetchManifest,
    /// Looking for the source image.
    FindSource,
    /// Building the source image, because there was none or it was too old.
    BuildSource,
    /// Unpacking the source image.
    Unpack,
    /// Running the bootstrap command.
    Bootstrap,
    /// Copying and appending `files`.
    Files,
    /// Running `pre-install-scripts`.
    PreInstallScripts,
    /// Updating, upgrading, installing packages.
    Packages,
    /// Copying and appending `post-install-files`.
    PostInstallFiles,
    /// Running `scripts`.
    Scripts,
    /// Cleaning packages, deleting patterns.
    CleanUp,
    /// Copying `post-scripts-files`, running `post-cleanup-scripts`.
    PostScripts,
    /// Listing packages, scanning the tree, sending new objects.
    Pack,
    /// Running tests.
    Tests,
    /// Adding the image.
    Publish,
}

impl Phase {
    /// As people read it.
    pub fn text(self) -> &'static str {
        match self {
            Self::FetchManifest => "fetch manifest",
            Self::FindSource => "find source image",
            Self::BuildSource => "build source image",
            Self::Unpack => "unpack source image",
            Self::Bootstrap => "bootstrap",
            Self::Files => "copy files",
            Self::PreInstallScripts => "pre-install scripts",
            Self::Packages => "packages",
            Self::PostInstallFiles => "post-install files",
            Self::Scripts => "scripts",
            Self::CleanUp => "clean up",
            Self::PostScripts => "after scripts",
            Self::Pack => "pack",
            Self::Tests => "tests",
            Self::Publish => "publish",
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

/// Sees a build while it happens, and may end it. Called from the build's threads; must not block for long.
pub trait Watcher: Send + Sync {
    /// Bytes for the build log, as they come. No secret is in them.
    fn log(&self, bytes: &[u8]);
    /// A phase begins, which ends the one before.
    fn phase(&self, phase: Phase);
    /// Everything logged so far, to be stored with the image.
    fn log_so_far(&self) -> Vec<u8>;
    /// Whether the build is to end. Asked often; a running command is also ended through [`Watcher::on_cancel`].
    fn is_cancelled(&self) -> bool;
    /// Calls `end` once, when the build is cancelled: at once if it is. What is returned withdraws it when dropped.
    fn on_cancel(&self, end: Box<dyn Fn() + Send + Sync>) -> Box<dyn std::any::Any + Send>;
}

/// What was built.
#[derive(Debug)]
pub struct Built {
    /// `STREAM/YYYY-MM-DD:HH:MM:SS`; empty if the image was not published.
    pub name: String,
    /// The image, if it was to be handed back.
    pub image: Option<Box<Image>>,
    /// Full name of the source image; empty for a bootstrap.
    pub source_image: String,
    /// Commit of the manifest; empty if it is not from git.
    pub commit: String,
}

/// A source image that has to be built first (`imaginator.md §11.3`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NeededSource {
    /// The stream.
    pub stream: String,
    /// Branch or commit to build it from; empty for the default.
    pub commit: String,
    /// Variables for its build.
    pub variables: BTreeMap<String, String>,
}

/// Why there is no image. The text is what the original's clients show (`builder-tool.md §6`).
#[derive(Debug, thiserror::Error)]
#[error("{text}")]
pub struct BuildError {
    /// What was wrong, with the step it was wrong in; no secret is in it.
    pub text: String,
    /// The phase it happened in.
    pub phase: Option<Phase>,
    /// The source image whose lack is the cause.
    pub needs: Option<NeededSource>,
    /// Whether it was ended because somebody asked.
    pub is_cancelled: bool,
    /// Whether nothing was wrong with the build: the image server could not be reached, for as long as it was tried.
    pub is_server_away: bool,
}

/// What builds. There is one real one; tests of those who decide what is built have their own.
pub trait Engine: Send + Sync {
    /// Builds. Blocks until done; leaves no process, mount or directory behind.
    fn build(&self, order: &Order, watcher: &Arc<dyn Watcher>) -> Result<Built, BuildError>;
}
