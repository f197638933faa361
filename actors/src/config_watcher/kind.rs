//! The three texts.

/// Which of the texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// First, since the others are read with it.
    Variables,
    Configuration,
    Streams,
}

impl Kind {
    pub(super) const ALL: [Kind; 3] = [Kind::Variables, Kind::Configuration, Kind::Streams];

    /// As in logs.
    pub(super) fn name(self) -> &'static str {
        match self {
            Kind::Variables => "variables",
            Kind::Configuration => "main configuration",
            Kind::Streams => "image streams",
        }
    }

    /// As in metrics.
    pub(super) fn label(self) -> &'static str {
        match self {
            Kind::Variables => "variables",
            Kind::Configuration => "configuration",
            Kind::Streams => "streams",
        }
    }
}
