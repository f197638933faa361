//! `GET /images/UUID/icon` (imgapi.md §12.6).

use repository::{ApiError, Result, dates};

use crate::answer::Answer;
use crate::request::Asked;
use crate::routes::content::{Stored, send, settled};

/// The icon.
pub(super) async fn answer(asked: &Asked) -> Result<Answer> {
    settled(asked, async || attempt(asked).await).await
}

async fn attempt(asked: &Asked) -> Result<Option<Answer>> {
    let catalogue = asked.state.catalogue();
    let entry = asked.visible(&catalogue)?;
    let icon = entry.icon().ok_or_else(|| ApiError::no_icon(entry.uuid()))?;
    let stored = Stored {
        sha1: &icon.sha1,
        md5: Some(&icon.content_md5),
        size: icon.size,
        modified: dates::parse(&icon.mtime),
        content_type: &icon.content_type,
    };
    let open = async {
        let (file, entry) = asked.state.repository().open_icon(entry.uuid()).await?;
        Ok((file, entry.sha1))
    };
    send(asked, &entry, &stored, open).await
}
