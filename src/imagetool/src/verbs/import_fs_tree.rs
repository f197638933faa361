//! `import-fs-tree dirname treeUrl`: has the server fetch a tree by HTTP.

use flags::{Mark, Verb};
use anyhow::bail;
use image_client::flows;

use super::Verdict;
use crate::session::Session;

pub(super) const NAME: &str = "import-fs-tree";
pub(super) const DOING: &str = "error importing FsTree";

pub(super) fn verb() -> Verb {
    Verb::new(NAME, "dirname treeUrl", "have the server make an image of a tree it fetches by HTTP").group("move").mark(Mark::Rare)
}

pub(super) async fn run(session: &mut Session, arguments: &[String]) -> anyhow::Result<Verdict> {
    let expires_in = session.options.expires_in;
    if expires_in.is_zero() {
        bail!("must specify an expiry time");
    }
    let expires_at = flows::in_the_future(expires_in);
    let server = session.server().await?;
    let reply = server.import_tree(&arguments[0], &arguments[1], expires_at).await?;
    tell("tree", reply.tree_objects_added, reply.tree_bytes_added, reply.trees_download_time);
    tell("data", reply.file_objects_added, reply.file_bytes_added, reply.files_download_time);
    if session.is_json() {
        session.out.json(&reply)?;
    } else {
        session.out.line(reply.image_name)?;
    }
    Ok(Verdict::Done)
}

/// A line on standard error, in the original's words.
fn tell(what: &str, objects: u64, bytes: u64, time: gob::Duration) {
    let nanoseconds = u128::from(time.0.unsigned_abs()).max(1);
    let per_second = u128::from(bytes) * 1_000_000_000 / nanoseconds;
    eprintln!(
        "Imported {objects} ({}) new {what} objects in: {} ({}/s)",
        human::bytes(bytes),
        human::duration_ns(time.0),
        human::bytes(u64::try_from(per_second).unwrap_or(u64::MAX)),
    );
}
