//! How it goes, for pages, health and metrics.

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
            last_error: None,
        }
    }
}
