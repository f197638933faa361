//! A file of an image of another repository becomes the file of the image here (imgapi.md §12.4).

use super::Workroom;
use super::receive::{self, Receiving};
use super::remote::{Remote, told};
use crate::image_repository::{Slot, Stored, Upload};
use repository::digest::Digests;
use repository::json::Value;
use repository::manifest::{Compression, FileEntry};
use repository::transfer::Kind;
use repository::{ApiError, Code, Uuid, dates};
use repository_client::{ClientError, FileRequest, ImageFile, Progress};

impl Workroom {
    /// Fetches one file that a manifest of the other repository names. What an earlier attempt has received is not fetched
    /// again; nothing is seen of it before all of it is here and right.
    ///
    /// # Errors
    /// The other repository does not give it, or it is not what the manifest says.
    pub(super) async fn fetch(
        &self,
        remote: &Remote,
        manifest: &Value,
        uuid: Uuid,
        index: usize,
        progress: Progress,
    ) -> Result<Stored, ApiError> {
        let file = announced(manifest, uuid, index)?;
        let compression = Compression::parse(&file.compression);
        let compression = compression.ok_or_else(|| {
            let said = format!("a file with compression {:?}", file.compression);
            ApiError::no_remote_file(uuid, &said)
        })?;
        Kind::File.check_announced(Some(file.size))?;
        let slot = Slot::File(index);
        let repository = &self.repository;
        let upload = repository.begin_upload(uuid, slot, true).await;
        let upload = upload.map_err(|error| error.answer())?;
        // Of something else, perhaps: it cannot be a part of this.
        let upload = if upload.received() > file.size {
            drop(upload);
            let upload = repository.begin_upload(uuid, slot, true).await;
            upload.map_err(|error| error.answer())?
        } else {
            upload
        };
        let was_begun = upload.received() > 0;
        match self
            .transfer(remote, uuid, index, &file, upload, progress.clone())
            .await
        {
            // What was there may be what a lost disk made of it, or another file's: once more from the beginning.
            Err(failed) if was_begun && failed.is_mismatch => {
                let upload = repository.begin_upload(uuid, slot, true).await;
                let upload = upload.map_err(|error| error.answer())?;
                self.transfer(remote, uuid, index, &file, upload, progress).await
            }
            transferred => transferred,
        }
        .map_err(|failed| failed.error)?
        .commit(self, index, &file, compression)
        .await
    }

    async fn transfer(
        &self,
        remote: &Remote,
        uuid: Uuid,
        index: usize,
        file: &ImageFile,
        upload: Upload,
        progress: Progress,
    ) -> Result<Transferred, Failed> {
        let (upload, begun) = receive::begun(upload).await?;
        let request = FileRequest {
            index,
            sha1: Some(file.sha1.clone()),
            size: Some(file.size),
            begun: Some(begun.clone()),
            progress,
        };
        let mut download = match remote.client.file(uuid, request).await {
            Ok(download) => download,
            Err(error) => return Err(keep(upload, of_download(uuid, file, &error)).await),
        };
        let receiving = Receiving::start(upload, begun);
        let ended = loop {
            match download.next().await {
                Ok(Some(piece)) => {
                    if !receiving.put(piece).await {
                        break Ok(());
                    }
                }
                Ok(None) => break Ok(()),
                Err(error) => break Err(of_download(uuid, file, &error)),
            }
        };
        let received = receiving.finish().await?;
        match (ended, received.digests) {
            (Ok(()), Ok(digests)) => Ok(Transferred {
                upload: received.upload,
                digests,
            }),
            // A full disk: what is there may go on another day.
            (Ok(()), Err(error)) => Err(keep(received.upload, error.into()).await),
            (Err(failed), _) => Err(keep(received.upload, failed).await),
        }
    }
}

/// Why a file did not come.
struct Failed {
    error: ApiError,
    /// What came is not what was announced: it is of no use.
    is_mismatch: bool,
}

impl From<ApiError> for Failed {
    fn from(error: ApiError) -> Failed {
        Failed {
            error,
            is_mismatch: false,
        }
    }
}

/// A whole file, checked.
struct Transferred {
    upload: Upload,
    digests: Digests,
}

impl Transferred {
    async fn commit(
        self,
        room: &Workroom,
        index: usize,
        file: &ImageFile,
        compression: Compression,
    ) -> Result<Stored, ApiError> {
        let entry = FileEntry {
            sha1: self.digests.sha1,
            size: self.digests.size,
            compression,
            dataset_guid: file.dataset_guid.clone(),
            stor: "local".to_owned(),
            content_md5: Some(self.digests.md5),
            mtime: Some(dates::iso(room.clock.system_time())),
        };
        room.commit(self.upload, |record| record.with_file(index, &entry))
            .await
    }
}

/// Leaves what has come for the next attempt, unless it is wrong.
async fn keep(upload: Upload, failed: Failed) -> Failed {
    if failed.is_mismatch {
        drop(upload);
        return failed;
    }
    let kept = tokio::task::spawn_blocking(move || upload.keep()).await;
    if let Ok(Err(error)) = kept {
        tracing::warn!("what was received of an image's file is lost: {error}");
    }
    failed
}

/// The file that a manifest names.
fn announced(manifest: &Value, uuid: Uuid, index: usize) -> Result<ImageFile, ApiError> {
    let file = manifest.get("files").and_then(Value::as_array);
    let file = file.and_then(|files| files.get(index)).and_then(|file| {
        let text = |key: &str| file.get(key).and_then(Value::as_str).map(str::to_owned);
        Some(ImageFile {
            sha1: text("sha1")?,
            size: file.get("size")?.as_u64()?,
            compression: text("compression")?,
            dataset_guid: text("dataset_guid"),
        })
    });
    file.ok_or_else(|| ApiError::no_remote_file(uuid, "the manifest names no such file"))
}

/// What is told of a download that failed (imgapi.md §12.4).
fn of_download(uuid: Uuid, file: &ImageFile, error: &ClientError) -> Failed {
    let download = |message: String| Failed {
        error: ApiError::new(Code::Download, message),
        is_mismatch: true,
    };
    match error {
        ClientError::Mismatch { what, found, .. } if what.contains("SHA-1") => download(format!(
            "\"sha1\" file field, {}, does not match the downloaded file sha1 hash, {found}",
            file.sha1
        )),
        ClientError::Mismatch { what, found, .. } if what.starts_with("bytes") => download(format!(
            "\"Content-Length\" header, {}, does not match downloaded size, {found}",
            file.size
        )),
        ClientError::Mismatch { .. } | ClientError::Replaced => download(error.to_string()),
        error => ApiError::no_remote_file(uuid, &told(error)).into(),
    }
}
