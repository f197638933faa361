//! `PUT /images/UUID/file?source=URL` (imgapi.md §12.4): the file comes from another repository.

use actors::image_repository::Slot;
use repository::manifest::Compression;
use repository::transfer::storage;
use repository::{ApiError, Code, Result};
use repository_client::{Client, ClientError, Download, FileRequest, Image};

use super::add_image_file::commit;
use crate::answer::Answer;
use crate::change::Change;
use crate::remote;
use crate::request::Asked;
use crate::upload::{fetched, place};

/// The image with the file that its namesake at the source has.
pub(super) async fn answer(asked: &Asked, change: &Change, source: &str) -> Result<Answer> {
    storage(&asked.parameters, change.account)?;
    let uuid = change.uuid;
    let no_manifest = |error: ClientError| ApiError::no_remote_manifest(uuid, &remote::said(&error));
    let client = remote::client(asked, source, None).map_err(no_manifest)?;
    let image = client.get(uuid).await.map_err(no_manifest)?;
    let file = image.files().into_iter().next();
    let file = file.ok_or_else(|| ApiError::no_remote_file(uuid, "the image has no file"))?;
    let compression = Compression::parse(&file.compression).ok_or_else(|| {
        let said = format!("unknown compression {:?}", file.compression);
        ApiError::no_remote_file(uuid, &said)
    })?;
    let _place = place()?;
    let mut download = begin(&client, &image).await?;
    let upload = change.begin(asked, Slot::File(0)).await?;
    let received = fetched(upload, async || {
        download.next().await.map_err(|error| refused(&error))
    })
    .await?;
    commit(asked, change, received, compression, file.dataset_guid).await
}

async fn begin(client: &Client, image: &Image) -> Result<Download> {
    let download = client.file(image.uuid(), FileRequest::of(image, 0)).await;
    download.map_err(|error| match error {
        ClientError::Mismatch { .. } => refused(&error),
        error => ApiError::no_remote_file(image.uuid(), &remote::said(&error)),
    })
}

/// Why what came is not taken.
fn refused(error: &ClientError) -> ApiError {
    let message = match error {
        ClientError::Mismatch {
            what: "bytes",
            found,
            expected,
        } => {
            format!("\"Content-Length\" header, {found}, does not match downloaded size, {expected}")
        }
        ClientError::Mismatch {
            what: "the SHA-1",
            found,
            expected,
        } => {
            format!("\"sha1\" file field, {expected}, does not match the downloaded file sha1 hash, {found}")
        }
        error => remote::said(error),
    };
    ApiError::new(Code::Download, message)
}
