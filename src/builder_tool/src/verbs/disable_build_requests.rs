//! `disable-build-requests`: refuse requests for -disableFor.

use flags::Verb;
use protocol::imaginator::{DisableBuildRequestsRequest, DisableBuildRequestsResponse};

use super::CONTROL;
use crate::session::{Session, refusal};

pub(super) const NAME: &str = "disable-build-requests";
pub(super) const DOING: &str = "error disabling build requests";

pub(super) fn verb() -> Verb {
    Verb::new(NAME, "", "refuse requests for -disableFor")
        .group(CONTROL)
        .examples(&["builder-tool -disableFor=30m disable-build-requests # while the machine is being mended"])
}

pub(super) async fn run(session: &mut Session, _: &[String]) -> anyhow::Result<()> {
    let request = DisableBuildRequestsRequest { disable_for: session.options.disable_for.into() };
    let reply: DisableBuildRequestsResponse = session.call("DisableBuildRequests", &request).await?;
    refusal(reply.error)
}
