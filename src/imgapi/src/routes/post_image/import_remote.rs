//! `?action=import-remote` (imgapi.md §13.3): checked here, done by a job.

use repository::access::check_operator;
use repository::job::JobKind;
use repository::json::{Object, Value, pretty};
use repository::{ApiError, Result, Uuid};

use crate::answer::Answer;
use crate::change::Change;
use crate::failures;
use crate::remote;
use crate::request::Asked;

/// The names of image and job.
pub(super) async fn answer(asked: &Asked, change: &Change) -> Result<Answer> {
    let Some(source) = asked.parameters.get_nonempty("source") else {
        let message = "missing source parameter";
        return Err(ApiError::validation_failed("source", "MissingParameter", message));
    };
    check_operator(change.account)?;
    let skip_owner_check = asked.parameters.boolean("skip_owner_check")?.unwrap_or(false);
    let uuid = change.uuid;
    if asked.state.catalogue().get(uuid).is_some() {
        return Err(ApiError::already_exists(uuid));
    }
    let no_manifest = |error| ApiError::no_remote_manifest(uuid, &remote::said(&error));
    let client = remote::client(asked, &source, None).map_err(no_manifest)?;
    let image = client.get(uuid).await.map_err(no_manifest)?;
    let origins = remote::missing_origins(asked, &client, &image, None).await?;
    let parameters = parameters(asked, &source, &origins, skip_owner_check, change.scope.channel());
    submitted(asked, JobKind::ImportRemote, uuid, parameters).await
}

/// What the job is told (imgapi.md §15); the channel is an addition.
pub(super) fn parameters(
    asked: &Asked,
    source: &str,
    origins: &[Uuid],
    skip_owner_check: bool,
    channel: Option<&str>,
) -> Object {
    let mut parameters = Object::new();
    let mut set = |key: &str, value: Value| parameters.insert(key.to_owned(), value);
    set("source", source.into());
    set(
        "origins",
        origins
            .iter()
            .map(|origin| Value::from(origin.to_string()))
            .collect(),
    );
    set("skip_owner_check", skip_owner_check.into());
    set("allowInsecure", asked.settings.allow_insecure.into());
    set("req_id", asked.id.to_str().unwrap_or_default().into());
    if let Some(channel) = channel {
        set("channel", channel.into());
    }
    parameters
}

/// Submits a job and answers with its name.
///
/// # Errors
/// No job can be taken: 503.
pub(in crate::routes) async fn submitted(
    asked: &Asked,
    kind: JobKind,
    image: Uuid,
    parameters: Object,
) -> Result<Answer> {
    let job = asked.state.jobs().submit(kind, image, parameters).await;
    let job = job.map_err(|error| failures::of_jobs(&error))?;
    let mut body = Object::new();
    body.insert("image_uuid".to_owned(), image.to_string().into());
    body.insert("job_uuid".to_owned(), job.uuid.to_string().into());
    Ok(Answer::json(pretty(&body.into(), 2)).with("workflow-api", &asked.own_url()))
}
