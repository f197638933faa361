//! `build-tree-from-manifest manifestDir`: build a tree from a manifest on this disk, and print where it is (`builder-tool.md §2.2`).

use flags::{Mark, Verb};

use crate::session::Session;
use crate::verbs::LOCAL;

pub(crate) const NAME: &str = "build-tree-from-manifest";
pub(crate) const DOING: &str = "error processing manifest";

pub(crate) fn verb() -> Verb {
    Verb::new(
        NAME,
        "manifestDir",
        "build a tree from a manifest on this disk, and print where it is",
    )
    .group(LOCAL)
    .mark(Mark::Root)
}

pub(crate) async fn run(_session: &mut Session, _arguments: &[String]) -> anyhow::Result<()> {
    anyhow::bail!("this build cannot build images here yet")
}
