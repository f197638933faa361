//! `listunrefobj`: objects that no image refers to.

use flags::Verb;

use super::Verdict;
use crate::session::Session;

pub(super) const NAME: &str = "listunrefobj";
pub(super) const DOING: &str = "error listing unreferenced objects";

pub(super) fn verb() -> Verb {
    Verb::new(NAME, "", "list objects that no image refers to").group("housekeeping")
}

pub(super) async fn run(session: &mut Session, _arguments: &[String]) -> anyhow::Result<Verdict> {
    super::unreferenced::print(session, false).await
}
