//! What can be built, as the scheduler needs to know it.

use builder::Recipe;
use futures_util::future::BoxFuture;
use recipe::{Secrets, UserStream};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::watch;

/// The configuration in force. Implemented by the watcher of the configuration; tests have their own.
pub trait StreamSource: Send + Sync + 'static {
    /// Counts the loads of the streams; 0 before the first.
    fn loads(&self) -> watch::Receiver<u64>;
    /// A stream by its name (`imaginator.md §5`): `Ok(None)` if there is none. The error is for people: two patterns match.
    fn find(&self, name: &str) -> Result<Option<FoundStream>, String>;
    /// Reads the streams again at once, if that is cheap, because a name was not found.
    fn reload(&self) -> BoxFuture<'_, ()>;
    /// Names of the bootstrap streams, sorted.
    fn bootstrap_names(&self) -> Vec<String>;
    /// The user streams, patterns not included.
    fn user_streams(&self) -> BTreeMap<String, Arc<UserStream>>;
    /// Whether a name is that of a pattern stream.
    fn matches_pattern(&self, name: &str) -> bool;
    /// Streams to be rebuilt automatically, in the order of the configuration.
    fn auto_rebuild_names(&self) -> Vec<String>;
    /// The variables file.
    fn secrets(&self) -> Arc<Secrets>;
}

/// A stream that can be built.
#[derive(Debug, Clone)]
pub struct FoundStream {
    /// How it is made.
    pub recipe: Recipe,
}

impl FoundStream {
    /// Whether somebody without method powers may ask for a build (`imaginator.md §10`).
    pub(super) fn lets_build<'a>(&self, username: &str, groups: impl IntoIterator<Item = &'a str>) -> bool {
        let Recipe::User { stream, .. } = &self.recipe else {
            return false;
        };
        // Callers without a name are nobody's user.
        let is_user = !username.is_empty() && stream.builder_users.iter().any(|user| user == username);
        is_user
            || groups
                .into_iter()
                .any(|group| stream.builder_groups.iter().any(|allowed| allowed == group))
    }
}
