//! `get name directory`: an image's tree on the local disk (`imagetool.md §6.3`).

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::anyhow;
use flags::{Mark, Verb};
use image_client::flows;
use tree_io::Progress;

use super::{Verdict, computed_root};
use crate::interrupt::Unfinished;
use crate::progress_bar::ProgressLine;
use crate::session::Session;
use crate::trees;

pub(super) const NAME: &str = "get";
pub(super) const DOING: &str = "error getting image";

pub(super) fn verb() -> Verb {
    Verb::new(NAME, "name directory", "unpack an image into a directory").group("move").mark(Mark::Root).examples(&[
        "imagetool get base/2026-11-22 /mnt/root # makes the directory if it is not there",
        "imagetool -computedFilesRoot=/srv/computed get I:base /mnt/root # the newest, with local computed files",
    ])
}

pub(super) async fn run(session: &mut Session, arguments: &[String]) -> anyhow::Result<Verdict> {
    let (image, name) = trees::named_image(session, &arguments[0]).await?;
    let mut tree = image.file_system.ok_or_else(|| anyhow!("image has no file-system"))?;
    let local = computed_root::apply(session, &mut tree)?;
    let client = session.take_connection().await?;
    let progress = Progress::default();
    let _line = ProgressLine::fetching(tree.total_data_bytes, &progress);
    let _unfinished = Unfinished::begin();
    let start = std::time::Instant::now();
    flows::unpack(
        client,
        Arc::new(tree),
        local,
        PathBuf::from(&arguments[1]),
        Some(name),
        session.cancel.clone(),
        progress.clone(),
    )
    .await?;
    session.debug(0, || {
        let (files, bytes) = (progress.files(), human::bytes(progress.bytes()));
        format!("Unpacked {files} files ({bytes}) in {}", human::duration(start.elapsed()))
    });
    Ok(Verdict::Done)
}
