//! `delunrefobj percentage bytes`: deletes objects that no image refers to.

use flags::{Mark, Verb};
use anyhow::anyhow;
use image::deletion::Goal;

use super::{Verdict, unreferenced};
use crate::session::Session;

pub(super) const NAME: &str = "delunrefobj";
pub(super) const DOING: &str = "error deleting unreferenced objects";

pub(super) fn verb() -> Verb {
    Verb::new(NAME, "percentage bytes", "delete objects that no image refers to, until both amounts are reached").group("housekeeping").mark(Mark::Destroys).examples(&["imagetool delunrefobj 100 0 # all of them", "imagetool delunrefobj 0 10GiB # the oldest, until 10 GiB are free", "imagetool -dryRun delunrefobj 0 10GiB # which these are, and how much"])
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

/// What the server would do: lines as `showunrefobj` has them, of what would go; how much that is on standard error.
async fn dry_run(session: &mut Session, percentage: u8, bytes: u64) -> anyhow::Result<Verdict> {
    let objects = session.server().await?.list_unreferenced_objects().await?;
    let sizes = || objects.iter().map(|object| object.size);
    let plan = Goal::new(percentage, bytes, objects.len() as u64).plan(sizes());
    for object in objects.iter().take(usize::try_from(plan.objects).unwrap_or(usize::MAX)) {
        unreferenced::print_one(session, object, true)?;
    }
    let all_bytes = sizes().sum();
    if session.is_json() {
        session.out.json(&serde_json::json!({
            "Objects": plan.objects,
            "Bytes": plan.bytes,
            "OfObjects": objects.len(),
            "OfBytes": all_bytes,
            "IsEnough": plan.is_enough,
        }))?;
    }
    session.out.flush()?;
    let (freed, all_bytes) = (human::bytes(plan.bytes), human::bytes(all_bytes));
    eprintln!("would delete {} of {} unreferenced objects ({freed} of {all_bytes})", plan.objects, objects.len());
    if !plan.is_enough {
        eprintln!("and then end with: no more objects to delete");
    }
    Ok(Verdict::Done)
}
