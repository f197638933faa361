//! `POST /images/UUID/clone` (imgapi.md §13.5): a copy for an account that the image is shared with.

use std::time::SystemTime;

use actors::ImageRepository;
use repository::access::check_visible;
use repository::manifest::{MAXIMUM_ORIGIN_DEPTH, Record, clone_of};
use repository::{ApiError, Code, Result, Uuid};

use crate::answer::Answer;
use crate::change::{entry, read};
use crate::minted::new_uuid;
use crate::request::Asked;

/// The copy. What the image is based on is copied along, base first, up to what belongs to the administrator.
pub(super) async fn answer(asked: &Asked) -> Result<Answer> {
    let uuid = asked.image()?;
    let scope = asked.scope(false)?;
    let account = account(asked)?;
    let record = read(asked, uuid).await?.record;
    check_visible(&record, Some(account), &scope)?;
    check(&record, account)?;
    let chain = chain(asked, record).await?;
    // A task of its own: also if the client leaves it is done, or taken back, whole.
    let work = tokio::spawn(copy_or_remove(asked.state.repository().clone(), chain, account));
    let ended = work.await.unwrap_or_else(|error| {
        let message = format!("the clone ended early: {error}");
        Err(ApiError::new(Code::InternalError, message))
    });
    Ok(Answer::image_without_tag(
        &entry(asked, &ended?),
        asked.version,
        false,
    ))
}

async fn copy_or_remove(repository: ImageRepository, chain: Vec<Record>, account: Uuid) -> Result<Record> {
    let mut made = Vec::new();
    let copied = copy(&repository, chain, account, &mut made).await;
    if copied.is_err() {
        remove(&repository, made).await;
    }
    copied
}

fn account(asked: &Asked) -> Result<Uuid> {
    let missing = || {
        let message = "invalid \"account\": not a UUID: \"undefined\"";
        ApiError::invalid_parameter("account", "Invalid", message)
    };
    asked.parameters.account()?.ok_or_else(missing)
}

fn check(record: &Record, account: Uuid) -> Result<()> {
    let invalid = |field, message: &str| Err(ApiError::validation_failed(field, "Invalid", message));
    if !record.is_activated() {
        return invalid("active", "image is not active");
    }
    if !record.acl().any(|shared| shared == account) {
        return Err(ApiError::not_shared(record.uuid(), account));
    }
    if record.text("type") == "docker" {
        return invalid("type", "docker images cannot be cloned");
    }
    if record.file_count() > 1 {
        let message = "cannot clone images with multiple files";
        return Err(ApiError::new(Code::NotImplemented, message));
    }
    Ok(())
}

/// What is to be copied, base first.
async fn chain(asked: &Asked, record: Record) -> Result<Vec<Record>> {
    let mut chain = vec![record];
    while let Some(origin) = chain.last().and_then(Record::origin) {
        let origin = read(asked, origin).await?.record;
        let owner = origin.owner();
        if owner == Uuid::NIL || Some(owner) == asked.settings.admin {
            break;
        }
        if chain.len() > MAXIMUM_ORIGIN_DEPTH {
            let message = format!("Origin chain too long, exceeds {MAXIMUM_ORIGIN_DEPTH} images");
            return Err(ApiError::new(Code::InternalError, message));
        }
        chain.push(origin);
    }
    chain.reverse();
    Ok(chain)
}

/// Copies one after the other, each based on the one before. What was made is told even if the rest fails.
async fn copy(
    repository: &ImageRepository,
    chain: Vec<Record>,
    account: Uuid,
    made: &mut Vec<Uuid>,
) -> Result<Record> {
    let count = chain.len();
    let mut newest = None;
    for (index, record) in chain.into_iter().enumerate() {
        let origin = newest.as_ref().map(Record::uuid);
        let is_last = index + 1 == count;
        let copy = clone_of(&record, new_uuid()?, account, origin, is_last, SystemTime::now());
        let stored = repository.create_with_files_of(copy, record.uuid()).await;
        let stored = stored.map_err(|error| error.answer())?;
        made.push(stored.record.uuid());
        newest = Some(stored.record);
    }
    newest.ok_or_else(|| ApiError::new(Code::InternalError, "there was nothing to clone"))
}

/// Takes back what was made, newest first.
async fn remove(repository: &ImageRepository, made: Vec<Uuid>) {
    for uuid in made.into_iter().rev() {
        let removed = match repository.record(uuid).await {
            Ok(Some(stored)) => repository.delete(uuid, stored.revision).await,
            Ok(None) => Ok(()),
            Err(error) => Err(error),
        };
        if let Err(error) = removed {
            tracing::error!(%uuid, %error, "a part of a clone that failed is left");
        }
    }
}
