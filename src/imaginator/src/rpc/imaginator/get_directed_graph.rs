//! `Imaginator.GetDirectedGraph` (`imaginator.md §17`, `imaginator-web.md §5`).

use crate::rpc::prelude::*;
use protocol::imaginator::{GetDirectedGraphRequest, GetDirectedGraphResponse, GetDirectedGraphResult};

/// Which stream is built on which, in the language of Graphviz.
pub(crate) struct GetDirectedGraph(pub(crate) Shared);

impl RequestReply for GetDirectedGraph {
    const NAME: &'static str = "GetDirectedGraph";
    type Request = GetDirectedGraphRequest;
    type Reply = GetDirectedGraphResponse;

    fn access(&self) -> Access {
        Access::PUBLIC
    }

    fn limits(&self) -> gob::Limits {
        limits::request()
    }

    async fn call(&self, _: &Call, request: Self::Request) -> Result<Self::Reply, MethodError> {
        let max_age = request.max_age.to_std().unwrap_or_default();
        let dependencies = match self.0.scheduler.dependencies(max_age).await {
            Ok(dependencies) => dependencies,
            Err(error) => {
                return Ok(Self::Reply {
                    error: error.to_string(),
                    ..Self::Reply::default()
                });
            }
        };
        let graph = || {
            let relations = self.0.relations(&dependencies);
            relations.filtered(&request.excludes, &request.includes).dot()
        };
        Ok(Self::Reply {
            get_directed_graph_result: GetDirectedGraphResult {
                fetch_log: dependencies.fetch_log.clone(),
                generated_at: time(dependencies.generated_at),
                graphviz_dot: dependencies
                    .generated_at
                    .map_or_else(Vec::new, |_| graph().into_bytes()),
                last_attempt_at: time(dependencies.last_attempt_at),
                last_attempt_error: dependencies.last_attempt_error.clone().unwrap_or_default(),
            },
            error: String::new(),
        })
    }
}
