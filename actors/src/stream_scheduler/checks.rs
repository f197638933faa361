//! What a request is held against before it comes into the queue (`imaginator.md §10`), in this order, with these words.

use super::shared::Shared;
use super::{BuildRequest, RequestError, streams};
use crate::build_runner::{BuildOrder, Why};
use builder::Recipe;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// How long a request waits for the first load of the streams.
const STREAMS_WAIT: Duration = Duration::from_secs(60);

/// A build may take so long, if it is not told otherwise.
const LONGEST_BUILD: Duration = Duration::from_secs(24 * 3600);

/// Bytes of variables and branch that are kept with a build.
pub(super) const REQUEST_BYTES: usize = 1 << 20;

impl Shared {
    /// Checks; what is to be built, if all is well.
    pub(super) async fn check(&self, request: BuildRequest) -> Result<BuildOrder, RequestError> {
        self.check_disabled()?;
        if request.expires_in < self.config.minimum_expiration {
            return Err(RequestError::ExpiresTooSoon(self.config.minimum_expiration));
        }
        self.wait_for_streams(STREAMS_WAIT).await?;
        self.server
            .reach()
            .await
            .map_err(|error| RequestError::ImageServer(error.to_string()))?;
        let recipe = self.find(&request.stream).await?;
        self.check_permission(&request, &recipe)?;
        let bytes = |(name, value): (&String, &String)| name.len() + value.len();
        if request.branch.len() + request.variables.iter().map(bytes).sum::<usize>() > REQUEST_BYTES {
            return Err(RequestError::TooLarge(REQUEST_BYTES));
        }
        let secrets = Arc::clone(&self.config.current.current().secrets);
        let is_refused =
            |name: &&String| recipe::environment::is_reserved(name) || secrets.get(name).is_some();
        if let Some(name) = request.variables.keys().find(is_refused) {
            return Err(RequestError::Variable(name.clone()));
        }
        Ok(BuildOrder {
            why: Why::Requested {
                by: request.requester.username.clone(),
            },
            deadline: self.deadline(request.maximum_duration),
            stream: request.stream,
            variables: request.variables,
            branch: request.branch,
            max_source_age: request.max_source_age.filter(|age| !age.is_zero()),
            delivery: request.delivery,
            disable_recursive_build: request.disable_recursive_build,
            cancel_on_disconnect: request.cancel_on_disconnect || self.config.cancel_on_disconnect,
            requester: request.requester.username,
        })
    }

    pub(super) fn check_disabled(&self) -> Result<(), RequestError> {
        let now = self.now();
        let until = self.look(|state| state.requests_disabled_until);
        match until.and_then(|until| Some((until, until.duration_since(now).ok()?))) {
            Some((until, remaining)) if !remaining.is_zero() => Err(RequestError::Disabled {
                until: local_time(until),
                remaining,
            }),
            _ => Ok(()),
        }
    }

    /// Waits for the first load of the streams.
    pub(super) async fn wait_for_streams(&self, longest: Duration) -> Result<(), RequestError> {
        let mut changes = self.config.current.changes();
        let loaded = async {
            while !self.config.current.current().is_streams_loaded {
                if changes.changed().await.is_err() {
                    // Nobody will load any: what is in force stays so.
                    std::future::pending::<()>().await;
                }
            }
        };
        let waited = tokio::time::timeout(longest, loaded).await;
        waited.map_err(|_| RequestError::NotLoaded)
    }

    /// A stream; if there is none of this name, the streams are read again first.
    async fn find(&self, name: &str) -> Result<Recipe, RequestError> {
        match streams::recipe(&self.config.current.current(), name) {
            Err(RequestError::UnknownStream(_)) => {
                (self.config.reload)().await;
                streams::recipe(&self.config.current.current(), name)
            }
            other => other,
        }
    }

    fn check_permission(&self, request: &BuildRequest, recipe: &Recipe) -> Result<(), RequestError> {
        let ordinary = self.config.maximum_expiration;
        let privileged = self.config.maximum_expiration_privileged.max(ordinary);
        let requester = &request.requester;
        let limit = if requester.is_privileged {
            privileged
        } else {
            ordinary
        };
        if request.expires_in > limit {
            return Err(RequestError::ExpiresTooLate {
                limit,
                is_privileged: requester.is_privileged,
            });
        }
        if requester.is_privileged || streams::lets_build(recipe, &requester.username, &requester.groups) {
            return Ok(());
        }
        Err(RequestError::NoPermission(request.stream.clone()))
    }

    /// The shorter of what the daemon allows and what is asked for; less than a second means a day.
    pub(super) fn deadline(&self, asked: Duration) -> Duration {
        let or_day = |duration: Duration| {
            if duration < Duration::from_secs(1) {
                LONGEST_BUILD
            } else {
                duration
            }
        };
        or_day(self.config.maximum_duration).min(or_day(asked))
    }
}

/// As clients and logs have it: `22 Nov 2026 04:56:13 UTC`.
pub(super) fn local_time(at: SystemTime) -> String {
    jiff::Timestamp::try_from(at)
        .map(|at| {
            let at = at.to_zoned(jiff::tz::TimeZone::system());
            at.strftime("%d %b %Y %H:%M:%S %Z").to_string()
        })
        .unwrap_or_else(|_| "the end of time".to_owned())
}
