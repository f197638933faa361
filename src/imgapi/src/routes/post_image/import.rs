//! `?action=import`, of a manifest in the body (imgapi.md §13.1) or at another repository (§13.2).

use actors::RepositoryError;
use actors::image_repository::{MAXIMUM_ATTEMPTS, Stored};
use repository::Result;
use repository::http::{ApiVersion, Body};
use repository::json::Value;
use repository::manifest::{Import, ImportRequest, import};

use crate::answer::Answer;
use crate::change::{Change, entry};
use crate::failures;
use crate::known::KnownHere;
use crate::remote;
use crate::request::Asked;

/// The image, not activated.
pub(super) async fn answer(asked: &Asked, change: &Change, body: &Body) -> Result<Answer> {
    let Some(source) = asked.parameters.get_nonempty("source") else {
        let (stored, was_there) = store(asked, change, body.value(), Import::Body).await?;
        let entry = entry(asked, &stored.record);
        return Ok(match was_there {
            false => Answer::image(&entry, asked.version, false),
            // As the original: behind a placeholder no entity tag.
            true => Answer::image_without_tag(&entry, asked.version, false),
        });
    };
    repository::access::check_operator(change.account)?;
    let manifest = remote::manifest(asked, &source, change.uuid).await?;
    let (stored, _) = store(asked, change, Some(&manifest), Import::Source).await?;
    Ok(Answer::image(
        &entry(asked, &stored.record),
        ApiVersion::Two,
        false,
    ))
}

/// Stores it, in place of a placeholder if there is one; whether there was.
async fn store(asked: &Asked, change: &Change, body: Option<&Value>, from: Import) -> Result<(Stored, bool)> {
    let repository = asked.state.repository();
    let rules = asked.settings.rules();
    for _ in 0..MAXIMUM_ATTEMPTS {
        let existing = repository.record(change.uuid).await;
        let existing = existing.map_err(|error| error.answer())?;
        let request = ImportRequest {
            uuid: change.uuid,
            account: change.account,
            channel: change.scope.channel(),
            skip_owner_check: asked.parameters.boolean("skip_owner_check")?.unwrap_or(false),
            admin: asked.settings.admin,
            existing_state: existing.as_ref().map(|stored| stored.record.state()),
            from,
        };
        let record = import(body, &request, &rules, &KnownHere::new(asked))?;
        let stored = match &existing {
            None => repository.create(record).await,
            Some(placeholder) => repository.replace(record, placeholder.revision).await,
        };
        match stored {
            Ok(stored) => return Ok((stored, existing.is_some())),
            // Another was faster: what is here now decides.
            Err(RepositoryError::Changed | RepositoryError::Missing(_)) => {}
            Err(error) => return Err(error.answer()),
        }
    }
    Err(failures::always_changed(change.uuid))
}
