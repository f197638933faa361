//! `listdirs`: the directories of the server.

use flags::Verb;

use super::Verdict;
use crate::session::Session;

pub(super) const NAME: &str = "listdirs";
pub(super) const DOING: &str = "error listing directories";

pub(super) fn verb() -> Verb {
    Verb::new(NAME, "", "list the directories, with the groups that own them").group("look")
}

pub(super) async fn run(session: &mut Session, _arguments: &[String]) -> anyhow::Result<Verdict> {
    let mut directories = session.server().await?.list_directories().await?;
    directories.sort_by(|left, right| human::version_cmp(&left.name, &right.name));
    let owned = |d: &image::Directory| !d.metadata.owner_group.is_empty();
    let widest = directories.iter().filter(|d| owned(d)).map(|d| d.name.chars().count()).max().unwrap_or(0);
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
