//! `PUT /images/UUID/file` (imgapi.md §12.1), whole or in pieces (`docs/imgapi.md`).

use std::time::SystemTime;

use actors::image_repository::Slot;
use repository::http::UploadRange;
use repository::json::{Object, pretty};
use repository::manifest::{Compression, FileEntry};
use repository::transfer::{Kind, compression, storage};
use repository::{ApiError, Result, dates};

use super::add_image_file_from_source;
use crate::answer::Answer;
use crate::change::{Change, shown};
use crate::request::Asked;
use crate::upload::{Received, Resumed, forget, place, resumed, whole};

/// Bytes of the file that are there, on answers to pieces.
const RECEIVED: &str = "x-received-bytes";

/// The image with the file of the body.
pub(super) async fn answer(asked: &mut Asked) -> Result<Answer> {
    let change = Change::new(asked)?;
    change.owned(asked).await?.record.check_files_mutable()?;
    if let Some(source) = asked.parameters.get_nonempty("source") {
        return add_image_file_from_source::answer(asked, &change, &source).await;
    }
    let compression = compression(&asked.parameters)?;
    storage(&asked.parameters, change.account)?;
    let range = asked
        .header("content-range")
        .map(|range| UploadRange::parse(&range));
    let range = range.transpose()?;
    let _place = place()?;
    let guid = asked.parameters.get_nonempty("dataset_guid");
    let Some(range) = range else {
        Kind::File.check_announced(asked.announced_length())?;
        let upload = change.begin(asked, Slot::File(0)).await?;
        let received = whole(asked, upload, Kind::File).await?;
        return commit(asked, &change, received, compression, guid).await;
    };
    match resumed(asked, change.uuid, range).await? {
        Resumed::Whole(received) => {
            let committed = commit(asked, &change, received, compression, guid).await;
            match committed {
                Err(error) => Ok(not_committed(asked, &change, error).await),
                answer => answer,
            }
        }
        Resumed::Kept { received, total } => Ok(kept(received, total)),
        Resumed::Refused { error, received } => Ok(refused(error, received)),
    }
}

/// What arrived in pieces is there for who tries again, unless the disk lost it; not where the image takes no file any more, whoever
/// tries.
async fn not_committed(asked: &Asked, change: &Change, error: ApiError) -> Answer {
    if error.status() < 500 {
        forget(asked, change.uuid).await;
        return error.into();
    }
    let kept = asked.state.repository().kept_upload(change.uuid, Slot::File(0));
    match kept.await {
        Ok(bytes) => refused(error, bytes.unwrap_or(0)),
        // Nobody knows it just now: who goes on asks.
        Err(_) => error.into(),
    }
}

fn refused(error: ApiError, received: u64) -> Answer {
    Answer::from(error).with(RECEIVED, &received.to_string())
}

/// Puts a file in its place and answers with the image.
///
/// # Errors
/// The image was activated, changed hands or went while the file arrived; the disk.
pub(super) async fn commit(
    asked: &Asked,
    change: &Change,
    received: Received,
    compression: Compression,
    dataset_guid: Option<String>,
) -> Result<Answer> {
    let Received { upload, digests } = received;
    let file = FileEntry {
        sha1: digests.sha1,
        size: digests.size,
        compression,
        dataset_guid,
        // The object store is another matter; asked for where there is none it is this one, as in the original.
        stor: "local".to_owned(),
        content_md5: Some(digests.md5),
        mtime: Some(dates::iso(SystemTime::now())),
    };
    let stored = change
        .commit(asked, upload, |record| record.with_file(0, &file))
        .await?;
    Ok(shown(asked, &stored.record))
}

fn kept(received: u64, total: Option<u64>) -> Answer {
    let mut body = Object::new();
    body.insert("received".to_owned(), received.into());
    if let Some(total) = total {
        body.insert("total".to_owned(), total.into());
    }
    Answer::json_with(202, pretty(&body.into(), 2)).with(RECEIVED, &received.to_string())
}
