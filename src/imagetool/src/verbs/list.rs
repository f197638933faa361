//! `list`: the images of the server.

use flags::Verb;

use super::Verdict;
use crate::session::Session;

pub(super) const NAME: &str = "list";
pub(super) const DOING: &str = "error listing images";

pub(super) fn verb() -> Verb {
    Verb::new(NAME, "", "list the images").group("look").examples(&["imagetool list # all of them, 2 before 10", "imagetool -ignoreExpiring -tagsToMatch=arch=amd64 list # those that stay, for this architecture"])
}

pub(super) async fn run(session: &mut Session, _arguments: &[String]) -> anyhow::Result<Verdict> {
    let selection = session.selection("")?;
    let mut names = session.server().await?.list_selected_images(&selection).await?;
    names.sort_by(|left, right| human::version_cmp(left, right));
    for name in names {
        if session.is_json() {
            session.out.json(&serde_json::json!({ "Name": name }))?;
        } else {
            session.out.line(name)?;
        }
    }
    Ok(Verdict::Done)
}
