//! Builds on this machine, without a daemon (`builder-tool.md §2.2`): one file per verb.

pub(crate) mod build_from_manifest;
pub(crate) mod build_raw_from_manifest;
pub(crate) mod build_tree_from_manifest;
mod here;
pub(crate) mod process_manifest;
