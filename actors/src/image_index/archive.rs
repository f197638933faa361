//! Image archives (`imageserver.md §3.11, §3.12`).

use super::{IndexError, Shared, trees};
use image::Image;
use protocol::archive::{self, ArchiveError, ImageArchive};
use std::sync::Arc;

/// An archive that was opened.
pub(super) struct OpenArchive {
    pub(super) name: String,
    pub(super) image: Image,
    /// Whether this server's secret sealed it, and if not, in which words to say so.
    pub(super) seal: Result<(), IndexError>,
}

pub(super) async fn archive(shared: &Arc<Shared>, name: &str) -> Result<Option<Vec<u8>>, IndexError> {
    let Some(image) = trees::image(shared, name).await? else {
        return Ok(None);
    };
    let (pool_shared, image_name) = (shared.clone(), name.to_owned());
    let sealed = shared.pool.run(move || {
        let content = ImageArchive {
            image_name,
            image: Image::clone(&image),
        };
        let secret = pool_shared.directory.secret()?;
        archive::encode(&content, &secret).map_err(bad_archive)
    });
    sealed.await?.map(Some)
}

pub(super) async fn open(shared: &Arc<Shared>, data: Vec<u8>) -> Result<OpenArchive, IndexError> {
    let pool_shared = shared.clone();
    let opened = shared.pool.run(move || {
        let archive = archive::decode(&data).map_err(bad_archive)?;
        let seal = match archive.verify(&pool_shared.directory.secret()?) {
            Ok(()) => Ok(()),
            Err(ArchiveError::Mismatch { provided, .. }) => Err(IndexError::HmacMismatch { provided }),
            Err(error) => return Err(bad_archive(error)),
        };
        Ok(OpenArchive {
            name: archive.content.image_name,
            image: archive.content.image,
            seal,
        })
    });
    opened.await?
}

fn bad_archive(error: ArchiveError) -> IndexError {
    IndexError::BadArchive(error.to_string())
}
