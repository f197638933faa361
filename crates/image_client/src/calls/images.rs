//! Single images (`imageserver.md §3.1` to `§3.15`).

use std::sync::Arc;
use std::time::Duration;

use bstr::BString;
use image::{ComputedFile, Image};
use protocol::image_server::*;

use crate::error::Error;
use crate::server::{ImageServer, refusal};

/// Which images of a directory count.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// See [`image::select`].
    pub directory: String,
    /// A commit or a branch; empty for any. Only for the latest image.
    pub build_commit_id: String,
    /// Leave expiring images out.
    pub ignore_expiring: bool,
    /// Only images with these tags.
    pub tags: TagsToMatch,
}

impl ImageServer {
    /// Adds an image whose objects are there; returns the image, since it may be wanted again after a failure.
    ///
    /// # Errors
    /// [`Error::AddImage`] with the server's text.
    pub async fn add_image(&mut self, name: &str, image: Image) -> Result<(), Error> {
        let request = AddImageRequest {
            image_name: name.to_owned(),
            image: Some(image),
        };
        let result: Result<AddImageResponse, _> = self.client().call("ImageServer.AddImage", &request).await;
        result.map(|_| ()).map_err(Error::AddImage)
    }

    /// As [`add_image`](Self::add_image), keeping creator and time of creation; for replication.
    ///
    /// # Errors
    /// [`Error::AddImage`].
    pub async fn add_image_trusted(&mut self, name: &str, image: Image) -> Result<(), Error> {
        let request = AddImageRequest {
            image_name: name.to_owned(),
            image: Some(image),
        };
        let result: Result<AddImageResponse, _> =
            self.client().call("ImageServer.AddImageTrusted", &request).await;
        result.map(|_| ()).map_err(Error::AddImage)
    }

    /// Whether an image exists.
    ///
    /// # Errors
    /// The call failed.
    pub async fn check_image(&mut self, name: &str) -> Result<bool, Error> {
        let request = CheckImageRequest {
            image_name: name.to_owned(),
        };
        let reply: CheckImageResponse = self.call("ImageServer.CheckImage", &request).await?;
        Ok(reply.image_exists)
    }

    /// Deletes an image.
    ///
    /// # Errors
    /// The call failed, or the server's refusal.
    pub async fn delete_image(&mut self, name: &str) -> Result<(), Error> {
        let request = DeleteImageRequest {
            image_name: name.to_owned(),
        };
        let _: DeleteImageResponse = self.call("ImageServer.DeleteImage", &request).await?;
        Ok(())
    }

    /// The latest image of a directory; nothing if there is none.
    ///
    /// # Errors
    /// The call failed, or the directory is unknown.
    pub async fn find_latest_image(&mut self, selection: &Selection) -> Result<Option<String>, Error> {
        let request = FindLatestImageRequest {
            build_commit_id: selection.build_commit_id.clone(),
            directory_name: selection.directory.clone(),
            ignore_expiring_images: selection.ignore_expiring,
            tags_to_match: selection.tags.clone(),
        };
        let reply: FindLatestImageResponse = self.call("ImageServer.FindLatestImage", &request).await?;
        refusal(reply.error)?;
        Ok(Some(reply.image_name).filter(|name| !name.is_empty()))
    }

    /// An image with its tree; nothing if it does not exist within `timeout`.
    ///
    /// # Errors
    /// The call failed.
    pub async fn get_image(&mut self, name: &str, timeout: Duration) -> Result<Option<Arc<Image>>, Error> {
        let request = GetImageRequest {
            timeout: nanoseconds(timeout),
            ..GetImageRequest::default()
        };
        Ok(self.get(name, request).await?.image)
    }

    /// As [`get_image`](Self::get_image), without the tree if the image expires.
    ///
    /// # Errors
    /// The call failed.
    pub async fn get_lasting_image(
        &mut self,
        name: &str,
        timeout: Duration,
    ) -> Result<Option<Arc<Image>>, Error> {
        let request = GetImageRequest {
            ignore_filesystem_if_expiring: true,
            timeout: nanoseconds(timeout),
            ..GetImageRequest::default()
        };
        Ok(self.get(name, request).await?.image)
    }

    /// An image without its tree, with the address where people find more about it.
    ///
    /// # Errors
    /// The call failed.
    pub async fn get_image_metadata(
        &mut self,
        name: &str,
        timeout: Duration,
    ) -> Result<(Option<Arc<Image>>, String), Error> {
        let request = GetImageRequest {
            ignore_filesystem: true,
            timeout: nanoseconds(timeout),
            ..GetImageRequest::default()
        };
        let reply = self.get(name, request).await?;
        Ok((reply.image, reply.information_database_url))
    }

    async fn get(&mut self, name: &str, request: GetImageRequest) -> Result<GetImageResponse, Error> {
        let request = GetImageRequest {
            image_name: name.to_owned(),
            ..request
        };
        self.call("ImageServer.GetImage", &request).await
    }

    /// The computed files of an image; nothing if it does not exist.
    ///
    /// # Errors
    /// The call failed.
    pub async fn get_image_computed_files(&mut self, name: &str) -> Result<Option<Vec<ComputedFile>>, Error> {
        let request = GetImageComputedFilesRequest {
            image_name: name.to_owned(),
        };
        let reply: GetImageComputedFilesResponse =
            self.call("ImageServer.GetImageComputedFiles", &request).await?;
        Ok(reply.image_exists.then_some(reply.computed_files))
    }

    /// Single inodes by path, whatever of them exists.
    ///
    /// # Errors
    /// The call failed.
    pub async fn get_image_inodes(
        &mut self,
        name: &str,
        filenames: Vec<BString>,
    ) -> Result<GetImageInodesResponse, Error> {
        let request = GetImageInodesRequest {
            filenames,
            image_name: name.to_owned(),
        };
        let reply: GetImageInodesResponse = self.call("ImageServer.GetImageInodes", &request).await?;
        refusal(reply.error.clone())?;
        Ok(reply)
    }

    /// Bytes the image takes on a file system, estimated; nothing if it does not exist.
    ///
    /// # Errors
    /// The call failed.
    pub async fn get_image_usage_estimate(&mut self, name: &str) -> Result<Option<u64>, Error> {
        let request = GetImageUsageEstimateRequest {
            image_name: name.to_owned(),
        };
        let reply: GetImageUsageEstimateResponse =
            self.call("ImageServer.GetImageUsageEstimate", &request).await?;
        Ok(reply.image_exists.then_some(reply.usage_estimate))
    }

    /// Counts files and objects of images.
    ///
    /// # Errors
    /// The call failed, or an image is unknown and may not be skipped.
    pub async fn get_object_statistics_for_images(
        &mut self,
        image_names: Vec<String>,
        ignore_missing: bool,
    ) -> Result<GetObjectStatisticsForImagesResponse, Error> {
        let request = GetObjectStatisticsForImagesRequest {
            ignore_missing,
            image_names,
        };
        let reply: GetObjectStatisticsForImagesResponse = self
            .call("ImageServer.GetObjectStatisticsForImages", &request)
            .await?;
        refusal(reply.error.clone())?;
        Ok(reply)
    }
}

fn nanoseconds(timeout: Duration) -> gob::Duration {
    gob::Duration(i64::try_from(timeout.as_nanos()).unwrap_or(i64::MAX))
}
