//! Streams, their sources, what is known of them.

use std::collections::{BTreeMap, BTreeSet};

/// Which stream is built from which.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Relations {
    /// User streams, each with the stream it is built from.
    pub sources: BTreeMap<String, String>,
    /// Streams that a command fills; they have no source.
    pub bootstrap: BTreeSet<String>,
    /// Sources that are no stream by name but fit a pattern.
    pub pattern_sources: BTreeSet<String>,
    /// Sources that nothing can build.
    pub unbuildable_sources: BTreeSet<String>,
    /// Streams that are rebuilt by themselves, in the order of the configuration.
    pub auto_rebuilt: Vec<String>,
}

/// What a stream is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Filled by a command.
    Bootstrap,
    /// Built from another stream.
    User,
    /// Fits a pattern.
    Pattern,
    /// Nothing can build it.
    Unbuildable,
}

impl Kind {
    /// As people read it.
    pub fn text(self) -> &'static str {
        match self {
            Self::Bootstrap => "bootstrap",
            Self::User => "user",
            Self::Pattern => "pattern",
            Self::Unbuildable => "nothing can build it",
        }
    }
}

impl Relations {
    /// All names there are, sorted.
    pub fn names(&self) -> BTreeSet<&str> {
        let related = self.sources.iter().flat_map(|(stream, source)| [stream, source]);
        related
            .chain(&self.bootstrap)
            .chain(&self.pattern_sources)
            .chain(&self.unbuildable_sources)
            .chain(&self.auto_rebuilt)
            .map(String::as_str)
            .collect()
    }

    /// What a stream is.
    pub fn kind(&self, name: &str) -> Kind {
        if self.sources.contains_key(name) {
            Kind::User
        } else if self.bootstrap.contains(name) {
            Kind::Bootstrap
        } else if self.pattern_sources.contains(name) {
            Kind::Pattern
        } else {
            Kind::Unbuildable
        }
    }

    /// The streams that are built from this one, sorted; not those built from these in turn.
    pub fn dependants(&self, name: &str) -> Vec<&str> {
        let built_from_it = self.sources.iter().filter(|(_, source)| *source == name);
        built_from_it.map(|(stream, _)| stream.as_str()).collect()
    }

    /// Whether it is rebuilt by itself.
    pub fn is_auto_rebuilt(&self, name: &str) -> bool {
        self.auto_rebuilt.iter().any(|rebuilt| rebuilt == name)
    }
}
