//! `ImageServer.GetFilteredImageUpdates` (`imageserver.md §7.1`).

use crate::rpc::image_server::updates::{self, Wanted};
use crate::rpc::prelude::*;
use protocol::image_server::GetFilteredImageUpdatesRequest;

/// As `GetImageUpdates`, without expiring images if the caller wants it so.
pub(crate) struct GetFilteredImageUpdates(pub(crate) Shared);

impl Raw for GetFilteredImageUpdates {
    const NAME: &'static str = "GetFilteredImageUpdates";

    fn access(&self) -> Access {
        self.0.read_access()
    }

    fn limits(&self) -> gob::Limits {
        limits::small()
    }

    async fn serve(&self, call: &Call, conn: &mut Conn) -> Result<(), RawError> {
        let request: GetFilteredImageUpdatesRequest = conn.read_value().await?;
        let wanted = if request.ignore_expiring {
            Wanted::NotExpiring
        } else {
            Wanted::All
        };
        updates::stream(&self.0, call, conn, wanted).await
    }
}
