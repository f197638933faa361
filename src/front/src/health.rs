//! `/healthz`, `/readiness`, and the light on every page.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use actors::ActorState;
use parking_lot::RwLock;

use crate::site::Site;

/// How something is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Condition {
    /// As it should be.
    Healthy,
    /// It works, but somebody should look.
    Degraded(String),
    /// It does not do what it is for.
    Failing(String),
}

type Check = Arc<dyn Fn() -> Condition + Send + Sync>;

/// How a daemon is. Clones share it.
#[derive(Clone, Default)]
pub struct Health {
    ready: Arc<AtomicBool>,
    checks: Arc<RwLock<Vec<(String, Check)>>>,
}

impl Condition {
    /// `healthy`, `degraded` or `failing`: also the class in the style sheet.
    pub fn word(&self) -> &'static str {
        match self {
            Condition::Healthy => "healthy",
            Condition::Degraded(_) => "degraded",
            Condition::Failing(_) => "failing",
        }
    }

    /// A shape per state, so that colour is not needed.
    pub fn shape(&self) -> &'static str {
        match self {
            Condition::Healthy => "●",
            Condition::Degraded(_) => "▲",
            Condition::Failing(_) => "■",
        }
    }

    /// Why, if not healthy.
    pub fn cause(&self) -> &str {
        match self {
            Condition::Healthy => "",
            Condition::Degraded(cause) | Condition::Failing(cause) => cause,
        }
    }
}

impl From<&actors::Health> for Condition {
    fn from(health: &actors::Health) -> Self {
        match health.state {
            // A restart is over, so what is wrong now counts, and not what went wrong last.
            ActorState::Running => match &health.trouble {
                Some(trouble) => Self::Degraded(trouble.clone()),
                None => Self::Healthy,
            },
            ActorState::Starting => Self::Degraded("being started again".to_owned()),
            ActorState::Stopped | ActorState::GivenUp => {
                Self::Failing(health.last_error.clone().unwrap_or_else(|| "stopped".to_owned()))
            }
        }
    }
}

impl Health {
    /// Not ready, nothing to check.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds something to ask. It is asked for every page, so the answer must be at hand.
    pub fn check(&self, name: impl Into<String>, check: impl Fn() -> Condition + Send + Sync + 'static) {
        self.checks.write().push((name.into(), Arc::new(check)));
    }

    /// Says whether the daemon takes work.
    pub fn set_ready(&self, ready: bool) {
        self.ready.store(ready, Ordering::Release);
    }

    /// Whether the daemon takes work.
    pub fn is_ready(&self) -> bool {
        self.ready.load(Ordering::Acquire)
    }

    /// All answers, in the order the checks were added.
    pub fn conditions(&self) -> Vec<(String, Condition)> {
        let checks = self.checks.read().clone();
        checks.into_iter().map(|(name, check)| (name, check())).collect()
    }

    /// The worst answer, its cause led by the name of what was asked.
    pub fn overall(&self) -> Condition {
        let named = self
            .conditions()
            .into_iter()
            .map(|(name, condition)| match condition {
                Condition::Healthy => Condition::Healthy,
                Condition::Degraded(cause) => Condition::Degraded(format!("{name}: {cause}")),
                Condition::Failing(cause) => Condition::Failing(format!("{name}: {cause}")),
            });
        named.fold(Condition::Healthy, |worst, next| {
            if severity(&next) > severity(&worst) {
                next
            } else {
                worst
            }
        })
    }
}

fn severity(condition: &Condition) -> u8 {
    match condition {
        Condition::Healthy => 0,
        Condition::Degraded(_) => 1,
        Condition::Failing(_) => 2,
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())?;
        match self.cause() {
            "" => Ok(()),
            cause => write!(f, ": {cause}"),
        }
    }
}

/// Adds the two pages.
pub fn configure(config: &mut web::ServiceConfig) {
    config
        .service(web::resource("/healthz").to(healthz))
        .service(web::resource("/readiness").to(readiness));
}

/// The process answers; that is all it says, since restarting it would cure nothing else.
async fn healthz() -> HttpResponse {
    plain(StatusCode::OK, "OK")
}

async fn readiness(site: web::Data<Site>) -> HttpResponse {
    if site.health().is_ready() {
        plain(StatusCode::OK, "OK")
    } else {
        plain(StatusCode::SERVICE_UNAVAILABLE, "not ready")
    }
}

fn plain(status: StatusCode, text: &'static str) -> HttpResponse {
    HttpResponse::build(status)
        .content_type("text/plain; charset=utf-8")
        .body(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_answer_is_the_state_and_the_first_of_equals_is_the_cause() {
        let health = Health::new();
        assert_eq!(health.overall(), Condition::Healthy);
        health.check("log", || Condition::Degraded("disk full".into()));
        health.check("objects", || Condition::Healthy);
        assert_eq!(health.overall().to_string(), "degraded: log: disk full");
        health.check("index", || Condition::Failing("restarting".into()));
        health.check("more", || Condition::Failing("other".into()));
        assert_eq!(health.overall().to_string(), "failing: index: restarting");
        assert_eq!(health.conditions().len(), 4);
    }

    #[test]
    fn an_actor_that_has_trouble_now_degrades_and_a_restart_of_before_does_not() {
        let mut health = actors::Health {
            actor: "LogArchive",
            state: ActorState::Running,
            queue_len: 0,
            last_error: Some("panicked; the log has the place".to_owned()),
            trouble: None,
            restarts: 1,
        };
        assert!(matches!(Condition::from(&health), Condition::Healthy));
        health.trouble = Some("no space".to_owned());
        assert!(matches!(Condition::from(&health), Condition::Degraded(why) if why == "no space"));
        health.state = ActorState::GivenUp;
        assert!(matches!(Condition::from(&health), Condition::Failing(_)));
    }
}
