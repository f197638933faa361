//! `check name`: whether an image exists; the exit code tells.

use flags::Verb;

use super::Verdict;
use crate::session::Session;

pub(super) const NAME: &str = "check";
pub(super) const DOING: &str = "error checking image";

pub(super) fn verb() -> Verb {
    Verb::new(NAME, "name", "tell by the exit code whether an image exists").group("look").examples(&["imagetool check base/2026-11-22 # exit code 0 if it is there, else 1", "imagetool check base/2026-11-22 || imagetool add base/2026-11-22 /srv/root filter triggers # add it if it is missing"])
}

pub(super) async fn run(session: &mut Session, arguments: &[String]) -> anyhow::Result<Verdict> {
    let exists = session.server().await?.check_image(&arguments[0]).await?;
    if session.is_json() {
        session.out.json(&serde_json::json!({ "Name": arguments[0], "Exists": exists }))?;
    }
    Ok(Verdict::of(exists))
}
