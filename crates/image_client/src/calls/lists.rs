//! Lists, which arrive as streams (`imageserver.md §3.17` to `§3.19`).

use image::Directory;
use protocol::image_server::{ListSelectedImagesRequest, Object};
use srpc::ConnError;

use super::Selection;
use crate::error::Error;
use crate::server::ImageServer;

/// Bytes of one name in a list; the file system allows 4096.
const NAME_MAX_BYTES: usize = 64 << 10;

/// Entries of one list; beyond that the peer is not to be believed.
const LIST_MAX_ENTRIES: usize = 100_000_000;

impl ImageServer {
    /// All images, in no order.
    ///
    /// # Errors
    /// The call failed.
    pub async fn list_images(&mut self) -> Result<Vec<String>, Error> {
        self.names("ImageServer.ListImages", None).await
    }

    /// Those of a selection, in no order.
    ///
    /// # Errors
    /// The call failed.
    pub async fn list_selected_images(&mut self, selection: &Selection) -> Result<Vec<String>, Error> {
        let request = ListSelectedImagesRequest {
            directory_name: selection.directory.clone(),
            ignore_expiring_images: selection.ignore_expiring,
            tags_to_match: selection.tags.clone(),
        };
        self.names("ImageServer.ListSelectedImages", Some(request)).await
    }

    async fn names(
        &mut self,
        method: &str,
        request: Option<ListSelectedImagesRequest>,
    ) -> Result<Vec<String>, Error> {
        let mut stream = self.open(method).await?;
        if let Some(request) = request {
            stream.write_value(&request).await?;
            stream.flush().await?;
        }
        let mut names = Vec::new();
        loop {
            // Only an empty line ends the list: after an end of file it would pass for complete when it is not.
            let line = stream
                .read_line(NAME_MAX_BYTES)
                .await?
                .ok_or(ConnError::Truncated)?;
            if line.is_empty() {
                break;
            }
            names.push(line);
            check_count(names.len())?;
        }
        stream.finish().await?;
        Ok(names)
    }

    /// All directories, in no order.
    ///
    /// # Errors
    /// The call failed.
    pub async fn list_directories(&mut self) -> Result<Vec<Directory>, Error> {
        let mut stream = self.open("ImageServer.ListDirectories").await?;
        let mut directories = Vec::new();
        loop {
            let directory: Directory = stream.read_prompt_value().await?;
            if directory.name.is_empty() {
                break;
            }
            directories.push(directory);
            check_count(directories.len())?;
        }
        stream.finish().await?;
        Ok(directories)
    }

    /// Objects that no image refers to, with their sizes in bytes, in no order.
    ///
    /// # Errors
    /// The call failed.
    pub async fn list_unreferenced_objects(&mut self) -> Result<Vec<Object>, Error> {
        let mut stream = self.open("ImageServer.ListUnreferencedObjects").await?;
        let mut objects = Vec::new();
        loop {
            let object: Object = stream.read_prompt_value().await?;
            if object.size == 0 {
                break;
            }
            objects.push(object);
            check_count(objects.len())?;
        }
        stream.finish().await?;
        Ok(objects)
    }
}

fn check_count(count: usize) -> Result<(), Error> {
    if count > LIST_MAX_ENTRIES {
        Err(Error::Protocol("a list without end"))
    } else {
        Ok(())
    }
}
