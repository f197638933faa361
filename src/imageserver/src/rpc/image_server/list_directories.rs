//! `ImageServer.ListDirectories` (`imageserver.md §3.17`).

use crate::rpc::prelude::*;
use image::{Directory, DirectoryMetadata};

/// All directories, the root included; a directory without a name ends the list.
pub(crate) struct ListDirectories(pub(crate) Shared);

impl Raw for ListDirectories {
    const NAME: &'static str = "ListDirectories";

    fn access(&self) -> Access {
        self.0.read_access()
    }

    async fn serve(&self, _call: &Call, conn: &mut Conn) -> Result<(), RawError> {
        let snapshot = self.0.images.snapshot();
        for (name, entry) in snapshot.directories.iter() {
            let metadata = DirectoryMetadata {
                owner_group: entry.owner_group.to_string(),
            };
            conn.write_value(&Directory {
                name: name.to_string(),
                metadata,
            })
            .await?;
        }
        conn.write_value(&Directory::default()).await?;
        Ok(())
    }
}
