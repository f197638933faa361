//! `diff-package-lists tool left right`: the packages of two images.

use flags::Verb;
use anyhow::bail;
use image::packages::{self, Widths};

use super::tool;
use crate::trees;
use crate::typed_name::TypedName;

use super::Verdict;
use crate::session::Session;

pub(super) const NAME: &str = "diff-package-lists";
pub(super) const DOING: &str = "error diffing package lists";

pub(super) fn verb() -> Verb {
    Verb::new(NAME, "tool left right", "compare the packages of two images").group("compare")
}

pub(super) async fn run(session: &mut Session, arguments: &[String]) -> anyhow::Result<Verdict> {
    let mut images = Vec::new();
    for (name, side) in arguments[1..3].iter().zip(["left", "right"]) {
        let (image, _) = trees::metadata(session, &TypedName::parse(name)?).await?;
        if image.packages.is_empty() {
            bail!("no {side} image package data");
        }
        images.push(image);
    }
    // Columns of one width, so that only packages differ.
    let widths = Widths::of(images.iter().flat_map(|image| &image.packages));
    let mut sides = Vec::new();
    for image in &images {
        let text = packages::text(&image.packages, widths);
        sides.push(tool::file(|file| Ok(file.write_all(text.as_bytes())?))?);
    }
    tool::compare(session, &arguments[0], &sides[0], &sides[1]).await
}
