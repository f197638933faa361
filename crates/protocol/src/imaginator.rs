//! Messages of the `Imaginator` service (`builder-tool.md §3.1`), and of the methods this implementation adds to it.

use std::collections::BTreeMap;

use bstr::BString;
use gob::{Duration, Gob, Time};
use image::{Image, record};
use serde::{Deserialize, Serialize};

// Serde hands references to what it asks.
#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_false(value: &bool) -> bool {
    !value
}

record! {
    /// First value of `BuildImage`.
    pub struct BuildImageRequest {
        /// Fail if the source image is missing or too old, instead of building it.
        pub disable_recursive_build: bool,
        /// Life time of the image.
        pub expires_in: Duration,
        /// Branch, tag or commit of the manifest; empty for the default.
        pub git_branch: String,
        /// Greatest age of the source image; 0 for any.
        pub max_source_age: Duration,
        /// Longest time the commands of the build may take; under a second for the server's limit.
        pub maximum_build_duration: Duration,
        /// Hand the image back instead of publishing it.
        pub return_image: bool,
        /// Send the log while the build runs.
        pub stream_build_log: bool,
        /// What to build.
        pub stream_name: String,
        /// Added to the build environment.
        pub variables: BTreeMap<String, String>,
        /// The build ends with the connection, unless somebody else wants it. Only this implementation has it: others send nothing, and
        /// take no notice.
        #[serde(skip_serializing_if = "is_false")]
        pub cancel_on_disconnect: bool,
    }

    /// Of `BuildImage`: any number with nothing but a piece of the log, then one with how it ended.
    pub struct BuildImageResponse {
        /// The image, if it was to be handed back.
        pub image: Option<Image>,
        /// Name of the published image.
        pub image_name: String,
        /// The next bytes of the log; all of it at the end if it was not to be sent before.
        pub build_log: Vec<u8>,
        /// Why there is no image; empty for success.
        pub error_string: BString,
        /// The cause is that the source image is missing or too old.
        pub need_source_image: bool,
        /// Stream of that source image.
        pub source_image: String,
        /// Variables to build it with.
        pub source_image_build_variables: BTreeMap<String, String>,
        /// Commit to build it from.
        pub source_image_git_commit_id: String,
    }

    /// Of `CancelBuild`, which only this implementation has.
    pub struct CancelBuildRequest {
        /// Number of the build; 0 for all of the stream.
        pub build_number: u64,
        /// Stream whose builds are to end, if there is no number.
        pub stream_name: String,
    }

    /// Of `CancelBuild`.
    pub struct CancelBuildResponse {
        /// How many builds, queued or running, were told to end.
        pub cancelled: u64,
        /// Empty for success.
        pub error: String,
    }

    /// Of `DisableAutoBuilds`.
    pub struct DisableAutoBuildsRequest {
        /// For how long.
        pub disable_for: Duration,
    }

    /// Of `DisableAutoBuilds`.
    pub struct DisableAutoBuildsResponse {
        /// Until when; only told to callers with a name.
        pub disabled_until: Time,
        /// Empty for success.
        pub error: String,
    }

    /// Of `DisableBuildRequests`.
    pub struct DisableBuildRequestsRequest {
        /// For how long; 0 enables them.
        pub disable_for: Duration,
    }

    /// Of `DisableBuildRequests`.
    pub struct DisableBuildRequestsResponse {
        /// Until when; zero if they are enabled. Only told to callers with a name.
        pub disabled_until: Time,
        /// Empty for success.
        pub error: String,
    }

    /// Of `GetDependencies`.
    pub struct GetDependenciesRequest {
        /// Wait for an attempt younger than this; 0 for what there is.
        pub max_age: Duration,
    }

    /// Which stream is built on which.
    pub struct GetDependenciesResult {
        /// What fetching the manifests said, at the last attempt.
        pub fetch_log: Vec<u8>,
        /// When the data were made.
        pub generated_at: Time,
        /// When it was tried last.
        pub last_attempt_at: Time,
        /// Why the last attempt failed; empty if it did not.
        pub last_attempt_error: String,
        /// Stream to its source. `None` until there are data.
        pub stream_to_source: Option<BTreeMap<String, String>>,
        /// Sources that no stream, bootstrap or pattern provides. `None` until there are data.
        pub unbuildable_sources: Option<BTreeMap<String, Nothing>>,
    }

    /// Of `GetDirectedGraph`.
    pub struct GetDirectedGraphRequest {
        /// Streams left out, with all that are built on them.
        pub excludes: Vec<String>,
        /// Streams kept, with all they need and all that need them; empty for all.
        pub includes: Vec<String>,
        /// Wait for an attempt younger than this; 0 for what there is.
        pub max_age: Duration,
    }

