//! What builds ask of the scheduler.

use super::shared::Shared;
use super::{RequestError, streams};
use crate::build_runner::{Build, BuildFailure, BuildResult, Host};
use builder::Recipe;
use recipe::Secrets;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

impl Host for Shared {
    fn recipe(&self, stream: &str) -> Result<(Recipe, Arc<Secrets>), BuildFailure> {
        let find = || {
            let current = self.config.current.current();
            streams::recipe(&current, stream).map(|recipe| (recipe, current.secrets.clone()))
        };
        let found = match (find(), self.runtime.get()) {
            (Err(RequestError::UnknownStream(_)), Some(runtime)) => {
                runtime.block_on((self.config.reload)());
                find()
            }
            (found, _) => found,
        };
        found.map_err(|error| BuildFailure::new(error.to_string()))
    }

    fn next_number(&self) -> u64 {
        self.next()
    }

    fn source_ended(&self, build: &Arc<Build>, result: BuildResult, log: Range<u64>) {
        self.take_source(build, result, log);
    }

    fn prolong(&self, build: &Arc<Build>, image: &str, expires_in: Duration) {
        let Some(runtime) = self.runtime.get() else { return };
        let until = self.now() + expires_in;
        // Who joined gets an image either way; one that lives shorter than asked for is told in the log.
        if let Err(error) = runtime.block_on(self.server.extend(image, until)) {
            let text = format!("cannot extend {image}: {error}");
            tracing::warn!("Build {} of {}: {text}", build.number, build.stream());
            build.log().append(format!("{text}\n").as_bytes());
        }
    }

    fn ended(&self, build: &Arc<Build>, result: Arc<BuildResult>, is_free: bool) {
        self.take_result(build, result, is_free);
    }

    fn freed(&self, number: u64) {
        self.change(|state| state.free(number));
        self.wake.notify_one();
    }
}
