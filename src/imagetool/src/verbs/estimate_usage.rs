//! `estimate-usage name`: the space an image takes on a file system.

use flags::Verb;

use crate::trees;
use crate::typed_name::TypedName;

use super::Verdict;
use crate::session::Session;

pub(super) const NAME: &str = "estimate-usage";
pub(super) const DOING: &str = "error estimating image size";

pub(super) fn verb() -> Verb {
    Verb::new(NAME, "name", "estimate the space an image takes on a file system").group("look")
}

pub(super) async fn run(session: &mut Session, arguments: &[String]) -> anyhow::Result<Verdict> {
    let tree = trees::tree(session, &TypedName::parse(&arguments[0])?).await?.tree;
    let bytes = image::usage::estimate(&tree);
    if session.is_json() {
        session.out.json(&serde_json::json!({ "Name": arguments[0], "Bytes": bytes }))?;
    } else {
        session.out.line(human::bytes(bytes))?;
    }
    Ok(Verdict::Done)
}
