//! `POST /images?action=create-from-vm` (imgapi.md §14, §22.4): an image that a job has built.

use std::time::{Duration, SystemTime};

use actors::image_jobs::{build_target, check_can_build};
use repository::job::JobKind;
use repository::json::{Object, Value};
use repository::manifest::{Known as _, placeholder};
use repository::{ApiError, Result, Uuid};

use super::post_image::submitted;
use crate::answer::Answer;
use crate::known::KnownHere;
use crate::minted::new_uuid;
use crate::request::Asked;

const DAY: f64 = 24.0 * 60.0 * 60.0;

/// The names of image and job. The image's place is kept by a placeholder till the job is done.
pub(super) async fn answer(asked: &mut Asked) -> Result<Answer> {
    check_can_build(&asked.settings)?;
    let (machine, parameters) = parameters(asked)?;
    let account = asked.parameters.account()?;
    let scope = asked.scope(false)?;
    let body = asked.value().await?;
    build_target(&asked.settings, machine)?;
    let known = KnownHere::new(asked);
    let uuid = match body.value().and_then(|body| body.get("uuid")) {
        None => new_uuid()?,
        Some(given) => free(given, &known)?,
    };
    let seconds = asked.settings.placeholder_days * DAY;
    let lifetime = Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX);
    let record = placeholder(
        body.value(),
        uuid,
        account,
        scope.channel(),
        SystemTime::now(),
        lifetime,
        &asked.settings.rules(),
    )?;
    let repository = asked.state.repository();
    let created = repository.create(record).await;
    let stored = created.map_err(|error| error.answer())?;
    let submitted = submitted(asked, JobKind::CreateFromVm, uuid, parameters).await;
    if submitted.is_err()
        && let Err(error) = repository.delete(uuid, stored.revision).await
    {
        tracing::warn!(%uuid, %error, "the placeholder of a job that was not taken stays till it expires");
    }
    submitted
}

/// The machine, and the job's parameters: what the query says.
fn parameters(asked: &Asked) -> Result<(Uuid, Object)> {
    let given = asked.parameters.get_nonempty("vm_uuid");
    let Some(given) = given else {
        let message = "missing 'vm_uuid' parameter";
        return Err(ApiError::validation_failed(
            "vm_uuid",
            "MissingParameter",
            message,
        ));
    };
    let Some(machine) = Uuid::parse(&given) else {
        let message = format!("invalid 'vm_uuid': not a UUID: '{given}'");
        return Err(ApiError::invalid_parameter("vm_uuid", "Invalid", message));
    };
    let is_incremental = asked.parameters.boolean("incremental")?.unwrap_or(false);
    let mut parameters = Object::new();
    parameters.insert("vm_uuid".to_owned(), machine.to_string().into());
    parameters.insert("incremental".to_owned(), is_incremental.into());
    if let Some(text) = asked.parameters.get_nonempty("max_origin_depth") {
        let depth = text
            .parse::<u64>()
            .ok()
            .filter(|depth| *depth > 1)
            .ok_or_else(|| {
                let message = format!("invalid 'max_origin_depth': not a number greater than 1: '{text}'");
                ApiError::invalid_parameter("max_origin_depth", "Invalid", message)
            })?;
        parameters.insert("max_origin_depth".to_owned(), depth.into());
    }
    let id = asked.id.to_str().unwrap_or_default();
    parameters.insert("req_id".to_owned(), id.into());
    Ok((machine, parameters))
}

/// The name a client wants for the image, if it is one and free.
fn free(given: &Value, known: &KnownHere) -> Result<Uuid> {
    let Some(uuid) = given.as_str().and_then(Uuid::parse) else {
        return Err(ApiError::invalid_parameter(
            "uuid",
            "Invalid",
            "invalid image data: uuid",
        ));
    };
    if known.has_image(uuid) {
        return Err(ApiError::already_exists(uuid));
    }
    Ok(uuid)
}
