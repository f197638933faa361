//! What the pages of one daemon share.

use std::sync::Arc;

use flags::Version;
use jiff::Timestamp;

use crate::health::{Condition, Health};
use crate::history::History;
use crate::logs::Logs;
use crate::metrics::{Metrics, Unit};

/// A link in the frame.
#[derive(Clone, Debug)]
pub struct Link {
    /// Where it leads.
    pub href: String,
    /// What it says.
    pub text: String,
}

/// The search field in the frame.
#[derive(Clone, Debug)]
pub struct Search {
    /// Path of the page that answers.
    pub action: String,
    /// Name of the parameter.
    pub parameter: String,
    /// What can be searched for.
    pub hint: String,
}

/// Name, version, health and the like of one daemon. Pages get it as `web::Data<Site>`.
#[derive(Clone)]
pub struct Site {
    program: String,
    base: String,
    version: Version,
    started: Timestamp,
    health: Health,
    metrics: Arc<Metrics>,
    logs: Logs,
    history: Option<Arc<History>>,
    links: Vec<Link>,
    search: Option<Search>,
    warning: Option<String>,
}

impl Site {
    /// A site without links; it started now. A log that cannot be written makes it degraded.
    pub fn new(program: impl Into<String>, metrics: Arc<Metrics>, logs: Logs) -> Self {
        let health = Health::new();
        let watched = logs.clone();
        health.check("log", move || {
            watched.trouble().map_or(Condition::Healthy, Condition::Degraded)
        });
        let counted = logs.clone();
        metrics.register(
            "/log/lost-lines",
            "log lines that never reached a file",
            Unit::None,
            move || counted.lost_lines(),
        );
        Self {
            program: program.into(),
            base: String::new(),
            version: Version::of_build(),
            started: Timestamp::now(),
            health,
            metrics,
            logs,
            history: None,
            links: Vec::new(),
            search: None,
            warning: None,
        }
    }

    /// Puts the front page and the assets below a path such as `/ui`, where the root is somebody else's. Links are whole paths anyway.
    pub fn below(mut self, path: impl Into<String>) -> Self {
        self.base = path.into();
        self
    }

    /// Gives it figures over time; the listener reads them as long as it is open.
    pub fn with_history(mut self, history: Arc<History>) -> Self {
        self.history = Some(history);
        self
    }

    /// Adds a link to the frame.
    pub fn link(mut self, href: impl Into<String>, text: impl Into<String>) -> Self {
        self.links.push(Link {
            href: href.into(),
            text: text.into(),
        });
        self
    }

    /// Puts a search field into the frame.
    pub fn search(mut self, action: &str, parameter: &str, hint: &str) -> Self {
        self.search = Some(Search {
            action: action.into(),
            parameter: parameter.into(),
            hint: hint.into(),
        });
        self
    }

    /// Shows a warning on every page, such as that of insecure mode.
    pub fn warning(mut self, text: impl Into<String>) -> Self {
        self.warning = Some(text.into());
        self
    }

    /// The daemon's name.
    pub fn program(&self) -> &str {
        &self.program
    }

    /// What stands before `/` and `/assets/…`; nothing, or a path such as `/ui`.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Path of the front page.
    pub fn home(&self) -> &str {
        if self.base.is_empty() { "/" } else { &self.base }
    }

    /// What was built.
    pub fn version(&self) -> &Version {
        &self.version
    }

    /// When it started.
    pub fn started(&self) -> Timestamp {
        self.started
    }

    /// How it is.
    pub fn health(&self) -> &Health {
        &self.health
    }

    /// Its figures.
    pub fn metrics(&self) -> &Arc<Metrics> {
        &self.metrics
    }

    /// Its log.
    pub fn logs(&self) -> &Logs {
        &self.logs
    }

    /// Its figures over time.
    pub fn history(&self) -> Option<&Arc<History>> {
        self.history.as_ref()
    }

    /// The links of the frame.
    pub fn links(&self) -> &[Link] {
        &self.links
    }

    /// The search field.
    pub fn search_field(&self) -> Option<&Search> {
        self.search.as_ref()
    }

    /// The warning.
    pub fn warning_text(&self) -> Option<&str> {
        self.warning.as_deref()
    }
}
