//! `save-to-file name [outfile]`: an image with all its objects in one file (`imagetool.md §8`).

use std::io::{BufWriter, Write};

use anyhow::anyhow;
use flags::{Mark, Verb};
use hash::Hash;
use image_client::ObjectStream;
use image_client::fetch::Verify;
use protocol::archive::{self, SavedObject};

use super::Verdict;
use super::destination::Destination;
use crate::interrupt::Unfinished;
use crate::session::Session;

pub(super) const NAME: &str = "save-to-file";
pub(super) const DOING: &str = "error saving image";

/// Bytes collected before they are written.
const BUFFER_BYTES: usize = 1 << 20;

pub(super) fn verb() -> Verb {
    Verb::new(NAME, "name [outfile]", "save an image with all its objects in a file, signed by its server")
        .group("move")
        .mark(Mark::Master)
        .examples(&[
            "imagetool save-to-file base/2026-11-22 base.saved # before deleting it, for instance",
            "imagetool save-to-file base/2026-11-22 | xz >base.saved.xz # to another program",
        ])
}

pub(super) async fn run(session: &mut Session, arguments: &[String]) -> anyhow::Result<Verdict> {
    let data = session.master().await?.get_image_archive(&arguments[0]).await?;
    let image = archive::decode(&data)?.content.image;
    let wanted = sizes(session, image::objects::distinct(&image)).await?;
    let client = session.take_connection().await?;
    let _unfinished = Unfinished::begin();
    let destination = Destination::open(arguments.get(1))?;
    let mut out = BufWriter::with_capacity(BUFFER_BYTES, destination.writer()?);
    // One encoder for all values: the type of the heads is defined once.
    let mut encoder = gob::Encoder::new();
    let mut encoded = Vec::new();
    encoder.encode(&data, &mut encoded);
    out.write_all(&encoded)?;
    let mut stream = ObjectStream::start(client, wanted.clone(), Verify::Here);
    for (hash, length) in wanted {
        encoded.clear();
        encoder.encode(&SavedObject { hash, length }, &mut encoded);
        out.write_all(&encoded)?;
        loop {
            session.cancel.check()?;
            let piece = stream.next().await?.ok_or_else(|| anyhow!("fewer objects than wanted"))?;
            out.write_all(&piece.data)?;
            if piece.is_last {
                break;
            }
        }
    }
    out.flush()?;
    drop(out);
    destination.keep()?;
    Ok(Verdict::Done)
}

/// Logs and notes are named without their sizes.
async fn sizes(
    session: &mut Session,
    objects: Vec<(Hash, Option<u64>)>,
) -> anyhow::Result<Vec<(Hash, u64)>> {
    let unknown: Vec<Hash> = objects.iter().filter(|(_, size)| size.is_none()).map(|(hash, _)| *hash).collect();
    let mut found = Vec::new().into_iter();
    if !unknown.is_empty() {
        found = session.server().await?.check_objects(unknown).await?.into_iter();
    }
    let sized = objects.into_iter().map(|(hash, size)| (hash, size.or_else(|| found.next()).unwrap_or(0)));
    let sized: Vec<(Hash, u64)> = sized.collect();
    match sized.iter().find(|(_, size)| *size == 0) {
        Some((hash, _)) => Err(image_client::Error::NotServed(format!("unknown object: {hash}")).into()),
        None => Ok(sized),
    }
}
