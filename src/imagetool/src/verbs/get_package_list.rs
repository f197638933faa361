//! `get-package-list name [outfile]`: the packages of an image.

use flags::Verb;
use anyhow::bail;
use image::packages::Widths;

use super::Verdict;
use super::destination::Destination;
use super::packager;
use crate::session::Session;

pub(super) const NAME: &str = "get-package-list";
pub(super) const DOING: &str = "error getting image package list";

pub(super) fn verb() -> Verb {
    Verb::new(NAME, "name [outfile]", "print the packages of an image, or write them to a file").group("look")
}

pub(super) async fn run(session: &mut Session, arguments: &[String]) -> anyhow::Result<Verdict> {
    let packages = packager::packages(session, &arguments[0]).await?;
    if packages.is_empty() {
        bail!("no package data");
    }
    if session.is_json() {
        for package in &packages {
            session.out.json(package)?;
        }
        return Ok(Verdict::Done);
    }
    let text = image::packages::text(&packages, Widths::of(&packages));
    Destination::open(arguments.get(1))?.write_all(text.as_bytes())?;
    Ok(Verdict::Done)
}
