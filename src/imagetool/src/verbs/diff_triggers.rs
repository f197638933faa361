//! `diff-triggers tool left right`: the triggers of two images.

use flags::Verb;
use anyhow::bail;

use super::tool;
use crate::trees;
use crate::typed_name::TypedName;

use super::Verdict;
use crate::session::Session;

pub(super) const NAME: &str = "diff-triggers";
pub(super) const DOING: &str = "error diffing triggers";

pub(super) fn verb() -> Verb {
    Verb::new(NAME, "tool left right", "compare the triggers of two images").group("compare")
}

pub(super) async fn run(session: &mut Session, arguments: &[String]) -> anyhow::Result<Verdict> {
    let mut sides = Vec::new();
    for name in &arguments[1..3] {
        let (image, _) = trees::metadata(session, &TypedName::parse(name)?).await?;
        let Some(triggers) = &image.triggers else {
            bail!("Triggers not available");
        };
        let text = image::go_json::to_pretty(&triggers.triggers)?;
        sides.push(tool::file(|file| Ok(file.write_all(&text)?))?);
    }
    tool::compare(session, &arguments[0], &sides[0], &sides[1]).await
}
