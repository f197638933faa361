//! `merge-triggers triggers-file...`: the union of triggers.

use flags::{Mark, Verb};

use crate::inputs;

use super::Verdict;
use crate::session::Session;

pub(super) const NAME: &str = "merge-triggers";
pub(super) const DOING: &str = "error merging triggers";

pub(super) fn verb() -> Verb {
    Verb::new(NAME, "triggers-file...", "print the union of trigger files").group("housekeeping").mark(Mark::Local)
}

pub(super) async fn run(session: &mut Session, arguments: &[String]) -> anyhow::Result<Verdict> {
    let mut sets = Vec::new();
    for name in arguments {
        sets.extend(inputs::triggers(name)?);
    }
    let merged = image::triggers::merge(&sets).unwrap_or_default();
    session.out.pretty_json(&merged.triggers)?;
    Ok(Verdict::Done)
}
