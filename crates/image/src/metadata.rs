//! What is said about an image beside its tree (gob.md §10).

use std::collections::BTreeMap;

use hash::Hash;

use crate::{FileSystem, record};

record! {
    /// An image: a tree and what is known about it.
    pub struct Image {
        /// Branch the image was built from.
        pub build_branch: String,
        /// Commit the image was built from.
        pub build_commit_id: String,
        /// Repository the image was built from.
        pub build_git_url: String,
        /// Username of the adder, set by the server.
        pub created_by: String,
        /// Username for whom a builder added it.
        pub created_for: String,
        /// Paths that updates leave alone. `None` makes a sparse image; that is not the same as an empty filter.
        pub filter: Option<Filter>,
        /// The tree; `None` where only metadata was asked for.
        pub file_system: Option<FileSystem>,
        /// What to restart when files change.
        pub triggers: Option<Triggers>,
        /// Release notes.
        pub release_notes: Option<Annotation>,
        /// Log of the build.
        pub build_log: Option<Annotation>,
        /// When it was added, set by the server.
        pub created_on: gob::Time,
        /// When it will be dropped; zero for never.
        pub expires_at: gob::Time,
        /// Groups whose members may delete it and change its expiration.
        pub owner_groups: Vec<String>,
        /// Users who may delete it and change its expiration.
        pub owner_users: Vec<String>,
        /// Packages installed in it.
        pub packages: Vec<Package>,
        /// Image it was built from.
        pub source_image: String,
        /// Free labels; an empty map and an absent one are the same.
        pub tags: BTreeMap<String, String>,
    }

    /// A text attached to an image: an object of the store, or a URL.
    pub struct Annotation {
        /// The object with the text.
        pub object: Option<Hash>,
        /// Where the text is, if there is no object.
        #[gob(name = "URL")]
        #[serde(rename = "URL")]
        pub url: String,
    }

    /// An installed package.
    pub struct Package {
        /// Name.
        pub name: String,
        /// Installed size in bytes.
        pub size: u64,
        /// Version, in the words of the package manager.
        pub version: String,
    }

    /// A directory of images.
    pub struct Directory {
        /// Name; the root is `.`.
        pub name: String,
        /// The rest.
        pub metadata: DirectoryMetadata,
    }

    /// What is known about a directory of images.
    pub struct DirectoryMetadata {
        /// Group whose members may add and delete images here; empty for none.
        pub owner_group: String,
    }

    /// A list of path expressions (image-manifest.md §6).
    pub struct Filter {
        /// The expressions, one each.
        pub filter_lines: Vec<String>,
    }

    /// What to do when files change.
    pub struct Triggers {
        /// The triggers in their stored order.
        pub triggers: Vec<Trigger>,
    }

    /// One service and the paths that concern it (imagetool.md §5.2).
    pub struct Trigger {
        /// Path expressions, as in filters.
        pub match_lines: Vec<String>,
        /// The service to restart or reload.
        pub service: String,
        /// Orders the actions of several triggers.
        #[serde(skip_serializing_if = "String::is_empty")]
        pub sort_name: String,
        /// Reboot afterwards.
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        pub do_reboot: bool,
        /// Reload instead of restart.
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        pub do_reload: bool,
        /// Disturbs users.
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        pub high_impact: bool,
    }

    /// A file whose content a file generator supplies per machine.
    pub struct ComputedFile {
        /// Absolute path in the image.
        pub filename: String,
        /// `HOST:PORT` of the generator.
        pub source: String,
    }
}
