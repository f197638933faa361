//! Objects that no image refers to; shared by the two verbs that list them.

use super::Verdict;
use crate::session::Session;

pub(super) async fn print(session: &mut Session, with_sizes: bool) -> anyhow::Result<Verdict> {
    for object in session.server().await?.list_unreferenced_objects().await? {
        if session.is_json() {
            session.out.json(&object)?;
        } else if with_sizes {
            session
                .out
                .line(format!("{} {}", object.hash, human::bytes(object.size)))?;
        } else {
            session.out.line(object.hash.to_string())?;
        }
    }
    Ok(Verdict::Done)
}
