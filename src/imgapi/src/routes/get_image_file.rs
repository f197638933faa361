//! `GET /images/UUID/file` (imgapi.md §12.3); ranges are an addition (docs/imgapi.md).

use repository::transfer::file_index;
use repository::{Result, dates};

use crate::answer::Answer;
use crate::request::Asked;
use crate::routes::content::{Stored, send, settled};

/// The file, or the part of it that is asked for.
pub(super) async fn answer(asked: &Asked) -> Result<Answer> {
    settled(asked, async || attempt(asked).await).await
}

async fn attempt(asked: &Asked) -> Result<Option<Answer>> {
    let catalogue = asked.state.catalogue();
    let entry = asked.visible(&catalogue)?;
    let index = file_index(&asked.parameters, entry.uuid(), entry.files().len())?;
    let file = &entry.files()[index];
    let stored = Stored {
        sha1: &file.sha1,
        md5: file.content_md5.as_deref(),
        size: file.size,
        modified: file.mtime.as_deref().and_then(dates::parse),
        content_type: "application/octet-stream",
    };
    let open = async {
        let (file, entry) = asked.state.repository().open_file(entry.uuid(), index).await?;
        Ok((file, entry.sha1))
    };
    send(asked, &entry, &stored, open).await
}
