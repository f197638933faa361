//! Streams, ready to be built.

use std::collections::BTreeMap;

use image::{Filter, Triggers};

use crate::Packager;

/// Who may delete an image or change its expiry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Owners {
    /// Names of groups.
    pub groups: Vec<String>,
    /// Names of people.
    pub users: Vec<String>,
}

/// A stream whose images are made by a command that fills an empty directory (`imaginator.md §8`).
#[derive(Clone, Debug, Default)]
pub struct BootstrapStream {
    /// Program and arguments. `$ARCH` and the `Variables` of the main configuration are expanded, `$dir` is not yet.
    pub command: Vec<String>,
    /// Directories of the host that the command may read whoever they belong to (not in the specification: there, commands run with
    /// all rights on the host).
    pub bind_mounts: Vec<String>,
    /// Paths that are left out of the image.
    pub filter_lines: Vec<String>,
    /// The filter attached to the image; a sparse image without.
    pub image_filter: Option<Filter>,
    /// The triggers attached to the image.
    pub image_triggers: Option<Triggers>,
    /// The tags attached to the image, not expanded.
    pub image_tags: BTreeMap<String, String>,
    /// Owners of the image.
    pub owners: Owners,
    /// Name of the packager, for pages.
    pub packager_type: String,
    /// The packager.
    pub packager: Packager,
}

/// A stream whose images are made from the newest image of another stream and a manifest (`imaginator.md §5`).
#[derive(Clone, Debug, Default)]
pub struct UserStream {
    /// Repository or `dir://` tree, not expanded.
    pub manifest_url: String,
    /// Directory in it, not expanded; empty for its top.
    pub manifest_directory: String,
    /// Groups that may ask for builds without method powers.
    pub builder_groups: Vec<String>,
    /// People that may.
    pub builder_users: Vec<String>,
    /// Build environment, not expanded (only `$IMAGE_STREAM` is, `imaginator.md §5`).
    pub variables: BTreeMap<String, String>,
}

/// A directory that builds of a stream keep from one to the next (`imaginator.md §11.8`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cache {
    /// On the host; a directory per stream is made in it.
    pub base_directory: String,
    /// Where builds see it.
    pub mount_point: String,
    /// Bytes kept after a build; 0 for no limit.
    pub size_limit: u64,
}
