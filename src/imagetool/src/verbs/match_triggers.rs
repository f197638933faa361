//! `match-triggers name triggers-file`: the triggers that any path of an image would fire.

use flags::{Mark, Verb};
use image::triggers::CompiledTriggers;
use image::walk::Walk;

use crate::inputs;
use crate::trees;
use crate::typed_name::TypedName;

use super::Verdict;
use crate::session::Session;

pub(super) const NAME: &str = "match-triggers";
pub(super) const DOING: &str = "error matching triggers";

pub(super) fn verb() -> Verb {
    Verb::new(NAME, "name triggers-file", "print the triggers of a file that any path of an image matches").group("compare").mark(Mark::Rare)
}

pub(super) async fn run(session: &mut Session, arguments: &[String]) -> anyhow::Result<Verdict> {
    let tree = trees::tree(session, &TypedName::parse(&arguments[0])?).await?.tree;
    let triggers = inputs::triggers(&arguments[1])?.unwrap_or_default();
    let compiled = CompiledTriggers::new(&triggers)?;
    let mut paths = Vec::new();
    let mut walk = Walk::new(&tree);
    while let Some(visit) = walk.next_visit() {
        paths.push(visit.path.to_owned());
    }
    session.out.pretty_json(&compiled.matching(&paths))?;
    Ok(Verdict::Done)
}
