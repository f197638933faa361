//! `start-auto-builds`: start a round of automatic rebuilds now.

use flags::Verb;
use protocol::imaginator::{StartAutoBuildsRequest, StartAutoBuildsResponse};

use super::CONTROL;
use crate::session::{Session, refusal};

pub(super) const NAME: &str = "start-auto-builds";
pub(super) const DOING: &str = "error starting auto builds";

pub(super) fn verb() -> Verb {
    Verb::new(NAME, "", "start a round of automatic rebuilds now")
        .group(CONTROL)
        .examples(&[
            "builder-tool start-auto-builds # fails if a round is running",
            "builder-tool -waitToStartAutoRebuilds -waitForAutoRebuilds start-auto-builds # returns when all is built",
        ])
}

pub(super) async fn run(session: &mut Session, _: &[String]) -> anyhow::Result<()> {
    let request = StartAutoBuildsRequest { wait_for_complete: session.options.wait_for_auto_rebuilds, wait_to_start: session.options.wait_to_start_auto_rebuilds };
    let reply: StartAutoBuildsResponse = session.call("StartAutoBuilds", &request).await?;
    refusal(reply.error)
}
