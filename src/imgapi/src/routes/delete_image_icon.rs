//! `DELETE /images/UUID/icon` (imgapi.md §12.6).

use actors::RepositoryError;
use actors::image_repository::MAXIMUM_ATTEMPTS;
use repository::Result;

use crate::answer::Answer;
use crate::change::{Change, shown};
use crate::failures;
use crate::request::Asked;

/// The image without its icon.
pub(super) async fn answer(asked: &Asked) -> Result<Answer> {
    let change = Change::new(asked)?;
    for _ in 0..MAXIMUM_ATTEMPTS {
        let stored = change.owned(asked).await?;
        let record = stored.record.without_icon()?;
        match asked.state.repository().drop_icon(record, stored.revision).await {
            Err(RepositoryError::Changed) => {}
            Err(error) => return Err(error.answer()),
            Ok(stored) => return Ok(shown(asked, &stored.record)),
        }
    }
    Err(failures::always_changed(change.uuid))
}
