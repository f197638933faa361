//! `?action=import-from-datacenter` (imgapi.md §13.4): checked here, done by the job of an import.

use repository::job::JobKind;
use repository::remote::{check_copied, copy_request};
use repository::{Result, Uuid};

use super::import_remote::{parameters, submitted};
use crate::answer::Answer;
use crate::remote;
use crate::request::Asked;

/// The names of image and job.
pub(super) async fn answer(asked: &Asked, uuid: Uuid) -> Result<Answer> {
    let settings = &asked.settings;
    let request = copy_request(
        &asked.parameters,
        &settings.datacenters,
        settings.datacenter.as_deref(),
    )?;
    let account = request.account;
    let passed_on = |error| remote::passed_on(&error);
    let client = remote::client(asked, &request.url, Some(account)).map_err(passed_on)?;
    let image = client.get(uuid).await.map_err(passed_on)?;
    let is_here = asked.state.catalogue().get(uuid).is_some();
    check_copied(image.value(), uuid, account, is_here)?;
    let origins = remote::missing_origins(asked, &client, &image, Some(account)).await?;
    let scope = asked.scope(false)?;
    let parameters = parameters(asked, &request.url, &origins, false, scope.channel());
    submitted(asked, JobKind::ImportRemote, uuid, parameters).await
}
