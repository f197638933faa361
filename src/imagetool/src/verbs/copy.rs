//! `copy name oldimagename`: a second name for an image.

use flags::Verb;
use anyhow::bail;

use super::finish;
use crate::trees;
use crate::typed_name::TypedName;

use super::Verdict;
use crate::session::Session;

pub(super) const NAME: &str = "copy";
pub(super) const DOING: &str = "error copying image";

pub(super) fn verb() -> Verb {
    Verb::new(NAME, "name oldimagename", "add an image that is a copy of another").group("change")
}

pub(super) async fn run(session: &mut Session, arguments: &[String]) -> anyhow::Result<Verdict> {
    let (name, old) = (&arguments[0], TypedName::parse(&arguments[1])?);
    copy(session, name, &old).await
}

async fn copy(session: &mut Session, name: &str, old: &TypedName) -> anyhow::Result<Verdict> {
    if session.server().await?.check_image(name).await? {
        bail!("image exists");
    }
    let image = trees::image(session, old).await?;
    finish::finish(session, name, image).await?;
    Ok(Verdict::Done)
}
