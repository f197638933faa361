//! `PUT /images/UUID/icon` (imgapi.md §12.6).

use std::time::SystemTime;

use actors::image_repository::Slot;
use repository::manifest::IconEntry;
use repository::transfer::{Kind, icon_type, storage};
use repository::{Result, dates};

use crate::answer::Answer;
use crate::change::{Change, shown};
use crate::request::Asked;
use crate::upload::{Received, place, whole};

/// The image with the icon of the body. Its content type says whether it is a picture; the bytes are not looked at.
pub(super) async fn answer(asked: &mut Asked) -> Result<Answer> {
    let change = Change::new(asked)?;
    change.owned(asked).await?;
    let content_type = icon_type(asked.header("content-type").as_deref())?;
    storage(&asked.parameters, change.account)?;
    Kind::Icon.check_announced(asked.announced_length())?;
    let _place = place()?;
    let upload = change.begin(asked, Slot::Icon).await?;
    let Received { upload, digests } = whole(asked, upload, Kind::Icon).await?;
    let icon = IconEntry {
        sha1: digests.sha1,
        size: digests.size,
        content_type: content_type.to_owned(),
        content_md5: digests.md5,
        mtime: dates::iso(SystemTime::now()),
        stor: "local".to_owned(),
    };
    let stored = change
        .commit(asked, upload, |record| Ok(record.with_icon(&icon)))
        .await?;
    Ok(shown(asked, &stored.record))
}
