//! `GET /images/UUID` (imgapi.md §10.1).

use actix_web::http::header::ETAG;
use repository::Result;
use repository::catalogue::write_one;
use repository::http::{Outcome, Tagged};
use repository::list::admin_fields;

use crate::answer::Answer;
use crate::request::Asked;

/// One image with its entity tag.
pub(super) fn answer(asked: &Asked) -> Result<Answer> {
    let catalogue = asked.state.catalogue();
    let entry = asked.visible(&catalogue)?;
    let is_admin = admin_fields(&asked.parameters, asked.settings.mode, asked.caller.is_some())?;
    let etag = entry.form().entity_tag(asked.version, is_admin);
    let tagged = Tagged {
        etag: &etag,
        content: None,
        modified: None,
    };
    match asked.with_conditions(|conditions| conditions.check(&tagged, true)) {
        Outcome::Go => {
            let mut body = Vec::new();
            write_one(entry.form(), asked.version, is_admin, &mut body);
            Ok(Answer::json(body).with_name(ETAG, &etag))
        }
        Outcome::NotModified => Ok(Answer::empty(304)),
        Outcome::Failed(error) => Err(error),
    }
}
