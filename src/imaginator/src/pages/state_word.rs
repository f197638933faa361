//! How streams and builds are: a sign, a word, a colour, together.

use actors::build_runner::{BuildResult, BuildState};
use actors::stream_scheduler::Snapshot;
use recipe::graph::State;

/// How a build is, as pages tell it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Outcome {
    pub(super) state: State,
    pub(super) is_cancelled: bool,
}

impl Outcome {
    pub(super) fn of_state(state: &BuildState) -> Self {
        match state {
            BuildState::Queued => Self::plain(State::Queued),
            BuildState::Running { .. } => Self::plain(State::Building),
            BuildState::Ended(result) => Self::of_result(result),
        }
    }

    pub(super) fn of_result(result: &BuildResult) -> Self {
        match &result.outcome {
            Ok(_) => Self::plain(State::Good),
            Err(failure) => Self::of_end(false, failure.is_cancelled),
        }
    }

    /// Of what has ended.
    pub(super) fn of_end(is_good: bool, is_cancelled: bool) -> Self {
        Self {
            state: if is_good { State::Good } else { State::Failed },
            is_cancelled,
        }
    }

    pub(super) fn plain(state: State) -> Self {
        Self {
            state,
            is_cancelled: false,
        }
    }

    pub(super) fn word(self) -> &'static str {
        if self.is_cancelled {
            "cancelled"
        } else {
            self.state.text()
        }
    }

    pub(super) fn sign(self) -> &'static str {
        match self.state {
            _ if self.is_cancelled => "⊘",
            State::Good => "●",
            State::Failed => "■",
            State::Building => "▶",
            State::Queued => "◇",
            State::Unknown => "○",
        }
    }

    pub(super) fn class(self) -> &'static str {
        if self.is_cancelled {
            "unknown"
        } else {
            self.state.class()
        }
    }

    /// Sign and word.
    pub(super) fn html(self) -> String {
        format!(
            "<span class=\"state {}\"><span aria-hidden=\"true\">{}</span> {}</span>",
            self.class(),
            self.sign(),
            self.word()
        )
    }
}

/// What a stream does, or how its last build went.
pub(super) fn of_stream(snapshot: &Snapshot, stream: &str) -> Outcome {
    if snapshot.running(stream).is_some() {
        return Outcome::plain(State::Building);
    }
    if snapshot
        .queued
        .iter()
        .any(|queued| queued.build.stream() == stream)
    {
        return Outcome::plain(State::Queued);
    }
    if let Some(last) = snapshot.results.get(stream) {
        return Outcome::of_result(&last.result);
    }
    match snapshot.histories.get(stream).and_then(|history| history.last()) {
        Some(entry) => Outcome::of_end(entry.error.is_none(), entry.is_cancelled),
        None => Outcome::plain(State::Unknown),
    }
}
