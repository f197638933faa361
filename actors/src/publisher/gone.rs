//! Published images that the image server has no more: they stay, are disabled or deleted, as their rule says.

use super::Shared;
use repository::configuration::WhenGone;
use repository::publish::{TAG_IMAGE, link, published};
use repository::{ApiError, Uuid};
use std::collections::HashSet;

/// One of them was deleted there, or has expired.
pub(super) async fn gone(shared: &Shared, name: &str) {
    let uuid = published(name).uuid;
    let when_gone = when_gone(shared, name);
    if let Err(error) = end(shared, uuid, name, when_gone).await {
        let why = format!(
            "it is gone there, and image {uuid} cannot be {}: {}",
            word(when_gone),
            error.message()
        );
        tracing::error!("{name}: {why}");
        shared.ended(name, Some(&why));
    }
}

/// Looks at all that were published, against the list of what there is. A list that lacks more than half of them is not
/// believed: it may be that of a server that has lost its disk, or of another one.
pub(super) async fn compare(shared: &Shared, present: &HashSet<&str>) {
    let settings = shared.config.room.settings();
    let rules = &settings.join.rules;
    if rules.iter().all(|rule| rule.when_gone == WhenGone::Keep) {
        return;
    }
    let mut count = 0;
    let mut absent = Vec::new();
    for name in names(shared).await {
        if when_gone(shared, &name) == WhenGone::Keep {
            continue;
        }
        count += 1;
        if !present.contains(name.as_str()) {
            absent.push(name);
        }
    }
    if absent.len() * 2 > count && count > 1 {
        let text = format!(
            "the image server lacks {} of {count} published images, more than half: none of them is disabled or deleted. If \
             that is meant, do it here",
            absent.len()
        );
        tracing::error!("{text}");
        shared.failed(text);
        return;
    }
    for name in absent {
        gone(shared, &name).await;
    }
}

/// Full names of the images here that were published, read of their records: lists know the first hundred characters.
async fn names(shared: &Shared) -> Vec<String> {
    let repository = shared.config.room.repository();
    let mut names = Vec::new();
    for entry in repository.catalogue().iter() {
        if !entry.has_tag(TAG_IMAGE) {
            continue;
        }
        if let Ok(Some(stored)) = repository.record(entry.uuid()).await
            && let Some(name) = link(&stored.record)
            && published(name).uuid == entry.uuid()
        {
            names.push(name.to_owned());
        }
    }
    names
}

fn when_gone(shared: &Shared, name: &str) -> WhenGone {
    let settings = shared.config.room.settings();
    settings
        .join
        .rule_about(name)
        .map_or(WhenGone::Keep, |rule| rule.when_gone)
}

fn word(when_gone: WhenGone) -> &'static str {
    match when_gone {
        WhenGone::Keep => "kept",
        WhenGone::Disable => "disabled",
        WhenGone::Delete => "deleted",
    }
}

async fn end(shared: &Shared, uuid: Uuid, name: &str, when_gone: WhenGone) -> Result<(), ApiError> {
    let room = &shared.config.room;
    let Some(entry) = room.repository().catalogue().get(uuid).cloned() else {
        return Ok(());
    };
    // Others are based on it: they would lose their origin.
    let is_needed = !room.repository().catalogue().dependents(uuid, None).is_empty();
    match when_gone {
        WhenGone::Keep => return Ok(()),
        WhenGone::Delete if !is_needed => room.delete(uuid).await?,
        WhenGone::Delete | WhenGone::Disable => {
            if entry.state() == repository::catalogue::State::Disabled {
                return Ok(());
            }
            room.disable(uuid).await?;
        }
    }
    tracing::info!(
        "image {uuid} is {}: the image server has {name} no more",
        word(when_gone)
    );
    Ok(())
}
