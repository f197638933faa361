//! The service `Imaginator` (`builder-tool.md §3`). `CancelBuild` and `GetPageToken` are our own.

mod build_image;
mod cancel_build;
mod disable_auto_builds;
mod disable_build_requests;
mod disabled;
mod get_dependencies;
mod get_directed_graph;
mod get_page_token;
mod replace_idle_slaves;
mod start_auto_builds;

use crate::state::Shared;
use srpc::{PerUserLimit, ServiceBuilder};

/// All methods of the service.
pub(crate) fn service(shared: &Shared) -> ServiceBuilder {
    let state = || Shared::clone(shared);
    let service = ServiceBuilder::new("Imaginator")
        .raw(build_image::BuildImage(state()))
        .request_reply(cancel_build::CancelBuild(state()))
        .request_reply(disable_auto_builds::DisableAutoBuilds(state()))
        .request_reply(disable_build_requests::DisableBuildRequests(state()))
        .request_reply(get_dependencies::GetDependencies(state()))
        .request_reply(get_directed_graph::GetDirectedGraph(state()))
        .request_reply(get_page_token::GetPageToken(state()))
        .request_reply(replace_idle_slaves::ReplaceIdleSlaves)
        .request_reply(start_auto_builds::StartAutoBuilds(state()));
    match shared.options.concurrent_builds_per_user {
        Some(builds_most) => service.blocker(PerUserLimit::for_methods(builds_most, &["BuildImage"])),
        None => service,
    }
}
