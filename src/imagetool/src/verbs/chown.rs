//! `chown dirname ownerGroup`: gives a directory to a group.

use flags::Verb;

use super::Verdict;
use crate::session::Session;

pub(super) const NAME: &str = "chown";
pub(super) const DOING: &str = "error changing directory ownership";

pub(super) fn verb() -> Verb {
    Verb::new(NAME, "dirname ownerGroup", "give a directory to a group").group("change").examples(&["imagetool chown web webmasters # members of webmasters may now add images there", "imagetool chown web '' # nobody but administrators"])
}

pub(super) async fn run(session: &mut Session, arguments: &[String]) -> anyhow::Result<Verdict> {
    session.server().await?.chown_directory(&arguments[0], &arguments[1]).await?;
    Ok(Verdict::Done)
}
