//! One file a call, or family of calls (imgapi.md §9).

pub(crate) mod acl;
pub(crate) mod actions;
pub(crate) mod admin;
pub(crate) mod channels;
pub(crate) mod create;
pub(crate) mod delete;
pub(crate) mod get;
pub(crate) mod icon;
pub(crate) mod jobs;
pub(crate) mod join;
pub(crate) mod list;
pub(crate) mod ping;
pub(crate) mod stores;
pub(crate) mod update;
