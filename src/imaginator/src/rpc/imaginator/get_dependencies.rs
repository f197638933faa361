//! `Imaginator.GetDependencies` (`imaginator.md §17`).

use crate::rpc::prelude::*;
use actors::stream_scheduler::Dependencies;
use protocol::imaginator::{GetDependenciesRequest, GetDependenciesResponse, GetDependenciesResult, Nothing};

/// Which stream is built on which.
pub(crate) struct GetDependencies(pub(crate) Shared);

impl RequestReply for GetDependencies {
    const NAME: &'static str = "GetDependencies";
    type Request = GetDependenciesRequest;
    type Reply = GetDependenciesResponse;

    fn access(&self) -> Access {
        Access::PUBLIC
    }

    fn limits(&self) -> gob::Limits {
        limits::request()
    }

    async fn call(&self, _: &Call, request: Self::Request) -> Result<Self::Reply, MethodError> {
        let max_age = request.max_age.to_std().unwrap_or_default();
        Ok(match self.0.scheduler.dependencies(max_age).await {
            Ok(dependencies) => Self::Reply {
                get_dependencies_result: result(&dependencies),
                error: String::new(),
            },
            Err(error) => Self::Reply {
                error: error.to_string(),
                ..Self::Reply::default()
            },
        })
    }
}

fn result(dependencies: &Dependencies) -> GetDependenciesResult {
    let has_data = dependencies.generated_at.is_some();
    let unbuildable = dependencies.unbuildable_sources.iter();
    let unbuildable = unbuildable.map(|source| (source.clone(), Nothing {})).collect();
    GetDependenciesResult {
        fetch_log: dependencies.fetch_log.clone(),
        generated_at: time(dependencies.generated_at),
        last_attempt_at: time(dependencies.last_attempt_at),
        last_attempt_error: dependencies.last_attempt_error.clone().unwrap_or_default(),
        stream_to_source: has_data.then(|| dependencies.stream_to_source.clone()),
        unbuildable_sources: has_data.then_some(unbuildable),
    }
}
