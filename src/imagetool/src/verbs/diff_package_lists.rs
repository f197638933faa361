//! `diff-package-lists tool left right`: the packages of two images.

use flags::Verb;
use anyhow::bail;
use image::packages::Widths;

use super::{Verdict, packager, tool};
use crate::session::Session;

pub(super) const NAME: &str = "diff-package-lists";
pub(super) const DOING: &str = "error diffing package lists";

pub(super) fn verb() -> Verb {
    Verb::new(NAME, "tool left right", "compare the packages of two images").group("compare")
}

pub(super) async fn run(session: &mut Session, arguments: &[String]) -> anyhow::Result<Verdict> {
    let mut lists = Vec::new();
    for (name, side) in arguments[1..3].iter().zip(["left", "right"]) {
        let packages = packager::packages(session, name).await?;
        if packages.is_empty() {
            bail!("no {side} image package data");
        }
        lists.push(packages);
    }
    // Columns of one width, so that only packages differ.
    let widths = Widths::of(lists.iter().flatten());
    let mut sides = Vec::new();
    for list in &lists {
        let text = image::packages::text(list, widths);
        sides.push(tool::file(|file| Ok(file.write_all(text.as_bytes())?))?);
    }
    tool::compare(session, &arguments[0], &sides[0], &sides[1]).await
}
