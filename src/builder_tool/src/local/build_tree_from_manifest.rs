//! `build-tree-from-manifest manifestDir`: build a tree from a manifest on this disk, and print where it is (`builder-tool.md §2.2`).

use flags::{Mark, Verb};

use super::here::Here;
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

/// Stands for the stream in names of directories.
const STREAM: &str = "tree";

pub(crate) async fn run(session: &mut Session, arguments: &[String]) -> anyhow::Result<()> {
    let here = Here::new(session)?;
    let mut order = here.order(&arguments[0], STREAM)?;
    order.variables = here.variables()?;
    let workshop = here.workshop(session).await?;
    let watcher = here.watcher();
    let place = std::env::temp_dir();
    let tree = here
        .run(move || workshop.build_tree(&order, &place, &watcher))
        .await?;
    println!("{}", tree.display());
    Ok(())
}
