//! `get-replication-master`: where the server replicates from.

use flags::Verb;

use super::Verdict;
use crate::session::Session;

pub(super) const NAME: &str = "get-replication-master";
pub(super) const DOING: &str = "error getting replication master";

pub(super) fn verb() -> Verb {
    Verb::new(NAME, "", "print where the server replicates from, if it does").group("look")
}

pub(super) async fn run(session: &mut Session, _arguments: &[String]) -> anyhow::Result<Verdict> {
    let master = session.server().await?.get_replication_master().await?;
    if session.is_json() {
        session.out.json(&serde_json::json!({ "ReplicationMaster": master }))?;
    } else if let Some(master) = master {
        session.out.line(master)?;
    }
    Ok(Verdict::Done)
}
