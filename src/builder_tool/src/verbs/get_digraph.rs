//! `get-digraph`: which stream is built on which, as a graph.

use std::io::Write;

use flags::Verb;
use protocol::imaginator::{GetDirectedGraphRequest, GetDirectedGraphResponse};

use super::LOOK;
use crate::session::{Session, refusal};

pub(super) const NAME: &str = "get-digraph";
pub(super) const DOING: &str = "error getting directed graph";

pub(super) fn verb() -> Verb {
    Verb::new(NAME, "", "print which stream is built on which, for Graphviz")
        .group(LOOK)
        .examples(&[
            "builder-tool get-digraph | dot -Tsvg > streams.svg # a picture",
            "builder-tool -digraphIncludes=base/debian get-digraph # that stream and what belongs to it",
        ])
}

pub(super) async fn run(session: &mut Session, _: &[String]) -> anyhow::Result<()> {
    let request = GetDirectedGraphRequest {
        excludes: session.options.digraph_excludes.clone(),
        includes: session.options.digraph_includes.clone(),
        ..GetDirectedGraphRequest::default()
    };
    let reply: GetDirectedGraphResponse = session.call("GetDirectedGraph", &request).await?;
    refusal(reply.error)?;
    let result = reply.get_directed_graph_result;
    let mut out = std::io::stdout().lock();
    if !result.graphviz_dot.is_empty() {
        out.write_all(&result.graphviz_dot)?;
        if !result.graphviz_dot.ends_with(b"\n") {
            out.write_all(b"\n")?;
        }
    }
    out.flush()?;
    if session.options.show_fetch_log {
        std::io::stderr().write_all(&result.fetch_log)?;
    }
    Ok(())
}
