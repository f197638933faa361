//! What can be built, as the configuration in force has it.

use super::RequestError;
use crate::config_watcher::Current;
use builder::Recipe;
use recipe::{FindError, Found};

/// How a stream is made.
pub(super) fn recipe(current: &Current, name: &str) -> Result<Recipe, RequestError> {
    match current.find(name) {
        Ok(Found::Bootstrap(stream)) => Ok(Recipe::Bootstrap(stream)),
        Ok(Found::User(stream)) => {
            let configuration = &current.configuration;
            Ok(Recipe::User {
                stream,
                bind_mounts: configuration.bind_mounts.clone(),
                mtimes_copy_filter_lines: configuration.mtimes_copy_filter_lines.clone(),
                cache: configuration.cache.clone(),
            })
        }
        Err(FindError::Unknown(name)) => Err(RequestError::UnknownStream(name)),
        Err(error) => Err(RequestError::AmbiguousStream(error.to_string())),
    }
}

/// Whether somebody without method powers may ask for a build (`imaginator.md §10`).
pub(super) fn lets_build<'a>(
    recipe: &Recipe,
    username: &str,
    groups: impl IntoIterator<Item = &'a String>,
) -> bool {
    let Recipe::User { stream, .. } = recipe else {
        return false;
    };
    // Callers without a name are nobody's user.
    let is_user = !username.is_empty() && stream.builder_users.iter().any(|user| user == username);
    is_user
        || groups
            .into_iter()
            .any(|group| stream.builder_groups.contains(group))
}
