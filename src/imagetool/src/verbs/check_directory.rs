//! `check-directory dirname`: whether a directory exists; the exit code tells.

use flags::Verb;

use super::Verdict;
use crate::session::Session;

pub(super) const NAME: &str = "check-directory";
pub(super) const DOING: &str = "error checking directory";

pub(super) fn verb() -> Verb {
    Verb::new(NAME, "dirname", "tell by the exit code whether a directory exists").group("look")
}

pub(super) async fn run(session: &mut Session, arguments: &[String]) -> anyhow::Result<Verdict> {
    let exists = session.server().await?.check_directory(&arguments[0]).await?;
    if session.is_json() {
        session.out.json(&serde_json::json!({ "Name": arguments[0], "Exists": exists }))?;
    }
    Ok(Verdict::of(exists))
}
