//! How it goes, for pages, health and metrics.

use std::collections::VecDeque;
use std::time::SystemTime;

/// Outcomes that are remembered.
const OUTCOMES: usize = 50;

/// How the link is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PublisherLink {
    /// Being made.
    Connecting,
    /// The list of what there is arrives.
    Listing,
    /// Changes are followed.
    Following,
    /// Broken; a pause is made.
    Waiting,
}

impl PublisherLink {
    /// The word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Connecting => "connecting",
            Self::Listing => "listing",
            Self::Following => "following",
            Self::Waiting => "waiting",
        }
    }
}

/// How it went with one image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublisherOutcome {
    /// The image.
    pub name: String,
    /// When it ended.
    pub at: SystemTime,
    /// Why it failed, if it did.
    pub failure: Option<String>,
}

/// How it goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublisherStatus {
    /// `HOST:PORT` of the image server.
    pub upstream: String,
    /// How the link is.
    pub link: PublisherLink,
    /// Images that are to be published, those that failed included.
    pub waiting: usize,
    /// Images published by rules since the start.
    pub published: u64,
    /// Images that failed and are tried again, with why, sorted by name.
    pub failing: Vec<(String, String)>,
    /// What was done last, newest first; at most 50.
    pub outcomes: VecDeque<PublisherOutcome>,
    /// What went wrong last.
    pub last_error: Option<String>,
}

impl PublisherStatus {
    pub(super) fn new(upstream: String) -> PublisherStatus {
        PublisherStatus {
            upstream,
            link: PublisherLink::Connecting,
            waiting: 0,
            published: 0,
            failing: Vec::new(),
            outcomes: VecDeque::new(),
            last_error: None,
        }
    }

    pub(super) fn ended(&mut self, name: &str, failure: Option<&str>) {
        match failure {
            None => self.published += 1,
            Some(why) => self.last_error = Some(format!("{name}: {why}")),
        }
        self.outcomes.truncate(OUTCOMES - 1);
        self.outcomes.push_front(PublisherOutcome {
            name: name.to_owned(),
            at: SystemTime::now(),
            failure: failure.map(str::to_owned),
        });
    }
}
