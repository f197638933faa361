//! `delunrefobj percentage bytes`: deletes objects that no image refers to.

use flags::{Mark, Verb};
use anyhow::anyhow;

use super::Verdict;
use crate::session::Session;

pub(super) const NAME: &str = "delunrefobj";
pub(super) const DOING: &str = "error deleting unreferenced objects";

pub(super) fn verb() -> Verb {
    Verb::new(NAME, "percentage bytes", "delete objects that no image refers to, until both amounts are reached").group("housekeeping").mark(Mark::Destroys).examples(&["imagetool delunrefobj 100 0 # all of them", "imagetool delunrefobj 0 10GiB # the oldest, until 10 GiB are free"])
}

pub(super) async fn run(session: &mut Session, arguments: &[String]) -> anyhow::Result<Verdict> {
    let percentage = arguments[0].parse().map_err(|e| anyhow!("percentage {:?}: {e}", arguments[0]))?;
    let bytes = human::parse_size(&arguments[1])?;
    if session.options.dry_run {
        return dry_run(session, percentage, bytes).await;
    }
    session.server().await?.delete_unreferenced_objects(percentage, bytes).await?;
    Ok(Verdict::Done)
}

/// What the server would do: the objects unreferenced longest first, until both amounts are reached.
async fn dry_run(session: &mut Session, percentage: u8, bytes: u64) -> anyhow::Result<Verdict> {
    let objects = session.server().await?.list_unreferenced_objects().await?;
    let least = objects.len() * usize::from(percentage) / 100;
    let (mut count, mut freed) = (0, 0);
    for object in &objects {
        if count >= least && freed >= bytes {
            break;
        }
        count += 1;
        freed += object.size;
    }
    let (all, freed) = (objects.len(), human::bytes(freed));
    session.out.line(format!("would delete {count} of {all} unreferenced objects ({freed})"))?;
    Ok(Verdict::Done)
}
