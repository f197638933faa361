//! `listdirs`: the directories of the server.

use flags::Verb;

use super::Verdict;
use crate::session::Session;

pub(super) const NAME: &str = "listdirs";
pub(super) const DOING: &str = "error listing directories";

/// Widest column, in characters: a server's longest name must not widen all lines without end, and the formatting of the
/// standard library panics beyond 65,535.
const MAXIMUM_WIDTH: usize = 256;

pub(super) fn verb() -> Verb {
    Verb::new(NAME, "", "list the directories, with the groups that own them").group("look")
}

pub(super) async fn run(session: &mut Session, _arguments: &[String]) -> anyhow::Result<Verdict> {
    let mut directories = session.server().await?.list_directories().await?;
    directories.sort_by(|left, right| human::version_cmp(&left.name, &right.name));
    let owned = |d: &image::Directory| !d.metadata.owner_group.is_empty();
    // The column is as wide as the longest name has bytes, whether that is owned or not.
    let widest = directories.iter().map(|d| d.name.len().min(MAXIMUM_WIDTH)).max().unwrap_or(0);
    for directory in &directories {
        if session.is_json() {
            session.out.json(directory)?;
        } else if owned(directory) {
            let (name, group) = (&directory.name, &directory.metadata.owner_group);
            session.out.line(format!("{name:widest$}  OwnerGroup={group}"))?;
        } else {
            session.out.line(&directory.name)?;
        }
    }
    Ok(Verdict::Done)
}
