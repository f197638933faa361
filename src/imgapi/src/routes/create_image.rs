//! `POST /images` (imgapi.md §10.2), and what its `action` makes of it (§14, §16).

use repository::manifest::create;
use repository::{ApiError, Result};

use super::{create_from_vm, docker, publish};
use crate::answer::Answer;
use crate::change::shown;
use crate::known::KnownHere;
use crate::minted::new_uuid;
use crate::request::Asked;

/// A new image of the manifest in the body: not activated, without a file.
pub(super) async fn answer(asked: &mut Asked) -> Result<Answer> {
    match asked.parameters.get_nonempty("action").as_deref() {
        None => {}
        Some("create-from-vm") => return create_from_vm::answer(asked).await,
        Some("publish") => return publish::answer(asked).await,
        Some("import-docker-image") => return docker::import_docker(asked),
        Some("import-lxd-image") => return docker::import_lxd(asked),
        Some(other) => return Err(ApiError::invalid_action(other)),
    }
    let body = asked.value().await?;
    let account = asked.parameters.account()?;
    let scope = asked.scope(false)?;
    let (rules, known) = (asked.settings.rules(), KnownHere::new(asked));
    let record = create(
        body.value(),
        account,
        scope.channel(),
        new_uuid()?,
        &rules,
        &known,
    )?;
    let created = asked.state.repository().create(record).await;
    let stored = created.map_err(|error| error.answer())?;
    Ok(shown(asked, &stored.record))
}
