//! `GET /channels` (imgapi.md §8).

use repository::json;

use crate::answer::Answer;
use crate::request::Asked;

/// The channels as they are configured.
pub(super) fn answer(asked: &Asked) -> Answer {
    Answer::json(json::pretty(&asked.settings.channels.to_value(), 2))
}
