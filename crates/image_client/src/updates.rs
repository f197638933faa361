//! The stream of changes (`imageserver.md §7.1`).

use image::Directory;
use protocol::image_server::{GetFilteredImageUpdatesRequest, ImageUpdate, operation};
use srpc::Stream;

use crate::error::Error;
use crate::server::ImageServer;

/// One element of the stream.
#[derive(Clone, Debug, PartialEq)]
pub enum Update {
    /// A directory exists, was made, or has new metadata.
    Directory(Directory),
    /// An image exists (in the initial list), was added, or its expiration changed.
    Image(String),
    /// The initial list is complete; what follows are changes.
    InitialListEnds,
    /// An image was deleted.
    ImageDeleted(String),
    /// A directory was deleted.
    DirectoryDeleted(String),
    /// Something newer than this program.
    Unknown(u64),
}

/// A subscription, until it is dropped or the server ends it.
pub struct Updates<'a> {
    stream: Stream<'a>,
    initial: bool,
}

impl ImageServer {
    /// Subscribes to all changes, beginning with a list of what there is.
    ///
    /// # Errors
    /// The call failed.
    pub async fn updates(&mut self) -> Result<Updates<'_>, Error> {
        Ok(Updates {
            stream: self.open("ImageServer.GetImageUpdates").await?,
            initial: true,
        })
    }

    /// As [`updates`](Self::updates), without expiring images.
    ///
    /// # Errors
    /// The call failed.
    pub async fn lasting_updates(&mut self) -> Result<Updates<'_>, Error> {
        let mut stream = self.open("ImageServer.GetFilteredImageUpdates").await?;
        stream
            .write_value(&GetFilteredImageUpdatesRequest {
                ignore_expiring: true,
            })
            .await?;
        stream.flush().await?;
        Ok(Updates {
            stream,
            initial: true,
        })
    }
}

impl Updates<'_> {
    /// Waits for the next one, however long it takes.
    ///
    /// # Errors
    /// The connection ended; that is the only way a subscription ends.
    pub async fn next(&mut self) -> Result<Update, Error> {
        let update: ImageUpdate = self.stream.read_value().await?;
        if self.initial && update == ImageUpdate::default() {
            self.initial = false;
            return Ok(Update::InitialListEnds);
        }
        Ok(match (update.operation, update.directory) {
            (operation::ADD_IMAGE, _) => Update::Image(update.name),
            (operation::DELETE_IMAGE, _) => Update::ImageDeleted(update.name),
            (operation::MAKE_DIRECTORY, Some(directory)) => Update::Directory(directory),
            (operation::MAKE_DIRECTORY, None) => {
                return Err(Error::Protocol("a new directory that is not described"));
            }
            (operation::DELETE_DIRECTORY, _) => Update::DirectoryDeleted(update.name),
            (other, _) => Update::Unknown(other),
        })
    }
}
