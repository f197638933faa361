//! `POST /images/UUID?action=…`: one file an action that is more than a line. The order is that of imgapi.md §9.

mod change_stor;
mod copy;
mod export;
mod import;
mod import_remote;
mod update;

use std::time::SystemTime;

use repository::http::{Body, Outcome, Tagged};
use repository::manifest::Record;
use repository::{ApiError, Result};

use super::take_in;
use crate::answer::Answer;
use crate::change::{Change, entry, read, shown};
use crate::request::Asked;

pub(super) use import_remote::submitted;

/// Gives the request to its action.
pub(super) async fn answer(asked: &mut Asked) -> Result<Answer> {
    let action = asked.parameters.get_nonempty("action");
    let action = action.as_deref();
    // A copy has words of its own for a bad account.
    if action == Some("import-from-datacenter") {
        let (uuid, _) = (asked.image()?, asked.scope(false)?);
        asked.value().await?;
        return copy::answer(asked, uuid).await;
    }
    let change = Change::new(asked)?;
    let body = asked.value().await?;
    match action {
        Some("import-remote") => return import_remote::answer(asked, &change).await,
        Some("import") => return import::answer(asked, &change, &body).await,
        _ => {}
    }
    let record = read(asked, change.uuid).await?.record;
    repository::access::check_visible(&record, change.account, &change.scope)?;
    if action == Some("take-in") {
        return take_in::answer(asked, &record).await;
    }
    if action == Some("change-stor") {
        return change_stor::answer(asked, &change, &record).await;
    }
    repository::access::check_owner(&record, change.account)?;
    if action == Some("export") {
        return export::answer(asked, &change, &record).await;
    }
    check_conditions(asked, &record)?;
    match action {
        Some("update") => update::answer(asked, &change, &body).await,
        _ => simple(asked, &change, action, &body).await,
    }
}

async fn simple(asked: &Asked, change: &Change, action: Option<&str>, body: &Body) -> Result<Answer> {
    let channels = &asked.settings.channels;
    let make = |record: &Record| {
        // Others may have changed it since: what the client stated must hold for what is changed.
        check_conditions(asked, record)?;
        match action {
            Some("activate") => record.activate(SystemTime::now()),
            Some("enable") => Ok(record.with_disabled(false)),
            Some("disable") => Ok(record.with_disabled(true)),
            Some("channel-add") if !channels.is_empty() => channels.add(record, body.value()),
            Some(other) => Err(ApiError::invalid_action(other)),
            None => Err(ApiError::missing_action()),
        }
    };
    let stored = change.make(asked, make).await?;
    if action == Some("activate") {
        crate::upload::forget(asked, change.uuid).await;
    }
    Ok(shown(asked, &stored.record))
}

/// Whether what the request states of the image holds.
fn check_conditions(asked: &Asked, record: &Record) -> Result<()> {
    let etag = entry(asked, record).form().entity_tag(asked.version, false);
    let tagged = Tagged {
        etag: &etag,
        content: None,
        modified: None,
    };
    match asked.with_conditions(|conditions| conditions.check(&tagged, false)) {
        Outcome::Failed(error) => Err(error),
        Outcome::Go | Outcome::NotModified => Ok(()),
    }
}
