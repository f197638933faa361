//! `POST /images?action=publish&image=NAME`: an image of the image server becomes one of this repository (imgapi.md §22). An
//! addition; done by a job.

use actors::image_jobs::PublishRequested;
use repository::access::check_operator;
use repository::job::JobKind;
use repository::json::Object;
use repository::manifest::Compression;
use repository::{ApiError, Code, Result, Uuid};

use crate::answer::Answer;
use crate::request::Asked;
use actors::JobsError;
use repository::json::pretty;

/// The names of image and job. Who asks again while it is being done is told the same job; when it is done, one that finds it done.
pub(super) async fn answer(asked: &Asked) -> Result<Answer> {
    check_operator(asked.parameters.account()?)?;
    check_image_server(asked)?;
    let Some(image) = asked.parameters.get_nonempty("image") else {
        let message = "missing 'image' parameter";
        return Err(ApiError::validation_failed("image", "MissingParameter", message));
    };
    let compression = match asked.parameters.get_nonempty("compression") {
        None => None,
        Some(_) => Some(repository::transfer::compression(&asked.parameters)?),
    };
    let requested = requested(asked, image, compression)?;
    submitted(
        asked,
        JobKind::Publish,
        requested.uuid(),
        requested.to_parameters(),
    )
    .await
}

/// A channel is checked before the job is taken; without one the rule about the image says which.
fn requested(asked: &Asked, image: String, compression: Option<Compression>) -> Result<PublishRequested> {
    let channel = match asked.parameters.get_nonempty("channel") {
        None => None,
        Some(_) => asked.scope(false)?.channel().map(str::to_owned),
    };
    Ok(PublishRequested {
        image,
        channel,
        compression,
    })
}

/// Whether there is an image server.
///
/// # Errors
/// `NotAvailable`.
pub(super) fn check_image_server(asked: &Asked) -> Result<()> {
    if asked.settings.join.image_server.is_some() {
        return Ok(());
    }
    let message = "no image server is configured: see imageServer";
    Err(ApiError::new(Code::NotAvailable, message))
}

/// Submits a job that may be asked for twice.
pub(super) async fn submitted(
    asked: &Asked,
    kind: JobKind,
    image: Uuid,
    parameters: Object,
) -> Result<Answer> {
    let job = match asked.state.jobs().submit(kind, image, parameters).await {
        Ok(job) => job.uuid,
        Err(JobsError::Same(job)) => job,
        Err(error) => return Err(ApiError::new(Code::ServiceUnavailable, error.to_string())),
    };
    let mut body = Object::new();
    body.insert("image_uuid".to_owned(), image.to_string().into());
    body.insert("job_uuid".to_owned(), job.to_string().into());
    Ok(Answer::json(pretty(&body.into(), 2)).with("workflow-api", &asked.own_url()))
}
