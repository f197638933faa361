//! What came of a build.

use super::Why;
use builder::{NeededSource, Phase};
use std::time::{Duration, SystemTime};

/// A phase of a build, with its times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhaseTime {
    /// What was done.
    pub phase: Phase,
    /// The stream it was done for: another one than the build's while a source is built.
    pub stream: String,
    /// When it began.
    pub started_at: SystemTime,
    /// When the next began, or the build ended; nothing while it goes on.
    pub finished_at: Option<SystemTime>,
}

impl PhaseTime {
    /// How long it took, or takes so far.
    pub fn duration(&self, now: SystemTime) -> Duration {
        let end = self.finished_at.unwrap_or(now);
        end.duration_since(self.started_at).unwrap_or_default()
    }
}

/// Why there is no image.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct BuildFailure {
    /// What was wrong, as clients show it (`builder-tool.md §6`).
    pub text: String,
    /// The phase it happened in.
    pub phase: Option<Phase>,
    /// The source image whose lack is the cause.
    pub needs: Option<NeededSource>,
    /// Somebody ended it.
    pub is_cancelled: bool,
    /// Nothing was wrong with the build: the image server could not be reached.
    pub is_server_away: bool,
}

impl BuildFailure {
    pub(crate) fn new(text: impl Into<String>) -> BuildFailure {
        BuildFailure {
            text: text.into(),
            phase: None,
            needs: None,
            is_cancelled: false,
            is_server_away: false,
        }
    }

    pub(crate) fn cancelled(text: impl Into<String>) -> BuildFailure {
        BuildFailure {
            is_cancelled: true,
            ..BuildFailure::new(text)
        }
    }
}

/// What was made.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BuiltImage {
    /// `STREAM/YYYY-MM-DD:HH:MM:SS`; empty if the image was not published.
    pub name: String,
    /// Full name of the source image; empty for a bootstrap.
    pub source_image: String,
    /// Commit of the manifest; empty if it is not from git.
    pub commit: String,
}

/// A build that has ended.
#[derive(Debug, Clone, PartialEq)]
pub struct BuildResult {
    /// Number of the build; 0 if it is of an earlier life of the daemon.
    pub number: u64,
    /// The stream.
    pub stream: String,
    /// Who asked; empty for automatic builds.
    pub requester: String,
    /// Who asked for the same meanwhile.
    pub joined_by: Vec<String>,
    /// Why it ran.
    pub why: Why,
    /// When it was asked for.
    pub queued_at: SystemTime,
    /// When it began; nothing if it was cancelled before.
    pub started_at: Option<SystemTime>,
    /// When it ended.
    pub finished_at: SystemTime,
    /// What was done when.
    pub phases: Vec<PhaseTime>,
    /// The image, or why there is none.
    pub outcome: Result<BuiltImage, BuildFailure>,
    /// Made as automatic rebuilds make it: from the default branch, without variables, and published.
    pub is_usual: bool,
}

impl BuildResult {
    /// How long it ran.
    pub fn duration(&self) -> Duration {
        self.started_at
            .and_then(|start| self.finished_at.duration_since(start).ok())
            .unwrap_or_default()
    }

    /// What was wrong, if anything was.
    pub fn error(&self) -> Option<&str> {
        self.outcome.as_ref().err().map(|failure| failure.text.as_str())
    }
}
