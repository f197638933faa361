//! `get-archive-data name outfile`: an image's metadata for the records.

use flags::{Mark, Verb};
use image::Image;

use super::destination::Destination;
use crate::trees;
use crate::typed_name::TypedName;

use super::Verdict;
use crate::session::Session;

pub(super) const NAME: &str = "get-archive-data";
pub(super) const DOING: &str = "error getting image";

pub(super) fn verb() -> Verb {
    Verb::new(NAME, "name outfile", "write an image's metadata to a file, as JSON if its name ends in .json").group("move").mark(Mark::Rare)
}

pub(super) async fn run(session: &mut Session, arguments: &[String]) -> anyhow::Result<Verdict> {
    let (image, _) = trees::metadata(session, &TypedName::parse(&arguments[0])?).await?;
    let mut image = Image::clone(&image);
    (image.filter, image.triggers) = (None, None);
    let name = &arguments[1];
    if name == "-" {
        session.out.pretty_json(&image)?;
        return Ok(Verdict::Done);
    }
    let data = if name.ends_with(".json") { image::go_json::to_pretty(&image)? } else { gob::to_vec(&image) };
    Destination::open(Some(name))?.write_all(&data)?;
    Ok(Verdict::Done)
}
