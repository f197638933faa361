//! `get-package-list name [outfile]`: the packages of an image.

use flags::Verb;
use anyhow::bail;
use image::packages::{self, Widths};

use super::destination::Destination;
use crate::trees;
use crate::typed_name::TypedName;

use super::Verdict;
use crate::session::Session;

pub(super) const NAME: &str = "get-package-list";
pub(super) const DOING: &str = "error getting image package list";

pub(super) fn verb() -> Verb {
    Verb::new(NAME, "name [outfile]", "print the packages of an image, or write them to a file").group("look")
}

pub(super) async fn run(session: &mut Session, arguments: &[String]) -> anyhow::Result<Verdict> {
    let (image, _) = trees::metadata(session, &TypedName::parse(&arguments[0])?).await?;
    if image.packages.is_empty() {
        bail!("no package data");
    }
    if session.is_json() {
        for package in &image.packages {
            session.out.json(package)?;
        }
        return Ok(Verdict::Done);
    }
    let text = packages::text(&image.packages, Widths::of(&image.packages));
    Destination::open(arguments.get(1))?.write_all(text.as_bytes())?;
    Ok(Verdict::Done)
}
