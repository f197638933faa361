//! `enable-build-requests`: accept requests again.

use flags::Verb;
use protocol::imaginator::{DisableBuildRequestsRequest, DisableBuildRequestsResponse};

use super::CONTROL;
use crate::session::{Session, refusal};

pub(super) const NAME: &str = "enable-build-requests";
pub(super) const DOING: &str = "error enabling build requests";

pub(super) fn verb() -> Verb {
    Verb::new(NAME, "", "accept requests again")
        .group(CONTROL)
        .examples(&["builder-tool enable-build-requests # before the time of disable-build-requests is over"])
}

pub(super) async fn run(session: &mut Session, _: &[String]) -> anyhow::Result<()> {
    let request = DisableBuildRequestsRequest { disable_for: gob::Duration(0) };
    let reply: DisableBuildRequestsResponse = session.call("DisableBuildRequests", &request).await?;
    refusal(reply.error)
}
