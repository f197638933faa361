//! `POST /authkeys/reload` (imgapi-operations.md §4).

use crate::answer::Answer;
use crate::request::Asked;

/// Answers before it is done, as the original does.
pub(super) fn answer(asked: &Asked) -> Answer {
    asked.state.key_ring().reload_soon();
    Answer::json("{}")
}
