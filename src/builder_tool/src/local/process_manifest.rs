//! `process-manifest manifestDir rootDir`: carry out a manifest in a tree that is there (`builder-tool.md §2.2`).

use std::sync::Arc;
use std::time::Instant;

use anyhow::anyhow;
use builder::process::process_manifest;
use builder::{BuildError, Room};
use flags::{Mark, Verb};

use super::here::Here;
use crate::session::Session;
use crate::verbs::LOCAL;

pub(crate) const NAME: &str = "process-manifest";
pub(crate) const DOING: &str = "error processing manifest";

pub(crate) fn verb() -> Verb {
    Verb::new(
        NAME,
        "manifestDir rootDir",
        "carry out a manifest in a tree that is there",
    )
    .group(LOCAL)
    .mark(Mark::Root)
}

pub(crate) async fn run(session: &mut Session, arguments: &[String]) -> anyhow::Result<()> {
    let here = Here::new(session)?;
    let absolute = |path: &str| {
        std::fs::canonicalize(path).map_err(|error| anyhow!("{path}: {}", tree_io::os_text(&error)))
    };
    let (manifest, root) = (absolute(&arguments[0])?, absolute(&arguments[1])?);
    let variables = here.variables()?;
    let watcher = here.watcher();
    let binds = builder::read_only(&session.options.bind_mounts);
    let room = Room::new(here.room_config(), root, Arc::clone(&watcher)).with_binds(binds);
    here.run(move || {
        let began = Instant::now();
        process_manifest(&room, &manifest, &variables).map_err(|error| BuildError {
            text: error.to_string(),
            phase: None,
            needs: None,
            is_cancelled: error.is_cancelled(),
        })?;
        room.say(format!(
            "Processed manifest in {}",
            human::duration(began.elapsed())
        ));
        Ok(())
    })
    .await
}
