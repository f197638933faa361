//! `merge-filters filter-file...`: the union of filters.

use flags::{Mark, Verb};

use crate::inputs;

use super::Verdict;
use crate::session::Session;

pub(super) const NAME: &str = "merge-filters";
pub(super) const DOING: &str = "error merging filters";

pub(super) fn verb() -> Verb {
    Verb::new(NAME, "filter-file...", "print the union of filter files").group("housekeeping").mark(Mark::Local)
}

pub(super) async fn run(session: &mut Session, arguments: &[String]) -> anyhow::Result<Verdict> {
    let mut filters = Vec::new();
    for name in arguments {
        filters.extend(inputs::filter(name)?);
    }
    let merged = image::filter::merge(&filters);
    if session.is_json() {
        session.out.json(&merged)?;
        return Ok(Verdict::Done);
    }
    for line in &merged.filter_lines {
        session.out.line(line)?;
    }
    Ok(Verdict::Done)
}
