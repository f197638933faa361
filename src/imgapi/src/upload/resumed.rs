//! A file in several requests, on several days (`docs/imgapi.md`): an addition.

use actors::image_repository::{Slot, Upload};
use actors::{ImageRepository, RepositoryError};
use repository::http::{ContentRange, UploadRange};
use repository::transfer::Kind;
use repository::{ApiError, Code, Result, Uuid};

use super::receive::{Ended, Place, receive};
use super::whole::of_written;
use super::writer::{Plan, Verdict, Writer, Written};
use super::{Received, forget};
use crate::failures;
use crate::request::Asked;

const SLOT: Slot = Slot::File(0);

/// What came of a piece.
pub(crate) enum Resumed {
    /// It was the last one: the file is all there, on stable storage. It stays there if it does not get its place.
    Whole(Received),
    /// More is to come.
    Kept {
        /// Bytes of the file that are on stable storage.
        received: u64,
        /// Bytes of the whole file, where the client says so.
        total: Option<u64>,
    },
    /// It does not follow what is there, or not all of it arrived.
    Refused {
        /// Why.
        error: ApiError,
        /// Bytes of the file that are there.
        received: u64,
    },
}

/// Receives the body of a request as a piece of an image's file, or tells how far it is.
///
/// # Errors
/// Somebody else sends it, or the disk; of the last piece those of a whole upload.
pub(crate) async fn resumed(asked: &mut Asked, uuid: Uuid, range: UploadRange) -> Result<Resumed> {
    let repository = asked.state.repository().clone();
    let piece = match range {
        UploadRange::Piece(piece) => piece,
        UploadRange::Asked(total) => {
            let received = kept(&repository, uuid).await?;
            return Ok(Resumed::Kept { received, total });
        }
    };
    let end = piece.start + piece.length;
    Kind::File.check_announced(Some(piece.total.unwrap_or(end)))?;
    check_length(asked, piece)?;
    let upload = match opened(&repository, uuid, piece).await? {
        Ok(upload) => upload,
        Err(refused) => return Ok(refused),
    };
    send(asked, upload, piece).await
}

async fn kept(repository: &ImageRepository, uuid: Uuid) -> Result<u64> {
    let kept = repository.kept_upload(uuid, SLOT).await;
    Ok(kept.map_err(|error| error.answer())?.unwrap_or(0))
}

/// A body of another length than its range says is refused before it is read.
fn check_length(asked: &Asked, piece: ContentRange) -> Result<()> {
    match asked.announced_length().filter(|length| *length != piece.length) {
        None => Ok(()),
        Some(length) => {
            let message = format!(
                "\"Content-Length\" header, {length}, does not match the {} bytes of \"Content-Range\"",
                piece.length
            );
            Err(ApiError::new(Code::Upload, message))
        }
    }
}

/// The upload that the piece goes on with.
async fn opened(
    repository: &ImageRepository,
    uuid: Uuid,
    piece: ContentRange,
) -> Result<std::result::Result<Upload, Resumed>> {
    let failed = |error: RepositoryError| error.answer();
    if piece.start == 0 {
        repository.discard_upload(uuid, SLOT).await.map_err(failed)?;
    } else {
        // Before one is begun: that would make an empty file for who is told to begin at 0.
        let received = kept(repository, uuid).await?;
        let too_long = piece.total.is_some_and(|total| received > total);
        let follows = match too_long {
            true => Err(ApiError::new(
                Code::RangeNotSatisfiable,
                format!("{received} bytes of the file are received, more than its total: begin at byte 0"),
            )),
            false => piece.check_follows(received),
        };
        if let Err(error) = follows {
            return Ok(Err(Resumed::Refused { error, received }));
        }
    }
    let upload = repository.begin_upload(uuid, SLOT, true).await;
    Ok(Ok(upload.map_err(failed)?))
}

async fn send(asked: &mut Asked, upload: Upload, piece: ContentRange) -> Result<Resumed> {
    let before = upload.received();
    // Somebody was faster between the look and the opening.
    if let Err(error) = piece.check_follows(before) {
        drop_kept(upload).await;
        return Ok(Resumed::Refused {
            error,
            received: before,
        });
    }
    let plan = Plan {
        is_hashed: piece.is_last(),
        if_cut: Verdict::Keep,
    };
    let mut writer = Writer::start(upload, plan).map_err(|error| failures::no_thread(&error))?;
    let place = Place {
        kind: Kind::File,
        before,
        skipped: before - piece.start,
        most: Some(piece.length),
    };
    let error = match receive(&mut asked.body, place, &mut writer).await {
        Ended::Complete(length) if length == piece.length && piece.is_last() => {
            let received = of_written(writer.end(Verdict::Whole).await, Kind::File)?;
            let sha1 = asked.parameters.get("sha1");
            let checked = Kind::File.check_whole(&received.digests, piece.total, sha1.as_deref());
            if let Err(error) = checked {
                // It is secured, but nobody can go on with it.
                let uuid = received.upload.uuid();
                drop(received);
                forget(asked, uuid).await;
                return Err(error);
            }
            return Ok(Resumed::Whole(received));
        }
        Ended::Complete(length) if length == piece.length => None,
        Ended::Complete(length) => {
            let message = format!(
                "request body has {length} bytes, its Content-Range {}",
                piece.length
            );
            Some(ApiError::new(Code::Upload, message))
        }
        Ended::Cut(_, error) | Ended::TooLong(error) => Some(error),
        Ended::WriterGone => None,
    };
    match (writer.end(Verdict::Keep).await, error) {
        (Written::Kept(received), None) => Ok(Resumed::Kept {
            received,
            total: piece.total,
        }),
        (Written::Kept(received), Some(error)) => Ok(Resumed::Refused { error, received }),
        (written, _) => of_written(written, Kind::File).map(Resumed::Whole),
    }
}

/// Leaves an upload as it was found.
async fn drop_kept(upload: Upload) {
    let kept = tokio::task::spawn_blocking(move || upload.keep()).await;
    if let Ok(Err(error)) = kept {
        tracing::warn!(%error, "an upload that was to go on another day");
    }
}
