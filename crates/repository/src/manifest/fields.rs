//! Which fields there are, in the orders that matter.

/// The public form's order: digests of answers depend on it (imgapi.md §5.6).
pub(crate) const PUBLIC_ORDER: [&str; 30] = [
    "v",
    "uuid",
    "owner",
    "name",
    "version",
    "state",
    "disabled",
    "public",
    "published_at",
    "type",
    "os",
    "files",
    "acl",
    "description",
    "homepage",
    "eula",
    "icon",
    "urn",
    "requirements",
    "users",
    "generate_passwords",
    "inherited_directories",
    "origin",
    "nic_driver",
    "disk_driver",
    "cpu_type",
    "image_size",
    "tags",
    "billing_tags",
    "traits",
];

/// What a new image's body may hold. `files` and `channels` may be there and are dropped.
pub(crate) const CREATE: &[&str] = &[
    "v",
    "owner",
    "name",
    "version",
    "description",
    "homepage",
    "eula",
    "icon",
    "error",
    "disabled",
    "public",
    "type",
    "os",
    "origin",
    "acl",
    "requirements",
    "users",
    "billing_tags",
    "traits",
    "tags",
    "generate_passwords",
    "inherited_directories",
    "files",
    "channels",
];

/// What an imported manifest may hold beyond that. `state` is dropped.
pub(crate) const IMPORT: &[&str] = &["uuid", "published_at", "urn", "state"];

/// Of disk images only.
pub(crate) const ZVOL: [&str; 4] = ["nic_driver", "disk_driver", "cpu_type", "image_size"];

/// What an update may set.
pub(crate) const MUTABLE: &[&str] = &[
    "owner",
    "name",
    "version",
    "description",
    "homepage",
    "eula",
    "public",
    "os",
    "acl",
    "requirements",
    "users",
    "billing_tags",
    "traits",
    "tags",
    "generate_passwords",
    "inherited_directories",
    "nic_driver",
    "disk_driver",
    "cpu_type",
    "image_size",
    "channels",
];

/// What only an operator's update may set.
pub(crate) const OPERATOR_ONLY: &[&str] = &[
    "state",
    "error",
    "billing_tags",
    "traits",
    "files",
    "origin",
    "uuid",
];

/// What an update may set as long as the image is not activated.
pub(crate) const UNACTIVATED_ONLY: &[&str] = &["uuid", "origin", "files"];

/// Types of images.
pub(crate) const TYPES: [&str; 6] = ["zone-dataset", "zvol", "lx-dataset", "lxd", "docker", "other"];

/// Operating systems.
pub(crate) const SYSTEMS: [&str; 6] = ["smartos", "linux", "windows", "bsd", "illumos", "other"];

/// States.
pub(crate) const STATES: [&str; 5] = ["active", "unactivated", "disabled", "creating", "failed"];
