//! `GET /images` (imgapi.md §11).

use repository::Result;
use repository::catalogue::write_list;
use repository::list::{ListContext, ListQuery};

use crate::answer::Answer;
use crate::request::Asked;

/// A page of the images asked for: texts of the snapshot, copied once.
pub(super) fn answer(asked: &Asked) -> Result<Answer> {
    let context = ListContext {
        mode: asked.settings.mode,
        is_authenticated: asked.caller.is_some(),
        channels: &asked.settings.channels,
    };
    let query = ListQuery::new(&asked.parameters, &context)?;
    let found = asked.state.catalogue().select(&query)?;
    let mut body = Vec::new();
    write_list(
        found.iter().map(|entry| entry.form()),
        asked.version,
        query.is_admin,
        &mut body,
    );
    Ok(Answer::json(body))
}
