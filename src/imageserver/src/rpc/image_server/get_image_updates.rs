//! `ImageServer.GetImageUpdates` (`imageserver.md §7.1`).

use crate::rpc::image_server::updates::{self, Wanted};
use crate::rpc::prelude::*;

/// Everything there is, then every change as it happens, until the caller goes away.
pub(crate) struct GetImageUpdates(pub(crate) Shared);

impl Raw for GetImageUpdates {
    const NAME: &'static str = "GetImageUpdates";

    fn access(&self) -> Access {
        self.0.read_access()
    }

    fn limits(&self) -> gob::Limits {
        limits::small()
    }

    async fn serve(&self, call: &Call, conn: &mut Conn) -> Result<(), RawError> {
        updates::stream(&self.0, call, conn, Wanted::All).await
    }
}
