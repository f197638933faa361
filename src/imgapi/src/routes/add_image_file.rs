//! `PUT /images/UUID/file` (imgapi.md §12.1), whole or in pieces (`docs/imgapi.md`).

use std::time::SystemTime;

use actors::image_repository::Slot;
use repository::http::UploadRange;
use repository::json::{Object, pretty};
use repository::manifest::{Compression, FileEntry};
use repository::transfer::{Kind, compression, storage};
use repository::{Result, dates};

use super::add_image_file_from_source;
use crate::answer::Answer;
use crate::change::{Change, shown};
use crate::request::Asked;
use crate::upload::{Received, Resumed, place, resumed, whole};

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
    let received = match range {
        None => {
            Kind::File.check_announced(asked.announced_length())?;
            let upload = change.begin(asked, Slot::File(0)).await?;
            whole(asked, upload, Kind::File).await?
        }
        Some(range) => match resumed(asked, change.uuid, range).await? {
            Resumed::Whole(received) => received,
            Resumed::Kept { received, total } => return Ok(kept(received, total)),
            Resumed::Refused { error, received } => {
                return Ok(Answer::from(error).with(RECEIVED, &received.to_string()));
            }
        },
    };
    let guid = asked.parameters.get_nonempty("dataset_guid");
    commit(asked, &change, received, compression, guid).await
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
