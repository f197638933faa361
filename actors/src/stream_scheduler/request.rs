//! What the scheduler is asked for.

use builder::Delivery;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Who asks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BuildRequester {
    /// Name of the identity.
    pub username: String,
    /// Its groups.
    pub groups: BTreeSet<String>,
    /// It has method powers for `Imaginator.BuildImage`.
    pub is_privileged: bool,
}

/// A build that somebody asks for (`imaginator.md §10`).
#[derive(Debug, Clone)]
pub struct BuildRequest {
    /// The stream.
    pub stream: String,
    /// Variables.
    pub variables: BTreeMap<String, String>,
    /// Branch, tag or commit of the manifest; empty for the default.
    pub branch: String,
    /// Greatest age of the source image; `None`, or zero, for any.
    pub max_source_age: Option<Duration>,
    /// Life time of the image.
    pub expires_in: Duration,
    /// Longest time the commands of the build may take; less than a second for as long as the daemon allows.
    pub maximum_duration: Duration,
    /// What to do with the image.
    pub delivery: Delivery,
    /// Sources are not built.
    pub disable_recursive_build: bool,
    /// The build ends when the ticket is dropped, unless somebody else wants it.
    pub cancel_on_disconnect: bool,
    /// Who asks.
    pub requester: BuildRequester,
}
