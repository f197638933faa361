//! `build-from-manifest manifestDir stream-name`: build an image from a manifest on this disk, and publish it (`builder-tool.md §2.2`).

use builder::Engine;
use flags::{Mark, Verb};

use super::here::Here;
use crate::session::Session;
use crate::verbs::LOCAL;

pub(crate) const NAME: &str = "build-from-manifest";
pub(crate) const DOING: &str = "error processing manifest";

pub(crate) fn verb() -> Verb {
    Verb::new(
        NAME,
        "manifestDir stream-name",
        "build an image from a manifest on this disk, and publish it",
    )
    .group(LOCAL)
    .mark(Mark::Root)
}

pub(crate) async fn run(session: &mut Session, arguments: &[String]) -> anyhow::Result<()> {
    let here = Here::new(session)?;
    let order = here.order(&arguments[0], &arguments[1])?;
    let workshop = here.workshop(session).await?;
    let watcher = here.watcher();
    let built = here.run(move || workshop.build(&order, &watcher)).await?;
    println!("{}", built.name);
    Ok(())
}
