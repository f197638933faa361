//! `ImageServer.ListSelectedImages` (`imageserver.md §3.18`).

use crate::rpc::prelude::*;
use crate::selection;
use protocol::image_server::ListSelectedImagesRequest;

/// The names of some images, one a line; an empty line ends the list.
pub(crate) struct ListSelectedImages(pub(crate) Shared);

impl Raw for ListSelectedImages {
    const NAME: &'static str = "ListSelectedImages";

    fn access(&self) -> Access {
        self.0.read_access()
    }

    fn limits(&self) -> gob::Limits {
        limits::small()
    }

    async fn serve(&self, _call: &Call, conn: &mut Conn) -> Result<(), RawError> {
        let request: ListSelectedImagesRequest = conn.read_value().await?;
        let snapshot = self.0.images.snapshot();
        for (name, _) in selection::selected(&snapshot, &request) {
            conn.write_line(name).await?;
        }
        conn.write_line("").await?;
        Ok(())
    }
}
