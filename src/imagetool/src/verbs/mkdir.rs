//! `mkdir name`: makes a directory.

use flags::{Mark, Verb};

use super::Verdict;
use crate::session::Session;

pub(super) const NAME: &str = "mkdir";
pub(super) const DOING: &str = "error creating directory";

pub(super) fn verb() -> Verb {
    Verb::new(NAME, "name", "make a directory; its parent must exist").group("change").mark(Mark::Master)
}

pub(super) async fn run(session: &mut Session, arguments: &[String]) -> anyhow::Result<Verdict> {
    session.master().await?.make_directory(&arguments[0], false).await?;
    Ok(Verdict::Done)
}
