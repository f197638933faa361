//! `show-metadata name`: everything about an image but its files.

use flags::Verb;
use image::Image;
use serde::Serialize;

use crate::trees;
use crate::typed_name::TypedName;

use super::Verdict;
use crate::session::Session;

pub(super) const NAME: &str = "show-metadata";
pub(super) const DOING: &str = "error showing image metadata";

pub(super) fn verb() -> Verb {
    Verb::new(NAME, "name", "print everything about an image but its files").group("look")
}

pub(super) async fn run(session: &mut Session, arguments: &[String]) -> anyhow::Result<Verdict> {
    let (image, url) = trees::metadata(session, &TypedName::parse(&arguments[0])?).await?;
    session.out.pretty_json(&Metadata { information_database_url: &url, image: &image })?;
    Ok(Verdict::Done)
}

/// The image's own fields, after the address of its page if it has one.
#[derive(Serialize)]
struct Metadata<'a> {
    #[serde(rename = "InformationDatabaseURL", skip_serializing_if = "str::is_empty")]
    information_database_url: &'a str,
    #[serde(flatten)]
    image: &'a Image,
}
