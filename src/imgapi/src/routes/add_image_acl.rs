//! `POST /images/UUID/acl` (imgapi.md §10.4).

use repository::Result;

use crate::answer::Answer;
use crate::change::{Change, shown};
use crate::request::Asked;

/// The image, shared with the accounts of the body, or no longer.
pub(super) async fn answer(asked: &mut Asked) -> Result<Answer> {
    let change = Change::new(asked)?;
    change.owned(asked).await?;
    let body = asked.value().await?;
    let action = asked.parameters.get_nonempty("action");
    let make = |record: &repository::manifest::Record| record.with_acl(action.as_deref(), body.value());
    let stored = change.make(asked, make).await?;
    Ok(shown(asked, &stored.record))
}
