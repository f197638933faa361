//! What the scheduler needs to know of what can be built.

use super::ConfigWatcher;
use crate::stream_scheduler::{FoundStream, StreamSource};
use builder::Recipe;
use futures_util::future::BoxFuture;
use recipe::{FindError, Found, Secrets, UserStream};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::watch;

impl StreamSource for ConfigWatcher {
    fn loads(&self) -> watch::Receiver<u64> {
        self.shared.loads.subscribe()
    }

    fn find(&self, name: &str) -> Result<Option<FoundStream>, String> {
        let current = self.current();
        let recipe = match current.find(name) {
            Ok(Found::Bootstrap(stream)) => Recipe::Bootstrap(stream),
            Ok(Found::User(stream)) => Recipe::User {
                stream,
                bind_mounts: current.configuration.bind_mounts.clone(),
                mtimes_copy_filter_lines: current.configuration.mtimes_copy_filter_lines.clone(),
                cache: current.configuration.cache.clone(),
            },
            Err(FindError::Unknown(_)) => return Ok(None),
            Err(error @ FindError::Ambiguous(_)) => return Err(error.to_string()),
        };
        Ok(Some(FoundStream { recipe }))
    }

    fn reload(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {
            if let Err(error) = self.reload_streams().await {
                tracing::warn!("cannot read the image streams again: {error}");
            }
        })
    }

    fn bootstrap_names(&self) -> Vec<String> {
        self.current()
            .configuration
            .bootstrap_streams
            .keys()
            .cloned()
            .collect()
    }

    fn user_streams(&self) -> BTreeMap<String, Arc<UserStream>> {
        let current = self.current();
        let owned = |(name, stream): (&str, &Arc<UserStream>)| (name.to_owned(), stream.clone());
        current.streams.iter().map(owned).collect()
    }

    fn matches_pattern(&self, name: &str) -> bool {
        let current = self.current();
        let is_listed = current.streams.iter().any(|(listed, _)| listed == name);
        // Two patterns that match are patterns as well.
        !is_listed && !matches!(current.streams.find(name), Ok(None))
    }

    fn auto_rebuild_names(&self) -> Vec<String> {
        let current = self.current();
        let names = current.configuration.auto_rebuild(false);
        names.into_iter().map(str::to_owned).collect()
    }

    fn secrets(&self) -> Arc<Secrets> {
        self.current().secrets.clone()
    }
}
