//! A file that this server fetches itself.

use actors::image_repository::Upload;
use bytes::Bytes;
use repository::Result;
use repository::transfer::Kind;

use super::Received;
use super::pace::Pace;
use super::whole::of_written;
use super::writer::{Plan, Verdict, Writer};
use crate::failures;

/// Receives the pieces that `next` gives, to the last one.
///
/// # Errors
/// Those of `next`; it comes too slowly; it is empty or too long; the disk.
pub(crate) async fn fetched(
    upload: Upload,
    mut next: impl AsyncFnMut() -> Result<Option<Bytes>>,
) -> Result<Received> {
    let plan = Plan {
        is_hashed: true,
        if_cut: Verdict::Remove,
    };
    let mut writer = Writer::start(upload, plan).map_err(|error| failures::no_thread(&error))?;
    if let Err(error) = pass_on(&mut writer, &mut next).await {
        // Before the answer, so that who tries again at once finds the place free.
        writer.end(Verdict::Remove).await;
        return Err(error);
    }
    let received = of_written(writer.end(Verdict::Whole).await, Kind::File)?;
    Kind::File.check_whole(&received.digests, None, None)?;
    Ok(received)
}

/// Hands all pieces to the writer, till it takes no more.
async fn pass_on(writer: &mut Writer, next: &mut impl AsyncFnMut() -> Result<Option<Bytes>>) -> Result<()> {
    let (mut size, mut pace) = (0, Pace::begin());
    while let Some(piece) = pace.next(next()).await? {
        size += piece.len() as u64;
        Kind::File.check_received(size)?;
        if !writer.push(piece).await {
            break;
        }
    }
    Ok(())
}
