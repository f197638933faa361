//! `?action=update` (imgapi.md §10.3).

use actors::RepositoryError;
use actors::image_repository::MAXIMUM_ATTEMPTS;
use repository::Result;
use repository::http::Body;
use repository::manifest::update;

use super::check_conditions;
use crate::answer::Answer;
use crate::change::{Change, shown};
use crate::failures;
use crate::known::KnownHere;
use crate::request::Asked;

/// The image with the fields of the body; with a new name, if that is one of them.
pub(super) async fn answer(asked: &Asked, change: &Change, body: &Body) -> Result<Answer> {
    let (rules, repository) = (asked.settings.rules(), asked.state.repository());
    for _ in 0..MAXIMUM_ATTEMPTS {
        let stored = change.owned(asked).await?;
        check_conditions(asked, &stored.record)?;
        let known = KnownHere::new(asked);
        let updated = update(&stored.record, body.value(), change.account, &rules, &known)?;
        let changed = match updated.renamed_from {
            None => repository.replace(updated.record, stored.revision).await,
            Some(old) => repository.rename(old, updated.record, stored.revision).await,
        };
        match changed {
            Ok(stored) => return Ok(shown(asked, &stored.record)),
            Err(RepositoryError::Changed) => {}
            Err(error) => return Err(error.answer()),
        }
    }
    Err(failures::always_changed(change.uuid))
}
