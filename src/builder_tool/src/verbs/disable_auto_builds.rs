//! `disable-auto-builds`: let automatic rebuilds build nothing for -disableFor.

use flags::Verb;
use protocol::imaginator::{DisableAutoBuildsRequest, DisableAutoBuildsResponse};

use super::CONTROL;
use crate::session::{Session, refusal};

pub(super) const NAME: &str = "disable-auto-builds";
pub(super) const DOING: &str = "error disabling auto builds";

pub(super) fn verb() -> Verb {
    Verb::new(NAME, "", "let automatic rebuilds build nothing for -disableFor")
        .group(CONTROL)
        .examples(&["builder-tool -disableFor=2h disable-auto-builds # while the mirror is down"])
}

pub(super) async fn run(session: &mut Session, _: &[String]) -> anyhow::Result<()> {
    let request = DisableAutoBuildsRequest { disable_for: session.options.disable_for.into() };
    let reply: DisableAutoBuildsResponse = session.call("DisableAutoBuilds", &request).await?;
    refusal(reply.error)
}
