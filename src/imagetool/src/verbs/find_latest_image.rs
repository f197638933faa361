//! `find-latest-image directory`: the newest image of a directory.

use flags::Verb;
use anyhow::bail;

use super::Verdict;
use crate::session::Session;

pub(super) const NAME: &str = "find-latest-image";
pub(super) const DOING: &str = "error finding latest image";

pub(super) fn verb() -> Verb {
    Verb::new(NAME, "directory", "print the newest image of a directory").group("look").examples(&["imagetool find-latest-image base # of the directory itself, not of those below", "imagetool -ignoreExpiring -tagsToMatch=arch=amd64 find-latest-image base # that stays, for this architecture"])
}

pub(super) async fn run(session: &mut Session, arguments: &[String]) -> anyhow::Result<Verdict> {
    let selection = session.selection(&arguments[0])?;
    let Some(name) = session.server().await?.find_latest_image(&selection).await? else {
        bail!("no image found");
    };
    if session.is_json() {
        session.out.json(&serde_json::json!({ "Name": name }))?;
    } else {
        session.out.line(name)?;
    }
    Ok(Verdict::Done)
}
