//! `ImageServer.ListImages` (`imageserver.md §3.18`).

use crate::rpc::prelude::*;

/// All names, one a line; an empty line ends the list.
pub(crate) struct ListImages(pub(crate) Shared);

impl Raw for ListImages {
    const NAME: &'static str = "ListImages";

    fn access(&self) -> Access {
        self.0.read_access()
    }

    async fn serve(&self, _call: &Call, conn: &mut Conn) -> Result<(), RawError> {
        let snapshot = self.0.images.snapshot();
        for name in snapshot.images.keys() {
            conn.write_line(name).await?;
        }
        conn.write_line("").await?;
        Ok(())
    }
}
