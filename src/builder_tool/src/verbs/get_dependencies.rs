//! `get-dependencies`: which stream is built on which.

use std::io::Write;

use flags::Verb;
use protocol::imaginator::{GetDependenciesRequest, GetDependenciesResponse};

use super::LOOK;
use crate::session::{Session, refusal};

pub(super) const NAME: &str = "get-dependencies";
pub(super) const DOING: &str = "error getting dependencies";

pub(super) fn verb() -> Verb {
    Verb::new(NAME, "", "print which stream is built on which, as JSON")
        .group(LOOK)
        .examples(&["builder-tool get-dependencies | jq .StreamToSource # stream and source"])
}

pub(super) async fn run(session: &mut Session, _: &[String]) -> anyhow::Result<()> {
    let request = GetDependenciesRequest::default();
    let reply: GetDependenciesResponse = session.call("GetDependencies", &request).await?;
    refusal(reply.error)?;
    let result = reply.get_dependencies_result;
    let text = if session.options.json {
        image::go_json::to_line(&result)?
    } else {
        image::go_json::to_pretty(&result)?
    };
    Ok(std::io::stdout().write_all(&text)?)
}
