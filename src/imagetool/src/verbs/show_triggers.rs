//! `show-triggers name`: the triggers of an image.

use flags::Verb;
use anyhow::bail;

use crate::trees;
use crate::typed_name::TypedName;

use super::Verdict;
use crate::session::Session;

pub(super) const NAME: &str = "show-triggers";
pub(super) const DOING: &str = "error showing image triggers";

pub(super) fn verb() -> Verb {
    Verb::new(NAME, "name", "print the triggers of an image").group("look")
}

pub(super) async fn run(session: &mut Session, arguments: &[String]) -> anyhow::Result<Verdict> {
    let (image, _) = trees::metadata(session, &TypedName::parse(&arguments[0])?).await?;
    let Some(triggers) = &image.triggers else {
        bail!("Triggers not available");
    };
    session.out.pretty_json(&triggers.triggers)?;
    Ok(Verdict::Done)
}
