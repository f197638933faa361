//! Who may do what (`imageserver.md §2.2, §2.3`), said once more.

use super::model::Model;
use super::step::Caller;
use super::universe::requester;
use image::Image;

const ORDINARY_SECONDS: i64 = 24 * 3600;
const PRIVILEGED_SECONDS: i64 = 730 * 3600;

/// An answer as a text. What names the cause in words of its own is cut after the first ones.
pub fn text(result: Result<String, String>) -> String {
    let error = match result {
        Ok(answer) => return answer,
        Err(error) => error,
    };
    for beginning in ["bad name", "cannot restore for", "cannot make directory"] {
        if error.starts_with(beginning) {
            return format!("error: {beginning}");
        }
    }
    format!("error: {error}")
}

pub fn check_access(model: &Model, name: &str, image: Option<&Image>, caller: Caller) -> Result<(), String> {
    let caller = requester(caller);
    if caller.method_access {
        return Ok(());
    }
    if !caller.authenticated {
        return Err("no authentication information".to_owned());
    }
    let user = &caller.username;
    if let Some(image) = image
        && (image.created_by == *user
            || image.created_for == *user
            || image.owner_users.contains(user)
            || image
                .owner_groups
                .iter()
                .any(|group| caller.groups.contains(group)))
    {
        return Ok(());
    }
    let parent = image::name::parent(name);
    match model.directories.get(parent) {
        None => Err(format!("no metadata for: {parent:?}")),
        Some(group) if caller.groups.contains(group) => Ok(()),
        Some(_) => Err("no access to image".to_owned()),
    }
}

/// Seconds from now, none for never.
pub fn check_limit(at: Option<i64>, caller: Caller) -> Result<(), String> {
    match (caller, at) {
        (Caller::Internal, _) | (Caller::Privileged | Caller::Nobody, None) => Ok(()),
        (Caller::Privileged, Some(at)) if at > PRIVILEGED_SECONDS => {
            Err("maximum expiration time is 4w2d10h0m0s for you".to_owned())
        }
        (Caller::Member | Caller::Ordinary, None) => {
            Err("not permitted to make image non-expiring".to_owned())
        }
        (Caller::Member | Caller::Ordinary | Caller::Nobody, Some(at)) if at > ORDINARY_SECONDS => {
            Err("maximum expiration time is 1d0s".to_owned())
        }
        (_, Some(_)) => Ok(()),
    }
}
