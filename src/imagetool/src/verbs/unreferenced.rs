//! Objects that no image refers to; shared by the verbs that list them.

use super::Verdict;
use crate::session::Session;
use protocol::image_server::Object;

pub(super) async fn print(session: &mut Session, with_sizes: bool) -> anyhow::Result<Verdict> {
    for object in session.server().await?.list_unreferenced_objects().await? {
        print_one(session, &object, with_sizes)?;
    }
    Ok(Verdict::Done)
}

pub(super) fn print_one(session: &mut Session, object: &Object, with_size: bool) -> anyhow::Result<()> {
    if session.is_json() {
        return session.out.json(object);
    }
    let line = match with_size {
        true => format!("{} {}", object.hash, object.size),
        false => object.hash.to_string(),
    };
    Ok(session.out.line(line)?)
}
