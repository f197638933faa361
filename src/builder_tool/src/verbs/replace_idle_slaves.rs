//! `replace-idle-slaves`: replace build slaves that have nothing to do.

use flags::{Mark, Verb};
use protocol::imaginator::{ReplaceIdleSlavesRequest, ReplaceIdleSlavesResponse};

use super::CONTROL;
use crate::session::{Session, refusal};

pub(super) const NAME: &str = "replace-idle-slaves";
pub(super) const DOING: &str = "error replacing idle slaves";

pub(super) fn verb() -> Verb {
    Verb::new(NAME, "", "replace build slaves that have nothing to do")
        .group(CONTROL)
        .mark(Mark::Rare)
}

pub(super) async fn run(session: &mut Session, _: &[String]) -> anyhow::Result<()> {
    let request = ReplaceIdleSlavesRequest { immediate_get_new: true };
    let reply: ReplaceIdleSlavesResponse = session.call("ReplaceIdleSlaves", &request).await?;
    refusal(reply.error)
}
