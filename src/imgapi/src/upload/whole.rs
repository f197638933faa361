//! A file or an icon in one request.

use actors::image_repository::Upload;
use repository::digest::Digests;
use repository::transfer::Kind;
use repository::{ApiError, Code, Result};

use super::Received;
use super::receive::{Ended, Place, receive};
use super::writer::{Plan, Verdict, Writer, Written};
use crate::failures;
use crate::request::Asked;

/// Receives the body of a request as the whole of a file, and checks it.
///
/// # Errors
/// imgapi.md §12.1, §12.6: too long, empty, not as long as announced, another digest; the disk.
pub(crate) async fn whole(asked: &mut Asked, upload: Upload, kind: Kind) -> Result<Received> {
    let announced = asked.announced_length();
    let plan = Plan {
        is_hashed: true,
        if_cut: Verdict::Remove,
    };
    let mut writer = Writer::start(upload, plan).map_err(|error| failures::no_thread(&error))?;
    let place = Place {
        kind,
        before: 0,
        skipped: 0,
        most: None,
    };
    let refused = match receive(&mut asked.body, place, &mut writer).await {
        Ended::Complete(_) | Ended::WriterGone => {
            let received = of_written(writer.end(Verdict::Whole).await, kind)?;
            let sha1 = asked.parameters.get("sha1");
            kind.check_whole(&received.digests, announced, sha1.as_deref())?;
            return Ok(received);
        }
        Ended::Cut(received, error) => cut(kind, announced, received).unwrap_or(error),
        Ended::TooLong(error) => error,
    };
    writer.end(Verdict::Remove).await;
    Err(refused)
}

/// What is said of a body that ended before its announced length: only who sends no more, but still reads, gets to know.
fn cut(kind: Kind, announced: Option<u64>, received: u64) -> Option<ApiError> {
    let digests = Digests {
        sha1: String::new(),
        md5: String::new(),
        size: received,
    };
    announced.and_then(|announced| kind.check_whole(&digests, Some(announced), None).err())
}

/// What was written, if all of it was.
pub(super) fn of_written(written: Written, kind: Kind) -> Result<Received> {
    match written {
        Written::Whole(upload, digests) => Ok(Received { upload, digests }),
        Written::Failed(error) => Err(failures::not_received(kind, &error)),
        Written::Kept(_) | Written::Removed => Err(ApiError::new(
            Code::InternalError,
            "the upload ended early, try again",
        )),
    }
}
