//! `build-raw-from-manifest manifestDir rawFile`: build a bootable raw image from a manifest on this disk (`builder-tool.md §2.2`).

use flags::{Mark, Verb};

use crate::session::Session;
use crate::verbs::LOCAL;

pub(crate) const NAME: &str = "build-raw-from-manifest";
pub(crate) const DOING: &str = "error building RAW image from manifest";

pub(crate) fn verb() -> Verb {
    Verb::new(
        NAME,
        "manifestDir rawFile",
        "build a bootable raw image from a manifest on this disk",
    )
    .group(LOCAL)
    .mark(Mark::Root)
    .mark(Mark::Rare)
}

pub(crate) async fn run(_session: &mut Session, _arguments: &[String]) -> anyhow::Result<()> {
    anyhow::bail!(
        "raw images cannot be made yet: make a tree with build-tree-from-manifest, and an image of it with other tools"
    )
}