    /// The dependencies as a graph.
    pub struct GetDirectedGraphResult {
        /// What fetching the manifests said, at the last attempt.
        pub fetch_log: Vec<u8>,
        /// When the data were made.
        pub generated_at: Time,
        /// The graph in the language of Graphviz; empty if there are no data yet.
        pub graphviz_dot: Vec<u8>,
        /// When it was tried last.
        pub last_attempt_at: Time,
        /// Why the last attempt failed; empty if it did not.
        pub last_attempt_error: String,
    }

    /// Of `GetPageToken`, which only this implementation has.
    pub struct GetPageTokenRequest {
        /// Methods the token is to stand for, such as `BuildImage`; none for all the caller may call.
        pub methods: Vec<String>,
        /// For how long it is to be good; 0 for the server's default.
        pub expires_in: Duration,
    }

    /// Of `GetPageToken`.
    pub struct GetPageTokenResponse {
        /// To be given to a page that changes something.
        pub token: String,
        /// When it ceases to be good.
        pub expires_at: Time,
        /// Methods it stands for.
        pub methods: Vec<String>,
        /// Empty for success.
        pub error: String,
    }

    /// Of `ReplaceIdleSlaves`.
    pub struct ReplaceIdleSlavesRequest {
        /// Get new ones at once.
        pub immediate_get_new: bool,
    }

    /// Of `ReplaceIdleSlaves`.
    pub struct ReplaceIdleSlavesResponse {
        /// Empty for success.
        pub error: String,
    }

    /// Of `StartAutoBuilds`.
    pub struct StartAutoBuildsRequest {
        /// Answer when the round is over.
        pub wait_for_complete: bool,
        /// Wait for a round that is running, instead of failing.
        pub wait_to_start: bool,
    }

    /// Of `StartAutoBuilds`.
    pub struct StartAutoBuildsResponse {
        /// Empty for success.
        pub error: String,
    }
}

/// What the members of a set have as their values, where it travels as a map.
#[derive(Clone, Debug, Default, PartialEq, Eq, Gob, Serialize, Deserialize)]
#[gob(name = "")]
pub struct Nothing {}

image::go_json_by_serde!(Nothing);

/// Of `GetDependencies`. In gob the result is a field, in JSON its fields are fields of the response.
#[derive(Clone, Debug, Default, PartialEq, Eq, Gob, Serialize, Deserialize)]
#[serde(from = "FlatDependencies", into = "FlatDependencies")]
pub struct GetDependenciesResponse {
    /// See there.
    pub get_dependencies_result: GetDependenciesResult,
    /// Empty for success.
    pub error: String,
}

/// Of `GetDirectedGraph`. In gob the result is a field, in JSON its fields are fields of the response.
#[derive(Clone, Debug, Default, PartialEq, Eq, Gob, Serialize, Deserialize)]
#[serde(from = "FlatGraph", into = "FlatGraph")]
pub struct GetDirectedGraphResponse {
    /// See there.
    pub get_directed_graph_result: GetDirectedGraphResult,
    /// Empty for success.
    pub error: String,
}

/// How structs with an embedded one look in JSON.
mod flat {
    use super::*;

    record! {
        /// Of a [`GetDependenciesResponse`].
        pub struct FlatDependencies {
            pub fetch_log: Vec<u8>,
            pub generated_at: Time,
            pub last_attempt_at: Time,
            pub last_attempt_error: String,
            pub stream_to_source: Option<BTreeMap<String, String>>,
            pub unbuildable_sources: Option<BTreeMap<String, Nothing>>,
            pub error: String,
        }

        /// Of a [`GetDirectedGraphResponse`].
        pub struct FlatGraph {
            pub fetch_log: Vec<u8>,
            pub generated_at: Time,
            pub graphviz_dot: Vec<u8>,
            pub last_attempt_at: Time,
            pub last_attempt_error: String,
            pub error: String,
        }
    }
}

use flat::{FlatDependencies, FlatGraph};

/// `A` and `B` have the same fields, but those of the one named first are in a struct of their own in `B`.
macro_rules! embedded {
    ($whole:ident, $flat:ident, $field:ident: $result:ident { $($name:ident),+ }) => {
        impl From<$whole> for $flat {
            fn from(whole: $whole) -> Self {
                let $result { $($name),+ } = whole.$field;
                Self { $($name,)+ error: whole.error }
            }
        }

        impl From<$flat> for $whole {
            fn from(flat: $flat) -> Self {
                let $flat { $($name,)+ error } = flat;
                Self { $field: $result { $($name),+ }, error }
            }
        }
    };
}

embedded!(GetDependenciesResponse, FlatDependencies, get_dependencies_result: GetDependenciesResult {
    fetch_log, generated_at, last_attempt_at, last_attempt_error, stream_to_source, unbuildable_sources
});
embedded!(GetDirectedGraphResponse, FlatGraph, get_directed_graph_result: GetDirectedGraphResult {
    fetch_log, generated_at, graphviz_dot, last_attempt_at, last_attempt_error
});
