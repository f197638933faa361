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
    let (files, trees) = (human::bytes(reply.file_bytes_added), human::bytes(reply.tree_bytes_added));
    eprintln!("{} file objects added ({files})", reply.file_objects_added);
    eprintln!("{} tree objects added ({trees})", reply.tree_objects_added);
    if session.is_json() {
        session.out.json(&reply)?;
    } else {
        session.out.line(reply.image_name)?;
    }
    Ok(Verdict::Done)
}
