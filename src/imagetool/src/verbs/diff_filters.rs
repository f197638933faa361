//! `diff-filters tool left right`: the filters of two images.

use flags::Verb;
use anyhow::bail;

use super::tool;
use crate::trees;
use crate::typed_name::TypedName;

use super::Verdict;
use crate::session::Session;

pub(super) const NAME: &str = "diff-filters";
pub(super) const DOING: &str = "error diffing filters";

pub(super) fn verb() -> Verb {
    Verb::new(NAME, "tool left right", "compare the filters of two images").group("compare")
}

pub(super) async fn run(session: &mut Session, arguments: &[String]) -> anyhow::Result<Verdict> {
    let mut sides = Vec::new();
    for name in &arguments[1..3] {
        let (image, _) = trees::metadata(session, &TypedName::parse(name)?).await?;
        let Some(filter) = &image.filter else {
            bail!("Filter not available");
        };
        sides.push(tool::file(|file| {
            filter.filter_lines.iter().try_for_each(|line| Ok(writeln!(file, "{line}")?))
        })?);
    }
    tool::compare(session, &arguments[0], &sides[0], &sides[1]).await
}
