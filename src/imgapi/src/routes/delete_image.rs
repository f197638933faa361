//! `DELETE /images/UUID` (imgapi.md §8, §10.5).

use actors::RepositoryError;
use actors::image_repository::MAXIMUM_ATTEMPTS;
use repository::channels::{Channels, Deletion};
use repository::{ApiError, Result};

use crate::answer::Answer;
use crate::change::Change;
use crate::failures;
use crate::request::Asked;

/// Nothing: the image is gone, or in one channel fewer.
pub(super) async fn answer(asked: &Asked) -> Result<Answer> {
    let change = Change::new(asked)?;
    let repository = asked.state.repository();
    for _ in 0..MAXIMUM_ATTEMPTS {
        let stored = change.owned(asked).await?;
        let force_all = asked.parameters.boolean("force_all_channels")?.unwrap_or(false);
        let dependents = asked
            .state
            .catalogue()
            .dependents(change.uuid, change.scope.channel());
        if !dependents.is_empty() {
            return Err(ApiError::has_dependents(change.uuid, &dependents));
        }
        let deleted = match Channels::deletion(&stored.record, &change.scope, force_all) {
            Deletion::OfOneChannel(record) => repository.replace(*record, stored.revision).await.map(|_| ()),
            Deletion::OfAll => repository.delete(change.uuid, stored.revision).await,
        };
        match deleted {
            Ok(()) => return Ok(Answer::empty(204)),
            Err(RepositoryError::Changed) => {}
            Err(error) => return Err(error.answer()),
        }
    }
    Err(failures::always_changed(change.uuid))
}
