//! `diff-files tool left right filename`: one file in two images.

use flags::Verb;

use super::{objects, tool};

use super::Verdict;
use crate::session::Session;

pub(super) const NAME: &str = "diff-files";
pub(super) const DOING: &str = "error diffing files";

pub(super) fn verb() -> Verb {
    Verb::new(NAME, "tool left right filename", "compare a file of two images").group("compare")
}

pub(super) async fn run(session: &mut Session, arguments: &[String]) -> anyhow::Result<Verdict> {
    let mut sides = Vec::new();
    for name in &arguments[1..3] {
        let data = objects::file(session, name, &arguments[3]).await?;
        sides.push(tool::file(|file| Ok(file.write_all(&data)?))?);
    }
    tool::compare(session, &arguments[0], &sides[0], &sides[1]).await
}
