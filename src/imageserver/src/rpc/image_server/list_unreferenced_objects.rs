//! `ImageServer.ListUnreferencedObjects` (`imageserver.md §3.19`).

use crate::rpc::prelude::*;
use protocol::image_server::Object;

/// Objects that no image needs, those unreferenced longest first; an object of size 0 ends the list.
pub(crate) struct ListUnreferencedObjects(pub(crate) Shared);

impl Raw for ListUnreferencedObjects {
    const NAME: &'static str = "ListUnreferencedObjects";

    fn access(&self) -> Access {
        self.0.read_access()
    }

    async fn serve(&self, _call: &Call, conn: &mut Conn) -> Result<(), RawError> {
        for (hash, size) in self.0.objects.unreferenced().await? {
            conn.write_value(&Object { hash, size }).await?;
        }
        conn.write_value(&Object::default()).await?;
        Ok(())
    }
}
