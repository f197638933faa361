//! `tar name [file]`: an image as an archive (`imagetool.md §6.3`).

use std::io::BufWriter;
use std::sync::Arc;

use anyhow::anyhow;
use flags::Verb;
use image_client::flows;
use tree_io::Progress;
use tree_io::compress::Codec;

use super::destination::Destination;
use super::{Verdict, computed_root};
use crate::interrupt::Unfinished;
use crate::progress_bar::ProgressLine;
use crate::session::Session;
use crate::trees;
use crate::typed_name::TypedName;

pub(super) const NAME: &str = "tar";
pub(super) const DOING: &str = "error taring image";

/// Bytes collected before they are written.
const BUFFER_BYTES: usize = 1 << 20;

pub(super) fn verb() -> Verb {
    Verb::new(NAME, "name [file]", "write an image as a tar archive, to standard output without a file")
        .group("move")
        .examples(&[
            "imagetool -compress tar base/2026-11-22 base.tar.gz # the same bytes every time",
            "imagetool tar base/2026-11-22 | docker import - base # to another program",
        ])
}

pub(super) async fn run(session: &mut Session, arguments: &[String]) -> anyhow::Result<Verdict> {
    let image = trees::image(session, &TypedName::parse(&arguments[0])?).await?;
    let mut tree = image.file_system.ok_or_else(|| anyhow!("image has no file-system"))?;
    let local = computed_root::apply(session, &mut tree)?;
    let client = session.take_connection().await?;
    let progress = Progress::default();
    let _line = ProgressLine::fetching(tree.total_data_bytes, &progress);
    let _unfinished = Unfinished::begin();
    let destination = Destination::open(arguments.get(1))?;
    let output = Box::new(BufWriter::with_capacity(BUFFER_BYTES, destination.writer()?));
    let compress = session.options.compress;
    let codec = if compress { Codec::Gzip } else { Codec::None };
    flows::tar(client, Arc::new(tree), local, output, codec, session.cancel.clone(), progress).await?;
    destination.keep()?;
    Ok(Verdict::Done)
}
